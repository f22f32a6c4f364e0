"""Writes what the shipped models say of data/examples/clip.wav to tests/golden; run it after shipping new models.

"file" is of the lookahead output, where the model has one; then "live" is of the low-latency output.
"""

import json
from pathlib import Path

from vad.audio import read_audio
from vad.detector import Detector
from vad.runtime import Model, model_names

ROOT = Path(__file__).parent.parent

if __name__ == "__main__":
    samples = read_audio(ROOT / "data" / "examples" / "clip.wav", sample_rate=16_000)
    for name in model_names():
        model = Model.load(name)
        detectors = {"file": Detector(model)}
        if model.lookahead_frames:
            detectors["live"] = Detector(model, lookahead=False)
        golden = {
            output: [round(float(p), 5) for p in detector.probabilities(samples, 16_000)]
            for output, detector in detectors.items()
        }
        (ROOT / "tests" / "golden" / f"{name}.json").write_text(json.dumps(golden))
