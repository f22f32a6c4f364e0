"""What decoders raise for recordings that they cannot read, or not to the end."""

from vad.errors import AudioError

__all__ = ["RefusedError", "cut_off"]


class RefusedError(Exception):
    """A decoder cannot read this. The message is its reason."""


def cut_off(name: str, decoded_s: float, stated_s: float | None, reason: str) -> AudioError:
    """Make the error for a recording of which only the first seconds could be decoded."""
    stated = "" if stated_s is None or stated_s <= decoded_s else f" of {stated_s:.2f} s"
    return AudioError(
        f"{name}: cut off at {decoded_s:.2f} s{stated}: {reason}. Results cover the part before."
    )
