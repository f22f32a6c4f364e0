"""What `sounddevice` is, made of paper: a test invents the devices and what they hear, and sees what they play."""

import sys
import types
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

DEVICES = [
    {
        "index": 0,
        "name": "Speakers",
        "max_input_channels": 0,
        "max_output_channels": 2,
        "default_samplerate": 48000.0,
    },
    {
        "index": 1,
        "name": "Headset Mono",
        "max_input_channels": 1,
        "max_output_channels": 0,
        "default_samplerate": 44100.0,
    },
    {
        "index": 2,
        "name": "Webcam",
        "max_input_channels": 2,
        "max_output_channels": 0,
        "default_samplerate": 48000.0,
    },
    {
        "index": 3,
        "name": "Webcam Pro",
        "max_input_channels": 2,
        "max_output_channels": 0,
        "default_samplerate": 48000.0,
    },
]


class PortAudioError(Exception):
    """As sounddevice's: a text, and PortAudio's number for it."""


class FailingImport:
    """Stands where `sounddevice` would be found, and fails as its import does."""

    def __init__(self, failure: Exception):
        self.failure = failure

    def find_spec(self, name: str, *_: object) -> None:
        if name == "sounddevice":
            raise self.failure

    @classmethod
    def put(cls, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
        monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
        monkeypatch.setattr(sys, "meta_path", [cls(failure), *sys.meta_path])


class InputStream:
    """Remembers what was asked for, fails when told to, and says what a test wants it to."""

    made: ClassVar[list["InputStream"]] = []
    failures: ClassVar[list[Exception]] = []
    plays: ClassVar[list[np.ndarray]] = []
    vanishes: ClassVar[bool] = False

    def __init__(self, *, callback: Callable[..., None], **asked: Any):
        if self.failures:
            raise self.failures.pop(0)
        self.asked = asked
        self.callback = callback
        self.active = False
        self.closed = False
        self.made.append(self)

    def start(self) -> None:
        self.active = True
        for samples in self.plays:
            length = self.asked["blocksize"]
            for position in range(0, len(samples), length):
                self.say(samples[position : position + length])
        self.active = not self.vanishes

    def stop(self) -> None:
        self.active = False

    def close(self) -> None:
        self.active = False
        self.closed = True

    def say(self, samples: np.ndarray, *, overflow: bool = False) -> None:
        """Call back as PortAudio does: with a buffer that it uses again at once."""
        buffer = samples.astype(np.float32).reshape(len(samples), -1).copy()
        self.callback(buffer, len(buffer), None, types.SimpleNamespace(input_overflow=overflow))
        buffer[:] = np.nan

    @classmethod
    def forget(cls) -> None:
        """Make the class as it was before any test."""
        cls.made.clear()
        cls.failures.clear()
        cls.plays.clear()
        cls.vanishes = False


class OutputStream:
    """Keeps what is played, and fails when told to."""

    made: ClassVar[list["OutputStream"]] = []
    failures: ClassVar[list[BaseException]] = []
    interrupted_after: ClassVar[int | None] = None

    def __init__(self, **asked: Any):
        if self.failures:
            raise self.failures.pop(0)
        self.asked = asked
        self.blocks: list[np.ndarray] = []
        self.state = "new"
        self.made.append(self)

    def start(self) -> None:
        self.state = "playing"

    def write(self, samples: np.ndarray) -> None:
        assert self.state == "playing"
        assert samples.dtype == np.float32
        assert samples.flags.c_contiguous
        assert samples.shape[1] == self.asked["channels"]
        self.blocks.append(samples.copy())
        if self.interrupted_after == len(self.blocks):
            raise KeyboardInterrupt

    def stop(self) -> None:
        self.state = "played to the end"

    def close(self) -> None:
        self.state += ", closed"

    @property
    def played(self) -> np.ndarray:
        return np.concatenate(self.blocks)

    @classmethod
    def forget(cls) -> None:
        """Make the class as it was before any test."""
        cls.made.clear()
        cls.failures.clear()
        cls.interrupted_after = None


def module() -> types.SimpleNamespace:
    """What stands in for `sounddevice`."""
    fake = types.SimpleNamespace(
        InputStream=InputStream,
        OutputStream=OutputStream,
        PortAudioError=PortAudioError,
        default=types.SimpleNamespace(device=[2, 0]),
        devices=list(DEVICES),
    )
    fake.query_devices = lambda: fake.devices
    return fake
