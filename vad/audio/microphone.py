"""The microphone as an iterator over blocks, through PortAudio and its Python package sounddevice.

PortAudio's callback copies each block into a bounded queue, from which the iterator takes it. If the iterator is too
slow, whole blocks are lost, and the next block has `overflowed` set.
"""

import contextlib
import itertools
import math
import queue
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.portaudio import (
    DEVICE_UNAVAILABLE,
    INVALID_RATE_OR_CHANNELS,
    error_code,
    error_reason,
    load_sounddevice,
)
from vad.errors import ConfigError, DeviceError, require, require_number, shown

__all__ = ["Block", "Device", "Microphone", "list_devices"]

Samples: TypeAlias = npt.NDArray[np.float32]

_POLL_S = 0.25
_PATIENCE_S = 5.0
_LIST = "`vad listen --list-devices`"


@dataclass(frozen=True, slots=True)
class Device:
    """An input device.

    Attributes:
        index: Its number, which may change when devices come and go.
        name: Its name.
        channels: Its number of channels.
        sample_rate: The rate it prefers, in Hz.
        is_default: Whether the system chooses it.
    """

    index: int
    name: str
    channels: int
    sample_rate: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A block of audio.

    Attributes:
        samples: Mono, in [-1, 1]: the mean of the device's channels. [shape=(samples,)]
        overflowed: Audio before this block was lost, because the program was too slow.
        time: Seconds from the first block to this one; blocks that the queue lost count.
    """

    samples: Samples
    overflowed: bool
    time: float


class Microphone:
    """An open input device. Iterate over it in a `with` statement.

    Args:
        device: Its number, or a part of its name that no other has; None is the system's choice.
        sample_rate: In Hz. A device that does not have this rate, or mono, is opened at its own rate, or with all its
            channels.
        block_duration: Seconds per block, 0.01 to 0.1.
        queue_duration: Seconds of audio that may wait in the queue.

    Attributes:
        device: The open `Device`.
        sample_rate: The rate of the blocks, in Hz.

    Raises:
        ConfigError: A value is out of its range, or has a wrong type.
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
            require(0 < require_number(name, value) < math.inf, f"{name} must be above 0", **{name: value})
        require(
            0.01 <= require_number("block_duration", block_duration) <= 0.1,
            "block_duration must be between 0.01 and 0.1 seconds",
            block_duration=block_duration,
        )
        self.device = _find(device)
        self._queue: queue.Queue[Block] = queue.Queue(max(1, round(queue_duration / block_duration)))
        self._length = 0  # samples, the lost ones too
        self._lost = False
        self._stopped = False
        self.sample_rate, self._stream = self._open(sample_rate, block_duration)

    def __enter__(self) -> Self:
        """Start to record."""
        try:
            self._stream.start()
        except load_sounddevice().PortAudioError as error:
            raise _device_error(error, self.device) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close the device."""
        self._stream.close()

    def stop(self) -> None:
        """Stop recording. The iterator gives the blocks that still wait, and ends."""
        self._stopped = True
        with contextlib.suppress(load_sounddevice().PortAudioError):  # of a device that is gone
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
                        f"the microphone {self.device.name!r} stopped. Connect it again, or choose from {_LIST}."
                    ) from None
            else:
                silent_s = 0.0
                yield replace(block, samples=block.samples.mean(axis=1))

    def _open(self, sample_rate: int, block_duration: float) -> tuple[int, Any]:
        """Open the device: mono, else with all channels; at this rate, else at the one it prefers."""
        sounddevice = load_sounddevice()
        failure: Any = None
        for channels, rate in itertools.product(
            (1, self.device.channels), (sample_rate, self.device.sample_rate)
        ):
            try:
                return rate, sounddevice.InputStream(
                    device=self.device.index,
                    channels=channels,
                    samplerate=rate,
                    blocksize=round(block_duration * rate),
                    dtype="float32",
                    latency="low",
                    callback=self._receive,
                )
            except sounddevice.PortAudioError as error:
                failure = error
                if error_code(error) not in INVALID_RATE_OR_CHANNELS:
                    break
        raise _device_error(failure, self.device) from failure

    def _receive(self, samples: Samples, count: int, _times: Any, status: Any) -> None:
        """Take a block from PortAudio, in its thread, which must not wait."""
        overflowed = self._lost or bool(status.input_overflow)
        block = Block(samples.copy(), overflowed, self._length / self.sample_rate)
        self._length += count
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
    sounddevice = load_sounddevice()
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


def _find(wanted: int | str | None) -> Device:
    """The one device with this number or name."""
    if not isinstance(wanted, int | str | None):
        raise ConfigError(f"device must be a number or a name. Received: device={shown(wanted)}.")
    devices = list_devices()
    if not devices:
        raise DeviceError(f"no device can record. Connect a microphone, and check it with {_LIST}.")
    if wanted is None:
        matching = [device for device in devices if device.is_default] or devices[:1]
    elif isinstance(wanted, int):
        matching = [device for device in devices if device.index == wanted]
    else:
        matching = [device for device in devices if device.name == wanted] or [
            device for device in devices if wanted.lower() in device.name.lower()
        ]
    if len(matching) != 1:
        known = ", ".join(f"{device.index} {device.name!r}" for device in devices)
        raise DeviceError(
            f"device must be the number or a part of the name of exactly one of these: {known}. "
            f"Received: device={wanted!r}."
        )
    return matching[0]


def _device_error(error: Exception, device: Device) -> DeviceError:
    if error_code(error) == DEVICE_UNAVAILABLE:
        return DeviceError(
            f"the microphone {device.name!r} is in use. Close the program that uses it, or choose from {_LIST}."
        )
    return DeviceError(
        f"the microphone {device.name!r} does not open: {error_reason(error)}. Choose another from {_LIST}."
    )
