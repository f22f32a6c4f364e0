"""The microphone as an iterator over blocks. The one room that knows PortAudio, through sounddevice.

PortAudio's callback only copies what it is given into a bounded queue; whoever iterates takes it out. Where
that one is too slow, whole blocks are lost, and the next block says so: overflow is data, not an error.
"""

import contextlib
import math
import queue
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.errors import ConfigError, DeviceError, require_number, shown

__all__ = ["Block", "Device", "Microphone", "list_devices"]

Samples: TypeAlias = npt.NDArray[np.float32]

_DEVICE_UNAVAILABLE = -9985  # PaErrorCode
_NOT_AT_THIS_RATE_OR_CHANNELS = (-9997, -9998)
_POLL_S = 0.25
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Device:
    """An input device.

    Attributes:
        index: Its number, which may change when devices come and go.
        name: Its name.
        channels: The channels it has, at most.
        sample_rate: The rate it prefers, in Hz.
        is_default: The system's choice.
    """

    index: int
    name: str
    channels: int
    sample_rate: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class Block:
    """What the microphone heard in a moment.

    Attributes:
        samples: Mono, in [-1, 1]: the mean of the device's channels. [shape=(samples,)]
        overflowed: Audio was lost just before this block, because nobody took it in time.
        time: When it begins, in seconds since the first block; what was lost in the queue counts.
    """

    samples: Samples
    overflowed: bool
    time: float


