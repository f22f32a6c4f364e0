"""Small networks with weights that make the probability move, so that a wrong weight shows."""

import keras
import numpy as np

from vad.training.networks import build_network, network_from_dict

_STACK = {"channels": 12, "dilations": (1, 2, 4)}
_SMALL = {
    "logmel-cnn": _STACK,
    "waveform-tcn": _STACK,
    "logmel-crnn": {"channels": 12},
    "interchange": {"channels": 12, "frame_ms": 32},
    "two-branch": {"filter_channels": (6, 8), **_STACK},
    "patch-cnn": {"dense_units": (12, 8)},
}


def small_network(architecture, **options):
    """A configuration and its network: few ReLUs are shut, and the sigmoid is in its middle."""
    keras.utils.set_random_seed(5)
    small = {
        "n_mels": 24,
        "conv_channels": (6, 8),
        "delay_frames": 2,
        "lookahead_channels": 8,
        **_SMALL[architecture],
    }
    config = network_from_dict({"architecture": architecture, **small, **options})
    model = build_network(config)
    rng = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    gamma * rng.uniform(0.5, 1.5, gamma.shape),
                    beta + rng.uniform(0, 1, beta.shape),
                    mean + rng.normal(0, 0.3, mean.shape),
                    variance * rng.uniform(0.5, 2, variance.shape),
                ]
            )
    samples = 0.1 * rng.standard_normal((1, 60 * config.frame_length))
    for name in ("speech", "late_speech")[: len(config.delays)]:
        speech = model.get_layer(name)
        logits = np.asarray(keras.Model(model.input, speech.input)(samples)) @ np.asarray(speech.kernel)
        speech.kernel.assign(np.asarray(speech.kernel) / logits.std())
        speech.bias.assign([-logits.mean() / logits.std()])
    return config, model
