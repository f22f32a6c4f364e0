"""Keras, imported once, with TensorFlow's messages turned down as far as it has a switch for that.

Rooms that need no Keras (the mixing of scenes, above all, in its many processes) don't import this one.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
from keras import layers, ops

__all__ = ["keras", "layers", "ops"]
