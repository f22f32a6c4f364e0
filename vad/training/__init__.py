"""Training: the only rooms that import Keras and TensorFlow."""

import os

# TensorFlow greets with a dozen lines otherwise; stderr is for our words.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
