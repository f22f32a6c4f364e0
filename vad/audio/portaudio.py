"""PortAudio, through its Python package sounddevice: for the microphone, and to play."""

from typing import Any

from vad.errors import DeviceError

__all__ = [
    "DEVICE_UNAVAILABLE",
    "INVALID_RATE_OR_CHANNELS",
    "error_code",
    "error_reason",
    "load_sounddevice",
]

# Numbers of PaErrorCode.
DEVICE_UNAVAILABLE = -9985
INVALID_RATE_OR_CHANNELS = (-9997, -9998)


def load_sounddevice() -> Any:
    """Import sounddevice.

    Raises:
        DeviceError: The PortAudio library is not installed, or does not start.
    """
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            f"microphones and loudspeakers need the PortAudio library: {error}. "
            "Install it: apt install libportaudio2, dnf install portaudio or brew install portaudio."
        ) from error
    except Exception as error:  # PortAudioError, which cannot be named before the import
        raise DeviceError(
            f"PortAudio does not start: {error}. Check the sound system, such as PulseAudio or ALSA."
        ) from error
    return sounddevice


def error_code(error: Exception) -> int | None:
    """PortAudio's number of an error."""
    return error.args[1] if len(error.args) > 1 else None


def error_reason(error: Exception) -> object:
    """PortAudio's words for an error."""
    return error.args[0] if error.args else error