class Microphone:
    """An open input device, to be iterated over in a `with` statement.

    Args:
        device: Its number, or a part of its name that no other has; None is the system's choice.
        sample_rate: The rate to record at, in Hz. A device that cannot is opened at the rate it prefers, and one
            that cannot give a single channel with all it has.
        block_duration: Seconds of a block, 0.01 to 0.1.
        queue_duration: Seconds of audio that may wait to be taken.

    Attributes:
        device: What was opened.
        sample_rate: The rate of the blocks, in Hz.

    Raises:
        ConfigError: A value is out of its range, or of no type that it may have.
        DeviceError: There is no such device, it is in use, or the PortAudio library is not installed. While
            iterating: the device is gone.
    """

    def __init__(
        self,
        device: int | str | None = None,
        *,
        sample_rate: int = 16000,
        block_duration: float = 0.03,
        queue_duration: float = 10.0,
    ):
        for name, value in (("sample_rate", sample_rate), ("queue_duration", queue_duration)):
            if not 0 < require_number(name, value) < math.inf:
                raise ConfigError(f"{name} must be above 0. Received: {name}={value}.")
        if not 0.01 <= require_number("block_duration", block_duration) <= 0.1:
            raise ConfigError(
                "block_duration must be between 0.01 and 0.1 seconds. "
                f"Received: block_duration={block_duration}."
            )
        self.device = _find(device)
        self._queue: queue.Queue[Block] = queue.Queue(max(1, round(queue_duration / block_duration)))
        self._heard = 0  # samples, the lost ones too
        self._lost = False
        self._stopped = False
        self.sample_rate, self._stream = self._open(sample_rate, block_duration)

    def __enter__(self) -> Self:
        """Begin to record."""
        try:
            self._stream.start()
        except _sounddevice().PortAudioError as error:
            raise _device_error(error, self.device) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the device."""
        self._stream.close()

    def stop(self) -> None:
        """Record no more; iterating gives what is still waiting, and ends."""
        self._stopped = True
        with contextlib.suppress(_sounddevice().PortAudioError):  # of a device that is gone
            self._stream.stop()

    def __iter__(self) -> Iterator[Block]:
        """Give the blocks as they come, until `stop`."""
        silent_s = 0.0
        while True:
            try:
                block = self._queue.get(timeout=0.0 if self._stopped else _POLL_S)
            except queue.Empty:
                if self._stopped:
                    return
                silent_s += _POLL_S
                if not self._stream.active or silent_s >= _PATIENCE_S:
                    raise DeviceError(
                        f"a microphone must stay connected. Received: no more from {self.device.name!r}. "
                        "Connect it again, or choose another one from `vad listen --list-devices`."
                    ) from None
            else:
                silent_s = 0.0
                yield replace(block, samples=block.samples.mean(axis=1))

    def _open(self, sample_rate: int, block_duration: float) -> tuple[int, Any]:
        """Open the device at a rate, or else at the one it prefers; with one channel, or else with all."""
        sounddevice = _sounddevice()
        ways = [
            (rate, channels)
            for channels in (1, self.device.channels)
            for rate in (sample_rate, self.device.sample_rate)
        ]
        while True:
            rate, channels = ways.pop(0)
            try:
                return rate, sounddevice.InputStream(
                    device=self.device.index,
                    channels=channels,
                    samplerate=rate,
                    blocksize=round(block_duration * rate),
                    dtype="float32",
                    latency="low",
                    callback=self._hear,
                )
            except sounddevice.PortAudioError as error:
                if not ways or _code(error) not in _NOT_AT_THIS_RATE_OR_CHANNELS:
                    raise _device_error(error, self.device) from error

    def _hear(self, samples: npt.NDArray[np.float32], count: int, _times: Any, status: Any) -> None:
        """Take a block from PortAudio, in its thread: copy, and nothing else."""
        overflowed = self._lost or bool(status.input_overflow)
        block = Block(samples.copy(), overflowed, self._heard / self.sample_rate)
        self._heard += count
        try:
            self._queue.put_nowait(block)
            self._lost = False
        except queue.Full:
            self._lost = True


def list_devices() -> list[Device]:
    """The devices that can record.

    Raises:
        DeviceError: The PortAudio library is not installed.
    """
    sounddevice = _sounddevice()
    default = sounddevice.default.device[0]
    return [
        Device(
            index=device["index"],
            name=device["name"],
            channels=device["max_input_channels"],
            sample_rate=round(device["default_samplerate"]),
            is_default=device["index"] == default,
        )
        for device in sounddevice.query_devices()
        if device["max_input_channels"] > 0
    ]


def _sounddevice() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            f"a microphone needs the PortAudio library. Received: {error}. "
            "Install it: apt install libportaudio2, dnf install portaudio or brew install portaudio."
        ) from error
    except Exception as error:  # its own kind, which cannot be named before it is there
        raise DeviceError(
            f"PortAudio must start. Received: {error}. See that the sound system runs, such as PulseAudio or ALSA."
        ) from error
    return sounddevice


def _find(wanted: int | str | None) -> Device:
    """The one device that `wanted` means."""
    devices = list_devices()
    if not devices:
        raise DeviceError(
            "listening needs a microphone. Received: no device that can record. Connect one, and see "
            "`vad listen --list-devices`."
        )
    if wanted is None:
        found = [device for device in devices if device.is_default] or devices[:1]
    elif isinstance(wanted, int):
        found = [device for device in devices if device.index == wanted]
    elif not isinstance(wanted, str):
        raise ConfigError(f"device must be a number or a name. Received: device={shown(wanted)}.")
    else:
        found = [device for device in devices if device.name == wanted] or [
            device for device in devices if wanted.lower() in device.name.lower()
        ]
    if len(found) != 1:
        known = ", ".join(f"{device.index} {device.name!r}" for device in devices)
        raise DeviceError(
            f"device must be the number of one of these or a part of its name alone: {known}. "
            f"Received: device={wanted!r}."
        )
    return found[0]


def _code(error: Exception) -> int | None:
    """PortAudio's number for an error."""
    return error.args[1] if len(error.args) > 1 else None


def _device_error(error: Exception, device: Device) -> DeviceError:
    if _code(error) == _DEVICE_UNAVAILABLE:
        return DeviceError(
            f"a microphone must be free. Received: {device.name!r} is in use. "
            "Close the program that uses it, or choose another one from `vad listen --list-devices`."
        )
    return DeviceError(
        f"a microphone must open. Received: {device.name!r} with {error.args[0] if error.args else error}. "
        "Choose another one from `vad listen --list-devices`."
    )
