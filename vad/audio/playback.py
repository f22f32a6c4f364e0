"""Play recordings at the loudspeaker that the system chooses."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from vad.audio.portaudio import (
    DEVICE_UNAVAILABLE,
    INVALID_RATE_OR_CHANNELS,
    error_code,
    error_reason,
    load_sounddevice,
)
from vad.audio.resampling import conform
from vad.audio.samples import Samples
from vad.errors import DeviceError

__all__ = ["Player"]

_PIECE_S = 0.1  # Ctrl-C waits for one


class Player:
    """Plays blocks of samples, and waits until they are over.

    Raises:
        DeviceError: No device can play, or the PortAudio library is not installed.
    """

    def __init__(self) -> None:
        sounddevice = load_sounddevice()
        devices = [one for one in sounddevice.query_devices() if one["max_output_channels"] > 0]
        default = sounddevice.default.device[1]
        chosen = [one for one in devices if one["index"] == default] or devices[:1]
        if not chosen:
            raise DeviceError("no device can play. Connect a loudspeaker or headphones.")
        (self._device,) = chosen

    def play(self, blocks: Iterable[Samples], sample_rate: int, channels: int) -> None:
        """Play. A device that does not have this rate, or so many channels, gets mono at its own rate.

        Args:
            blocks: In [-1, 1]. [shape=(samples, channels)]
            sample_rate: In Hz.
            channels: Number of channels.

        Raises:
            DeviceError: The device is in use, or gone.
        """
        stream: Any = None
        try:
            stream, rate, count = self._open(sample_rate, channels)
            length = round(_PIECE_S * rate)
            stream.start()
            for block in conform(((sample_rate, block) for block in blocks), rate, count):
                for start in range(0, len(block), length):
                    stream.write(np.ascontiguousarray(block[start : start + length]))
            stream.stop()  # after all is played
        except load_sounddevice().PortAudioError as error:
            name = self._device["name"]
            if error_code(error) == DEVICE_UNAVAILABLE:
                raise DeviceError(
                    f"the loudspeaker {name!r} is in use. Close the program that uses it."
                ) from error
            raise DeviceError(
                f"the loudspeaker {name!r} does not play: {error_reason(error)}. Connect it again, or choose another "
                "one in the settings of the system."
            ) from error
        finally:
            if stream is not None:
                stream.close()

    def _open(self, sample_rate: int, channels: int) -> tuple[Any, int, int]:
        """Open the device: a stream, its rate and its channels."""
        sounddevice = load_sounddevice()
        settings: dict[str, Any] = {"device": self._device["index"], "dtype": "float32"}
        try:
            stream = sounddevice.OutputStream(samplerate=sample_rate, channels=channels, **settings)
        except sounddevice.PortAudioError as error:
            if error_code(error) not in INVALID_RATE_OR_CHANNELS:
                raise
            sample_rate, channels = round(self._device["default_samplerate"]), 1
            stream = sounddevice.OutputStream(samplerate=sample_rate, channels=channels, **settings)
        return stream, sample_rate, channels
