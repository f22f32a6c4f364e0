"""Writes what the shipped models say of data/examples/clip.wav to tests/golden; run it after shipping new models."""

import json
from pathlib import Path

from vad.audio import read_audio
from vad.detector import Detector
from vad.runtime import model_names

ROOT = Path(__file__).parent.parent

if __name__ == "__main__":
    samples = read_audio(ROOT / "data" / "examples" / "clip.wav", sample_rate=16_000)
    for name in model_names():
        probabilities = Detector(name).probabilities(samples, 16_000)
        (ROOT / "tests" / "golden" / f"{name}.json").write_text(
            json.dumps([round(float(p), 5) for p in probabilities])
        )
