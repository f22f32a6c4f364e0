"""Training: the only rooms that import Keras and TensorFlow."""

import os

from vad.chatter import without_chatter

# TensorFlow greets with a dozen lines at import and at the first operation; stderr is for our words.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with without_chatter(
    b"WARNING: All log messages before", b"I0000", b"W0000", b"E0000", b"To enable the following"
):
    import keras

    keras.ops.zeros(1)
