"""The segmenter: it turns speech probabilities, one per frame, into events and segments.

The order of its steps is fixed. In this drawing a character is a frame of 20 ms, threshold is 0.5, neg_threshold 0.35,
min_silence_duration_ms 80, min_speech_duration_ms 60, max_speech_duration_s 0.2 and speech_pad_ms 20:

    probability, in tenths   ..8954.4.996......8.......79999.9997......
    1 hysteresis             ..####...###......#.......#####.####......   on at 0.5, off below 0.35
    2 fill short silences    ..##########......#.......##########......   shorter than min_silence_duration_ms
    3 drop short speech      ..##########..............##########......   shorter than min_speech_duration_ms
    4 split long speech      ..aaaaaabbbb..............cccccddddd......   before the least probable frame
    5 pad                    .aaaaaaabbbbb............ccccccdddddd.....   inside the audio, over no neighbour

Rules that the drawing does not show:

- ``max_speech_duration_s`` limits the padded segment: 0.2 s leave 8 frames of speech between two pads of 20 ms. Longer
  speech is cut before its least probable frame (the latest of equals) in the second half of the allowed length. This is
  the rule of WhisperX (Bain et al., 2023, "Cut & Merge"). The last piece is not shorter than
  ``min_speech_duration_ms`` where the second half is long enough. The pieces touch.
- Where two pads would overlap, both end in the middle of the silence between them. Dropped speech does not change the
  padding of its neighbours.
- Events depend on the frames so far, never on how they were divided into calls. An end is therefore withheld until no
  later start can share its padding: for ``min_silence_duration_ms`` or twice ``speech_pad_ms``, whichever is longer.
  A start that would share this padding is withheld until it is certain. So starts and ends alternate.
- Frames are taken in runs of speech and of silence. Memory is constant; only with a ``max_speech_duration_s`` are the
  probabilities of that many seconds kept.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vad.detection.hysteresis import Hysteresis
from vad.detection.options import SegmentOptions
from vad.detection.segments import Event, Segment, SpeechEnd, SpeechRejected, SpeechStart
from vad.errors import ConfigError, require, require_number, shown

__all__ = ["Segmenter", "segments_from_probabilities"]

_ROUNDING = 1e-9  # 0.14 s / 0.02 s is 7.000000000000001, and means 7 frames


@dataclass(slots=True)
class _Speech:
    """Speech with its short silences filled, or the last piece of it after a split."""

    first_frame: int
    end_frame: int  # the frame after its last speech frame so far
    start: float  # padded, in seconds
    announced: bool = False
    certain: bool = False  # long enough to become a segment
    probabilities: list[float] = field(default_factory=list)  # from first_frame on; kept only for splits


class Segmenter:
    """Turn probabilities into events, as they come. The module's docstring draws the steps.

    Args:
        options: Thresholds and durations.
        frame_duration: Seconds of audio per probability, above 0.
        confirm_start: Withhold `SpeechStart` until it is certain. Then there is no `SpeechRejected`.
        delay: Seconds of audio past its frame that a probability needs; added to `decided_at`.

    Attributes:
        frames: Number of frames so far.

    Raises:
        ConfigError: `frame_duration` or `delay` is out of range, or `max_speech_duration_s` cannot hold one frame
            between two pads.
    """

    def __init__(
        self,
        options: SegmentOptions,
        frame_duration: float,
        *,
        confirm_start: bool = False,
        delay: float = 0.0,
    ) -> None:
        if not isinstance(options, SegmentOptions):
            raise ConfigError(f"options must be SegmentOptions. Received: options={shown(options)}.")
        require(
            0 < require_number("frame_duration", frame_duration) < math.inf,
            "frame_duration must be more than 0 seconds",
            frame_duration=frame_duration,
        )
        require(
            0 <= require_number("delay", delay) < math.inf, "delay must be 0 seconds or more", delay=delay
        )
        self.frame_duration = frame_duration
        self.confirm_start = confirm_start
        self.delay = delay
        self._hysteresis = Hysteresis(options.threshold, options.release_threshold)
        self._pad = options.speech_pad_ms / 1000
        self._min_speech = max(1, self._frames_lasting(options.min_speech_duration_ms / 1000))
        self._min_silence = max(1, self._frames_lasting(options.min_silence_duration_ms / 1000))
        # Two pads overlap in a silence of fewer frames than this.
        self._shared_silence = self._frames_lasting(2 * self._pad)
        # After this much silence an end is final: no later start can share its padding, and the audio cannot end
        # inside the padding, not even within its last frame.
        pad_inside_audio = self._frames_lasting(self._pad) + 1 if self._pad > 0 else 0
        self._settling_silence = max(self._shared_silence, pad_inside_audio)
        self._max_speech = self._longest_speech(options.max_speech_duration_s)
        self.reset()

    def reset(self) -> None:
        """Start a new recording."""
        self.frames = 0
        self._hysteresis.reset()
        self._speech: _Speech | None = None
        self._withheld: _Speech | None = None  # ended, but its padding is not final
        self._last_end = 0.0  # seconds; padding starts no earlier
        self._events: list[Event] = []

    def feed(self, probabilities: Iterable[float]) -> list[Event]:
        """Take the next frames.

        Args:
            probabilities: Of any number of frames, 0 to 1. [shape=(frames,)]

        Returns:
            The events that these frames decide, in order. There may be none.

        Raises:
            ModelError: A value is not a probability. None of these frames was used.
        """
        for is_speech, run in self._hysteresis.feed(probabilities):
            if is_speech:
                self._speak(run)
            else:
                self._fall_silent(run)
        events, self._events = self._events, []
        return events

    def finish(self, duration: float | None = None) -> list[Event]:
        """End the recording, and reset for the next one.

        Args:
            duration: Seconds of audio, which end inside the last frame; None is all frames in full.

        Returns:
            The last events.

        Raises:
            ConfigError: `duration` does not end inside the last frame.
        """
        end = self.frames * self.frame_duration
        if duration is not None:
            seconds = require_number("duration", duration)
            reached = (self.frames - 1) * self.frame_duration < seconds < math.inf
            require(reached, f"duration must reach into the last of {self.frames} frames", duration=duration)
            end = duration
        if self._speech is not None:
            self._close(self._speech)
        if self._withheld is not None:
            self._emit_end(self._withheld, min(self._padded_end(self._withheld), end))
        events = self._events
        self.reset()
        return events

    def _frames_lasting(self, duration: float) -> int:
        """Number of frames that last at least this many seconds."""
        return math.ceil(duration / self.frame_duration - _ROUNDING)

    def _longest_speech(self, limit: float) -> float:
        """Number of frames that fit into `max_speech_duration_s` between two pads."""
        longest = (limit - 2 * self._pad) / self.frame_duration + _ROUNDING
        rule = f"max_speech_duration_s must hold {self.frame_duration} s between two pads of {self._pad} s"
        require(longest >= 1, rule, max_speech_duration_s=limit)
        return longest if math.isinf(longest) else math.floor(longest)

    def _fall_silent(self, run: npt.NDArray[np.float64]) -> None:
        """Take a run of silence. It may end the speech, and then the wait of an end that is withheld."""
        end = self.frames + len(run)
        speech = self._speech
        if speech is not None:
            self._keep(speech, run)
            closed = speech.end_frame + self._min_silence
            self.frames = min(closed, end)
            if closed <= end:
                self._close(speech)
        ended = self._withheld
        if self._speech is None and ended is not None:
            settled = max(self.frames, ended.end_frame + self._settling_silence)
            if settled <= end:
                self.frames = settled
                self._emit_end(ended, self._padded_end(ended))
        self.frames = end

    def _speak(self, run: npt.NDArray[np.float64]) -> None:
        """Take a run of speech. With the short silence before it, it opens or extends the speech."""
        end = self.frames + len(run)
        self.frames += 1
        speech = self._speech = self._speech or self._open(self.frames - 1)
        self._keep(speech, run)
        certain = max(self.frames, speech.first_frame + self._min_speech)
        if not speech.certain and certain <= end:
            self.frames = speech.end_frame = certain
            self._make_certain(speech)
        while speech.certain and end - speech.first_frame > self._max_speech:
            self.frames = max(self.frames, speech.first_frame + int(self._max_speech) + 1)
            self._split(speech)
        self.frames = speech.end_frame = end

    def _keep(self, speech: _Speech, run: npt.NDArray[np.float64]) -> None:
        if self._max_speech < math.inf:
            speech.probabilities += run.tolist()

    def _open(self, frame: int) -> _Speech:
        """Begin speech at a frame. The end before it limits its padding."""
        before = self._withheld
        if before is not None and frame - before.end_frame >= self._shared_silence:
            self._emit_end(before, self._padded_end(before))
            before = None
        if before is None:
            start = max(frame * self.frame_duration - self._pad, self._last_end)
        else:
            start = (before.end_frame + frame) / 2 * self.frame_duration
        speech = _Speech(first_frame=frame, end_frame=frame, start=start)
        if before is None and not self.confirm_start:
            self._announce(speech)
        return speech

    def _make_certain(self, speech: _Speech) -> None:
        """Take the speech as long enough: the end before it becomes final."""
        speech.certain = True
        if self._withheld is not None:
            self._emit_end(self._withheld, speech.start)
        if not speech.announced:
            self._announce(speech)

    def _split(self, speech: _Speech) -> None:
        """Cut before the least probable frame of the second half."""
        longest = int(self._max_speech)
        earliest = (longest + 1) // 2
        latest = max(earliest, min(longest, longest + 1 - self._min_speech))
        cut = min(range(latest, earliest - 1, -1), key=speech.probabilities.__getitem__)
        boundary = (speech.first_frame + cut) * self.frame_duration
        self._emit_end(speech, boundary)
        speech.first_frame += cut
        speech.start = boundary
        del speech.probabilities[:cut]
        self._announce(speech)

    def _close(self, speech: _Speech) -> None:
        """End the speech after enough silence: withhold its end, or drop it."""
        self._speech = None
        if speech.certain:
            self._withheld = speech
        elif speech.announced:
            self._events.append(SpeechRejected(speech.start, self._decided_at()))

    def _padded_end(self, speech: _Speech) -> float:
        return speech.end_frame * self.frame_duration + self._pad

    def _announce(self, speech: _Speech) -> None:
        speech.announced = True
        self._events.append(SpeechStart(speech.start, self._decided_at()))

    def _emit_end(self, speech: _Speech, end: float) -> None:
        self._withheld = None
        self._last_end = end
        self._events.append(SpeechEnd(Segment(speech.start, end), end, self._decided_at()))

    def _decided_at(self) -> float:
        return self.frames * self.frame_duration + self.delay


def segments_from_probabilities(
    probabilities: Iterable[float],
    frame_duration: float,
    options: SegmentOptions,
    duration: float | None = None,
) -> list[Segment]:
    """Turn the probabilities of a whole recording into segments, as `Detector.process` does.

    Args:
        probabilities: Of speech, one per frame, 0 to 1. [shape=(frames,)]
        frame_duration: Seconds of audio per probability, above 0.
        options: Thresholds and durations.
        duration: Seconds of audio, which end inside the last frame; None is all frames in full.

    Returns:
        The segments in order.

    Raises:
        ModelError: A value is not a probability.
        ConfigError: `frame_duration` is not above 0, or `duration` does not end inside the last frame.
    """
    segmenter = Segmenter(options, frame_duration)
    events = segmenter.feed(probabilities)
    events += segmenter.finish(duration) if segmenter.frames else []
    return [event.segment for event in events if isinstance(event, SpeechEnd)]
