"""Fixtures for the tests of several wings."""

import os
import signal
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

# A shell lets a job in the background ignore Ctrl-C, and the programs that it starts too.
signal.signal(signal.SIGINT, signal.default_int_handler)
# nohup does the same with hang-ups.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many workers as cores, at most four, for the whole suite; none for named tests, which need not wait for them.

    A worker that has imported TensorFlow takes 1.5 GB.
    """
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return min(os.cpu_count() or 1, 4) if whole else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow files first, which start TensorFlow, so that the workers end together."""
    items.sort(key=lambda item: item.path.parent.name != "training" and item.path.name != "test_docs.py")


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


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.SimpleNamespace]:
    """A simulated PortAudio."""
    fake = paper_portaudio.module()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr("vad.audio.microphone._POLL_S", 0.01)
    yield fake
    paper_portaudio.InputStream.forget()
    paper_portaudio.OutputStream.forget()
