"""Recordings, pipes and microphones: samples at the model's rate, block by block."""


def __getattr__(name: str) -> object:
    """Return `read_audio`, its place in 0.1.0, with a DeprecationWarning. The next release removes it."""
    if name != "read_audio":
        raise AttributeError(f"module 'vad.audio' has no attribute {name!r}")
    import warnings

    from vad.audio.reading import read_audio

    warnings.warn("vad.audio.read_audio is now vad.read_audio", DeprecationWarning, stacklevel=2)
    return read_audio
