"""Writes what the shipped models say of data/examples/clip.wav to tests/golden; run it after shipping new models.

"file" is as files are heard; a model that decides late has "live" too.
"""

import json
from pathlib import Path

from vad.audio import read_audio
from vad.detector import ways_to_hear
from vad.runtime import Model, model_names

ROOT = Path(__file__).parent.parent

if __name__ == "__main__":
    samples = read_audio(ROOT / "data" / "examples" / "clip.wav", sample_rate=16_000)
    for name in model_names():
        golden = {
            way: [round(float(p), 5) for p in detector.probabilities(samples, 16_000)]
            for way, detector in ways_to_hear(Model.load(name)).items()
        }
        (ROOT / "tests" / "golden" / f"{name}.json").write_text(json.dumps(golden))
