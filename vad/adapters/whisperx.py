"""whisperX: `whisperx.load_model(..., vad_model=VAD(detector))`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vad.adapters import client, given_or_default
from vad.compat.silero.audio import mono
from vad.detection.detector import Detector

with client("whisperx"):
    from whisperx.vads import Vad

__all__ = ["VAD", "Segment"]


@dataclass(frozen=True)
class Segment:
    """A segment as whisperX merges it, in seconds."""

    start: float
    end: float
    speaker: str = "UNKNOWN"


class VAD(Vad):
    """Finds the speech that whisperX merges into chunks for Whisper.

    Args:
        detector: None is one with the default model.
        chunk_size: The longest segment in seconds; longer speech is split where it is least probable.
    """

    def __init__(self, detector: Detector | None = None, *, chunk_size: float = 30.0):
        detector = given_or_default(detector)
        super().__init__(detector.options.threshold)
        options = asdict(detector.options.replace(max_speech_duration_s=chunk_size))
        self.detector = Detector(detector.model, lookahead=detector.lookahead, **options)

    def __call__(self, audio: Mapping[str, Any], **_: object) -> list[Segment]:
        """Detect the speech in `audio["waveform"]` at `audio["sample_rate"]`."""
        segments = self.detector.detect(mono(audio["waveform"]), audio["sample_rate"])
        return [Segment(segment.start, segment.end) for segment in segments]

    @staticmethod
    def preprocess_audio(audio: Any) -> Any:
        """The samples as they are."""
        return audio

    @staticmethod
    def merge_chunks(
        segments: list[Segment], chunk_size: float, onset: float = 0.5, offset: float | None = None
    ) -> Any:
        """Merge as whisperX does."""
        return Vad.merge_chunks(segments, chunk_size, onset, offset) if segments else []
