"""Training under another backend of Keras: a run that TensorFlow began goes on in JAX and PyTorch, to the same losses.

Run it with `python -m pytest -m acceptance tests/acceptance/test_backends.py` where jax and torch are installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.tiny_run import SETTINGS, history, write_corpus

pytestmark = pytest.mark.acceptance

OTHERS = ("jax", "torch")


def train(run: Path, corpus: Path, epochs: int, backend: str) -> None:
    """Begin a run, or continue it."""
    options = SETTINGS | {"hours": 0.02, "epochs": epochs, "data": str(run.parent / "data")}
    given = [
        f"--set={name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in options.items()
    ]
    command = [sys.executable, "-m", "vad", "train", str(run), f"--corpus={corpus}", *given]
    done = subprocess.run(
        command, env=os.environ | {"KERAS_BACKEND": backend}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run after one epoch, and its corpus."""
    folder = tmp_path_factory.mktemp("begun")
    corpus = folder / "corpus"
    corpus.mkdir()
    write_corpus(corpus)
    train(folder / "begun", corpus, 1, "tensorflow")
    shutil.copytree(folder / "begun", folder / "tensorflow")
    train(folder / "tensorflow", corpus, 4, "tensorflow")
    return folder, corpus


@pytest.mark.parametrize("backend", OTHERS)
def test_the_losses_are_those_of_tensorflow(begun: tuple[Path, Path], backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    folder, corpus = begun
    shutil.copytree(folder / "begun", folder / backend)
    train(folder / backend, corpus, 4, backend)
    expected, found = history(folder / "tensorflow"), history(folder / backend)
    assert len(found) == len(expected) == 4
    for name in ("loss", "val_loss", "val_auc"):
        assert [row[name] for row in found] == pytest.approx([row[name] for row in expected], abs=2e-3)
    assert found[-1]["loss"] < found[0]["loss"]
