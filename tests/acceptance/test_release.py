"""The whole way to the models that ship, with networks and scenes as small as can be.

Run it with `python -m pytest -m acceptance tests/acceptance/test_release.py`; it takes some minutes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import release
from support import tiny_run
from support.places import EXAMPLES

from vad.detection.model import Model

pytestmark = pytest.mark.acceptance

SMALL = {
    **{"hours": 0.01, "dev_hours": 0.01, "epochs": 1, "epoch_hours": 0.01, "batch_size": 2, "jobs": 1},
    **{"mixing.scene_s": 2.0, "mixing.tunes": 0.0},
    **{"network.conv_channels": [4, 8], "network.channels": 8, "network.n_mels": 24},
    "init": '""',  # whose network is not so small
}


def test_one_command_makes_default(tmp_path: Path) -> None:
    corpus = tiny_run.write_corpus(tmp_path)
    (tmp_path / "golden").mkdir()
    words = [
        "default",
        "--corpus",
        str(corpus),
        "--labelled",
        str(EXAMPLES),
        "--runs",
        str(tmp_path / "runs"),
    ]
    words += ["--output", str(tmp_path / "models"), "--golden", str(tmp_path / "golden")]
    for name, value in SMALL.items():
        words += ["--set", f"{name}={value}"]
    assert release.main(words) == 0
    card = Model.load(tmp_path / "models" / "default.tflite").card
    shipped = json.loads((Path(release.ROOT) / "models" / "default.json").read_text())
    assert set(card) == set(shipped)
    assert card["late_frames"] == 40
    assert card["label_origin"] == shipped["label_origin"]
    assert set(card["metrics"]["examples"]) == set(shipped["metrics"]["devset"])
    golden = json.loads((tmp_path / "golden" / "default.json").read_text())
    assert set(golden) == {"file", "live"}
