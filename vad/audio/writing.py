"""Write audio files of any format that libsndfile writes, block by block."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from vad.audio.samples import Samples
from vad.errors import ConfigError
from vad.files import writing

__all__ = ["WRITTEN_SUFFIXES", "as_stored", "check_suffix", "write_audio"]

_FORMATS = {
    ".wav": ("WAV", None),
    ".flac": ("FLAC", None),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".aiff": ("AIFF", None),
    ".aif": ("AIFF", None),
    ".au": ("AU", None),
    ".caf": ("CAF", None),
    ".w64": ("W64", None),
}  # libsndfile's format, and its sample format where there is no choice

WRITTEN_SUFFIXES = tuple(_FORMATS)
"""The suffixes of audio files that can be written."""

# Sample formats that are kept, with their bytes. Compressed ones are written as PCM_16.
_DEPTHS = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_MAX_WAV_BYTES = 2**32 - 1_000
_SYSTEM_ERROR = "System error"  # libsndfile's word for whatever the system refuses
_MAYBE_FULL = "the disk may be full"


def check_suffix(path: str | os.PathLike[str], name: str) -> None:
    """Check that an audio file can be written in the format of its suffix.

    Args:
        path: The file.
        name: The option or the argument that names it.

    Raises:
        ConfigError: It cannot.
    """
    if Path(path).suffix.lower() not in WRITTEN_SUFFIXES:
        raise ConfigError(
            f"{name} must end in one of {', '.join(WRITTEN_SUFFIXES)}. Received: {os.fspath(path)}."
        )


def write_audio(
    path: Path, blocks: Iterable[Samples], sample_rate: int, channels: int, subtype: str, duration: float
) -> None:
    """Write a file, whole or not at all. Its suffix chooses the format.

    Args:
        path: Ends in one of `WRITTEN_SUFFIXES`.
        blocks: In [-1, 1]. [shape=(samples, channels)]
        sample_rate: In Hz.
        channels: Number of channels.
        subtype: libsndfile's name of the sample format of the original. It is kept where the format has it.
        duration: Seconds, which decide whether a WAV file needs RF64.

    Raises:
        ConfigError: The file cannot be written, or the format does not take this sample rate or so many channels.
    """
    import soundfile  # late: what asks for the suffixes alone need not load it

    from vad.audio.libsndfile import reason_of

    kind, only = _FORMATS[path.suffix.lower()]
    stored = only or _subtype(kind, subtype)
    if kind == "WAV" and duration * sample_rate * channels * _DEPTHS[stored] > _MAX_WAV_BYTES:
        kind = "RF64"
    with writing(path) as temporary:
        open(temporary, "wb").close()  # its error gives the reason, libsndfile's does not
        try:
            # As bytes: soundfile encodes a str strictly, and not every name is UTF-8.
            target = os.fsencode(temporary) if os.name == "posix" else temporary
            file = soundfile.SoundFile(target, "w", sample_rate, channels, stored, format=kind)
        except soundfile.LibsndfileError as error:
            if reason_of(error) == _SYSTEM_ERROR:
                raise OSError(_MAYBE_FULL) from error
            shape = f"{channels} channel{'s' * (channels > 1)} at {sample_rate} Hz"
            raise ConfigError(
                f"cannot write {path}: {path.suffix} does not take {shape} ({reason_of(error)}). Write .wav or .flac."
            ) from error
        try:
            with file:
                for block in blocks:
                    file.write(as_stored(block, stored))
        except soundfile.LibsndfileError as error:
            reason = reason_of(error)
            raise OSError(_MAYBE_FULL if reason == _SYSTEM_ERROR else reason) from error


def as_stored(samples: Samples, subtype: str) -> Any:
    """Scale samples to the integers of a file. libsndfile would scale by one step less."""
    if subtype in ("PCM_S8", "PCM_U8", "PCM_16"):
        return np.clip(np.rint(samples * 2.0**15), -(2**15), 2**15 - 1).astype(np.int16)
    if subtype in ("PCM_24", "PCM_32"):  # 2**31 - 1 is no float32
        return np.clip(np.rint(samples.astype(np.float64) * 2.0**31), -(2**31), 2**31 - 1).astype(np.int32)
    return samples


def _subtype(kind: str, original: str) -> str:
    """Choose the sample format that loses nothing, or the nearest one."""
    import soundfile

    kept = (original,) if original in _DEPTHS else ()
    deep = ("PCM_24",) if original in ("PCM_32", "FLOAT", "DOUBLE") else ()
    return next((one for one in (*kept, *deep) if soundfile.check_format(kind, one)), "PCM_16")
