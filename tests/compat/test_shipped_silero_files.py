"""The files of interchange for Silero's clients: those of its card, and equal to its .tflite file."""

import hashlib
import json

import numpy as np
import pytest
from support.places import EXAMPLES, GOLDEN, MODELS

from vad.audio.reading import read_audio

onnxruntime = pytest.importorskip("onnxruntime")


def test_the_card_has_the_sums_of_the_files():
    files = json.loads((MODELS / "interchange.silero.json").read_text())["files"]
    assert set(files) == {"interchange.silero.onnx", "interchange.silero-sequence.onnx"}
    for name, digest in files.items():
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest


def test_windows_and_sequence_give_the_golden_probabilities():
    golden = np.array(json.loads((GOLDEN / "interchange.json").read_text())["file"])
    samples = read_audio(EXAMPLES / "clip.wav", sample_rate=16_000)
    count = len(samples) // 512
    padded = np.pad(samples[: count * 512], (64, 0))
    windows = np.stack([padded[512 * at : 512 * at + 576] for at in range(count)])
    each, sequence = (
        onnxruntime.InferenceSession(MODELS / f"interchange.{kind}.onnx", providers=["CPUExecutionProvider"])
        for kind in ("silero", "silero-sequence")
    )
    state, found = np.zeros((2, 1, 128), np.float32), []
    for window in windows:
        inputs = {"input": window[np.newaxis], "state": state, "sr": np.array(16_000, np.int64)}
        output, state = each.run(None, inputs)
        found.append(output.item())
    np.testing.assert_allclose(found, golden[:count], atol=2e-3)
    h = c = np.zeros((1, 1, 128), np.float32)
    together, *_ = sequence.run(None, {"input": windows, "h": h, "c": c})
    np.testing.assert_allclose(together.ravel(), found, atol=1e-4)
