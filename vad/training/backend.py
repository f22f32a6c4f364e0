"""Keras, imported once, with TensorFlow's messages turned down as far as it has a switch for that.

Rooms that need no Keras (the mixing of scenes, above all, in its many processes) don't import this one.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
from keras import layers, ops

from vad.errors import ConfigError

__all__ = ["FULL_PRECISION", "keras", "layers", "ops", "require_tensorflow"]

# For layers of samples, of powers down to -85 dB, and of probabilities, under any policy of Keras.
FULL_PRECISION = {"dtype": "float32"}


def require_tensorflow(feature: str) -> None:
    """Checks that Keras computes with TensorFlow. Training works with any backend.

    Raises:
        ConfigError: It does not.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ConfigError(
            f"{feature} needs Keras with TensorFlow. Received: KERAS_BACKEND={backend}. "
            "Run it in a process of its own with KERAS_BACKEND=tensorflow; it reads weights of any backend."
        )
