"""Two workers that train one network give the losses of one process, also when they were stopped and go on.

Run it with `python -m pytest -m acceptance tests/acceptance/test_training_over_workers.py`; it takes a minute.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.tiny_run import SETTINGS, history, write_corpus

from vad.training.backend import keras
from vad.training.config import TrainConfig, load_config
from vad.training.fit import fit

pytestmark = pytest.mark.acceptance

# Of a loss. In one process, the scenes of each batch in reverse make 4e-5. Gradients clipped before they are added up
# would make 6e-3, and batch normalisation by each worker's own scenes 7e-2.
TOLERANCE = 2e-4
WAIT_S = 600


@pytest.mark.parametrize("fine_tunes", [False, True], ids=["anew", "fine-tuning"])
def test_two_workers_train_as_one_process(fine_tunes: bool, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    options = {**SETTINGS, "learning_rate": 1e-3, "epochs": 3, "corpus": str(write_corpus(corpus))}
    if fine_tunes:
        start = load_config(None, {**options, "epochs": 1, "data": str(tmp_path / "start-data")})
        options["init"] = str(fit(start, tmp_path / "start"))
    alone, together = (
        load_config(None, {**options, "data": str(tmp_path / f"{name}-data")})
        for name in ("alone", "together")
    )
    fit(alone, tmp_path / "alone")
    run = tmp_path / "together"
    stopped = start_workers(together, run)
    wait_for(run / "last.keras")
    for worker in stopped:
        worker.send_signal(signal.SIGTERM)
    outputs = [worker.communicate(timeout=WAIT_S)[0] for worker in stopped]
    assert [worker.returncode == 0 for worker in stopped] == [False, False], outputs
    assert 1 <= len(history(run)) < 3

    workers = start_workers(together, run)
    outputs = [worker.communicate(timeout=WAIT_S)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert outputs == [f"{run}/best.keras\n", ""]  # the second neither validates nor compares
    expected, found = (
        [[row["loss"], row["val_loss"]] for row in history(one)] for one in (tmp_path / "alone", run)
    )
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)
    # Another backend could not read a file with it.
    saved = keras.models.load_model(run / "last.keras").layers
    assert not any(getattr(layer, "synchronized", False) for layer in saved)


def start_workers(config: TrainConfig, run: Path) -> list[subprocess.Popen[str]]:
    """Two `vad train` with the standard variable; stdout is read."""
    path = run.with_name("config.json")
    path.write_text(config.to_json())
    with socket.socket() as one, socket.socket() as two:
        for listener in (one, two):
            listener.bind(("127.0.0.1", 0))
        hosts = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in (one, two)]
    return [
        subprocess.Popen(
            [sys.executable, "-m", "vad", "train", str(run), "--config", str(path)],
            env={
                **os.environ,
                "TF_CONFIG": json.dumps(
                    {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
                ),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]


def wait_for(path: Path) -> None:
    until = time.monotonic() + WAIT_S
    while not path.exists():
        assert time.monotonic() < until, f"{path} was not written"
        time.sleep(0.01)
