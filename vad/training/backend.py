"""Keras, imported once and in silence: TensorFlow greets with a dozen lines, and stderr is for our words.

Rooms that need no Keras (the mixing of scenes, above all, in its many processes) don't import this one.
"""

import os

from vad.chatter import without_chatter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with without_chatter(
    b"WARNING: All log messages before", b"I0000", b"W0000", b"E0000", b"To enable the following"
):
    import keras
    from keras import layers, ops

    ops.zeros(1)  # the first operation greets too

__all__ = ["keras", "layers", "ops"]
