"""Fixtures for the tests of several wings."""

import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from support import paper_portaudio, tiny_model

from vad.detection.detector import Detector
from vad.detection.model import Model

# A busy machine is slow, not wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny .tflite that honours the artifact contract, its card beside it."""
    return tiny_model.write(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def lookahead_model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a lookahead output, three frames later than the low-latency one and different."""
    return tiny_model.write(tmp_path_factory.mktemp("lookahead"), lookahead=True)


@pytest.fixture(scope="session")
def model(model_path: Path) -> Model:
    """The tiny model, loaded."""
    return Model.load(model_path)


@pytest.fixture(scope="session")
def detector(model: Model) -> Detector:
    """A detector with the tiny model and its balanced options."""
    return Detector(model)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that the tree stays as it is."""
    pytest.importorskip("setuptools", minversion="77", reason="building the wheel needs setuptools 77")
    root = Path(__file__).parent.parent
    folder = tmp_path_factory.mktemp("source")
    for name in ("vad", "models"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(root / name, folder)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder / "dist",
        folder,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.SimpleNamespace]:
    """A simulated PortAudio."""
    fake = paper_portaudio.module()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr("vad.audio.microphone._POLL_S", 0.01)
    yield fake
    paper_portaudio.InputStream.forget()
