"""A model file that programs made for silero_vad.onnx load, compared with Keras before it is written."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vad.detection.runtimes import onnx_session
from vad.files import writing
from vad.training.backend import keras
from vad.training.networks import NetworkConfig
from vad.training.provenance import load_network
from vad.training.release.export import MAX_DIFFERENCE, card_of, verified
from vad.training.release.onnx import function_to_onnx
from vad.training.release.probe_signals import probe_signals
from vad.training.release.silero_graph import CONTEXT, WINDOW, WindowedNetwork, upsampled

__all__ = ["export_silero", "run_windows", "silero_onnx", "silero_sequence_onnx"]

_LOW_RATE = 8_000

Samples = npt.NDArray[np.float32]


def export_silero(
    trained: Path | keras.Model,
    network: NetworkConfig,
    name: str,
    folder: Path,
    *,
    notes: Mapping[str, Any] | None = None,
) -> Path:
    """Writes ``<name>.silero.onnx`` and its card ``<name>.silero.json``.

    A network whose frames are windows of 512 samples also gets ``<name>.silero-sequence.onnx``, which runs all windows
    of a recording at once, as faster-whisper does.

    Args:
        trained: The network, or its ``.keras`` file.
        network: Its architecture and sizes.
        name: The model's name.
        folder: Where to write.
        notes: More fields of the card, as for `vad.training.release.export.export`.

    Returns:
        The path of ``<name>.silero.onnx``.

    Raises:
        ModelError: The weights cannot be read, or a file differs from Keras by more than 1e-4 on any of the probe
            signals. Nothing is written then.
        ConfigError: The network has longer frames than a window, or a note has the name of a field.
    """
    model = load_network(trained) if isinstance(trained, Path) else trained
    windowed = WindowedNetwork(model, network)
    contents = {f"{name}.silero.onnx": silero_onnx(windowed)}
    differences = _differences(windowed, network, contents[f"{name}.silero.onnx"])
    if windowed.windows_are_frames:
        content = silero_sequence_onnx(windowed)
        contents[f"{name}.silero-sequence.onnx"] = content
        differences |= _sequence_differences(windowed, content)
    verification = verified(differences, MAX_DIFFERENCE["none"])
    files = {
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        "verification": verification,
    }
    card = card_of(model, network, name, files, notes or {})
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        for file, content in contents.items():
            stack.enter_context(writing(folder / file)).write_bytes(content)
        text = stack.enter_context(writing(folder / f"{name}.silero.json"))
        text.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return folder / f"{name}.silero.onnx"


def silero_onnx(windowed: WindowedNetwork) -> bytes:
    """The contract of silero_vad.onnx, from version 5 on.

    ``input`` [shape=(batch, 64 + 512)] and ``sr`` 16000, or ``input`` [shape=(batch, 32 + 256)] and ``sr`` 8000, and
    ``state`` [shape=(2, batch, 128)] give ``output`` [shape=(batch, 1)] and ``stateN``. A state that needs more
    numbers is wider; clients begin with 128 zeros and return what they got. Windows without their context work too.
    """
    width = windowed.row if windowed.windows_are_frames else None
    inputs = [
        tf.TensorSpec((None, None), tf.float32, "input"),
        tf.TensorSpec((2, None, width), tf.float32, "state"),
        tf.TensorSpec(None, tf.int64, "sr"),  # a number to some clients, a list of one to others
    ]
    return function_to_onnx(windowed.model, _step(windowed), inputs, ["output", "stateN"])


def silero_sequence_onnx(windowed: WindowedNetwork) -> bytes:
    """The contract of faster-whisper's silero_vad_v6.onnx.

    ``input`` [shape=(windows, 576)], ``h`` and ``c`` [shape=(1, 1, 128)] give ``speech_probs`` [shape=(windows,)],
    ``hn`` and ``cn``.
    """

    def run(input: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> dict[str, tf.Tensor]:
        probability, state = windowed.sequence(input, tf.concat([h, c], axis=0))
        return {"speech_probs": probability, "hn": state[:1], "cn": state[1:]}

    row = (1, None, windowed.row)  # a batch of one: known as such, the loop over windows cannot be built
    inputs = [
        tf.TensorSpec((None, CONTEXT + WINDOW), tf.float32, "input"),
        tf.TensorSpec(row, tf.float32, "h"),
        tf.TensorSpec(row, tf.float32, "c"),
    ]
    return function_to_onnx(windowed.model, run, inputs, ["speech_probs", "hn", "cn"])


def _step(windowed: WindowedNetwork) -> Callable[..., dict[str, tf.Tensor]]:
    def run(input: tf.Tensor, state: tf.Tensor, sr: tf.Tensor) -> dict[str, tf.Tensor]:
        low = tf.equal(tf.reshape(sr, (-1,))[0], _LOW_RATE)
        samples = tf.cond(low, lambda: upsampled(input), lambda: input)
        output, after = windowed(samples, state)
        return {"output": output, "stateN": after}

    return run


def _differences(windowed: WindowedNetwork, network: NetworkConfig, content: bytes) -> dict[str, float]:
    """The largest differences on the probe signals, one stream each, all in one batch.

    At 16 kHz from the offline network; at 8 kHz, which that does not know, from the function in TensorFlow.
    """
    session = onnx_session(content)

    def in_onnx(window: Samples, state: Samples, rate: int) -> tuple[Samples, Samples]:
        inputs = {"input": window, "state": state, "sr": np.array(rate, np.int64)}
        output, after = session.run(None, inputs)
        return output, after

    @tf.function(reduce_retracing=True)
    def step(window: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return windowed(upsampled(window), state)

    samples = np.stack(list(probe_signals().values()))
    found = run_windows(in_onnx, samples, 16_000)
    expected = np.reshape(windowed.model.predict_on_batch(samples), (len(samples), -1))
    frame = WINDOW * np.arange(1, found.shape[1] + 1) // network.frame_length - 1  # the last complete one
    low = samples[:, : 2 * 16_000 : 2]
    found_low = run_windows(in_onnx, low, _LOW_RATE)
    expected_low = run_windows(lambda window, state, _: step(window, state), low, _LOW_RATE)
    names = list(probe_signals())
    return _largest(names, found, expected[:, frame]) | _largest(
        [f"{name}, 8 kHz" for name in names], found_low, expected_low
    )


def _sequence_differences(windowed: WindowedNetwork, content: bytes) -> dict[str, float]:
    session, zeros = onnx_session(content), np.zeros((1, 1, windowed.row), np.float32)
    differences: dict[str, float] = {}
    for name, samples in probe_signals().items():
        windows = _windows(samples[np.newaxis], CONTEXT, WINDOW)[0]
        found, *_ = session.run(None, {"input": windows, "h": zeros, "c": zeros})
        expected = windowed.model.predict_on_batch(windows[:, CONTEXT:].reshape(1, -1))
        differences |= _largest([f"{name}, sequence"], found[np.newaxis], np.reshape(expected, (1, -1)))
    return differences


def run_windows(
    call: Callable[[Samples, Samples, int], tuple[Any, Any]], samples: Samples, sample_rate: int
) -> Samples:
    """Runs streams window by window, as clients do.

    Args:
        call: From windows, state and sample rate to output and new state.
        samples: One row a stream.
        sample_rate: 8000 or 16000 Hz.

    Returns:
        The probabilities of whole windows [shape=(streams, windows)].
    """
    context, window = (length * sample_rate // 16_000 for length in (CONTEXT, WINDOW))
    state: Any = np.zeros((2, len(samples), 128), np.float32)
    found = []
    for one in np.moveaxis(_windows(samples, context, window), 1, 0):
        output, state = call(one, state, sample_rate)
        found.append(np.asarray(output)[:, 0])
    return np.stack(found, axis=1)


def _windows(samples: Samples, context: int, window: int) -> Samples:
    """Each window with its context; zeros come before the first [shape=(streams, windows, context + window)]."""
    padded = np.pad(samples[:, : samples.shape[1] // window * window], [(0, 0), (context, 0)])
    views = np.lib.stride_tricks.sliding_window_view(padded, context + window, axis=1)[:, ::window]
    return np.ascontiguousarray(views)


def _largest(names: list[str], found: Samples, expected: Samples) -> dict[str, float]:
    return {name: float(one) for name, one in zip(names, np.abs(found - expected).max(axis=1), strict=True)}
