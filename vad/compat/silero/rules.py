"""The rules by which silero-vad 6.2 makes segments of the probabilities of windows.

Source: `get_speech_timestamps_from_probs` of https://github.com/snakers4/silero-vad (MIT License).

They differ from `vad.detection.segmenter`: a silence counts from its first window on, and long speech is cut at a
silence inside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Rules", "padded"]

Spans = list[tuple[float, float]]


@dataclass
class Rules:
    """Silero's options, in samples where they are durations."""

    window: float
    threshold: float
    neg_threshold: float
    min_speech: float
    max_speech: float
    min_silence: float
    min_silence_at_max_speech: float
    use_longest_silence: bool
    _spans: Spans = field(default_factory=list)
    _start: float | None = None

    def spans(self, probabilities: Iterable[float], length: float) -> Spans:
        """Starts and ends in samples, before padding, of a recording of `length` samples."""
        self._spans = []
        self._begin(None)
        for index, probability in enumerate(probabilities):
            self._step(index * self.window, probability)
        if self._start is not None and length - self._start > self.min_speech:
            self._spans.append((self._start, length))
        return self._spans

    def _begin(self, start: float | None) -> None:
        """Begin speech, or with None silence."""
        self._start = start
        self._silence: float | None = None  # where the present silence began
        self._silences: list[tuple[float, float]] = []  # the starts and lengths of those in the speech
        self._last_silence: float | None = None
        self._after_silence: float | None = None  # where speech came back

    def _step(self, now: float, probability: float) -> None:
        if probability >= self.threshold and self._silence is not None:
            if now - self._silence > self.min_silence_at_max_speech:
                self._silences.append((self._silence, now - self._silence))
            self._silence = None
            if self._last_silence is not None and (self._after_silence or 0) < self._last_silence:
                self._after_silence = now
        if self._start is None:
            if probability >= self.threshold:
                self._begin(now)
            return
        if now - self._start > self.max_speech:
            self._cut(self._start, now)
        if probability < self.neg_threshold and self._start is not None:
            self._be_silent(self._start, now)

    def _cut(self, start: float, now: float) -> None:
        """End speech that is too long, at a silence if there is one."""
        again: float | None
        if self.use_longest_silence and self._silences:
            end, length = max(self._silences, key=lambda silence: silence[1])
            again = end + length
        elif self._last_silence is not None:
            end = self._last_silence
            again = self._after_silence if (self._after_silence or 0) >= end else None
        else:
            end, again = now, None
        self._spans.append((start, end))
        self._begin(again)

    def _be_silent(self, start: float, now: float) -> None:
        if self._silence is None:
            self._silence = now
        if not self.use_longest_silence and now - self._silence > self.min_silence_at_max_speech:
            self._last_silence = self._silence
        if now - self._silence >= self.min_silence:
            if self._silence - start > self.min_speech:
                self._spans.append((start, self._silence))
            self._begin(None)


def padded(spans: Spans, pad: float, length: float) -> list[tuple[int, int]]:
    """Spans with padding on both sides: inside the recording, and a short silence is shared."""
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    for index, end in enumerate(ends):
        silence = starts[index + 1] - end if index + 1 < len(starts) else float("inf")
        after = silence // 2 if silence < 2 * pad else pad
        ends[index] = min(length, end + after)
        if index == 0:
            starts[0] = max(0, starts[0] - pad)
        if index + 1 < len(starts):
            starts[index + 1] = max(0, starts[index + 1] - after)
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
