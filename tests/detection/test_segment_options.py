"""The options of segments, and what the segmenter refuses."""

import math
from typing import Any

import numpy as np
import pytest

from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter
from vad.detection.segments import SpeechStart
from vad.errors import ConfigError, ModelError

FRAME = 0.02
BARE = SegmentOptions(
    threshold=0.5, neg_threshold=0.35, min_speech_duration_ms=0, min_silence_duration_ms=0, speech_pad_ms=0
)


def test_defaults() -> None:
    options = SegmentOptions()
    assert (options.threshold, options.release_threshold) == (0.5, pytest.approx(0.35))
    assert (options.min_speech_duration_ms, options.min_silence_duration_ms) == (100, 150)
    assert (options.speech_pad_ms, options.max_speech_duration_s) == (30, math.inf)


@pytest.mark.parametrize(
    ("threshold", "release"), [(0.5, 0.35), (0.1, 0.01), (0.16, 0.01), (0.005, 0.005), (0.0, 0.0)]
)
def test_the_lower_threshold_that_none_stands_for(threshold: float, release: float) -> None:
    assert SegmentOptions(threshold=threshold).release_threshold == pytest.approx(release)


def test_zero_is_a_value() -> None:
    assert SegmentOptions(neg_threshold=0.0).release_threshold == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.5}, r"^threshold.*0.*1.*threshold=1\.5"),
        ({"threshold": math.nan}, "threshold.*threshold=nan"),
        ({"threshold": "0.5"}, r"threshold.*threshold='0\.5'"),
        ({"threshold": True}, "threshold"),
        ({"threshold": None}, "threshold"),
        ({"neg_threshold": 0.6}, r"neg_threshold.*0.*threshold=0\.5.*0\.6"),
        ({"neg_threshold": -0.1}, "neg_threshold"),
        ({"neg_threshold": math.nan}, "neg_threshold"),
        ({"min_speech_duration_ms": -1}, "min_speech_duration_ms.*0"),
        ({"min_silence_duration_ms": math.inf}, "min_silence_duration_ms"),
        ({"speech_pad_ms": math.nan}, "speech_pad_ms"),
        ({"max_speech_duration_s": 0}, "max_speech_duration_s.*0"),
        ({"max_speech_duration_s": math.nan}, "max_speech_duration_s.*0"),
        (
            {"treshold": 0.4},
            r"treshold=0\.4.*threshold",
        ),
        ({"pad": 30}, "speech_pad_ms"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SegmentOptions.from_dict(options)
    with pytest.raises(ConfigError, match=message):
        SegmentOptions().replace(**options)


def test_a_threshold_moved_alone_takes_its_hysteresis_along() -> None:
    options = SegmentOptions(threshold=0.6, neg_threshold=0.5)
    assert options.replace(threshold=0.4).neg_threshold == pytest.approx(0.3)
    assert options.replace(threshold=0.05).neg_threshold == 0.0
    assert options.replace(threshold=0.4, neg_threshold=0.1).neg_threshold == 0.1
    assert options.replace(threshold=0.4, neg_threshold=None).neg_threshold is None


def test_replace_keeps_the_rest() -> None:
    options = SegmentOptions.from_dict({"threshold": 0.7, "speech_pad_ms": 10})
    assert options.replace(speech_pad_ms=0) == SegmentOptions(threshold=0.7, speech_pad_ms=0)


@pytest.mark.parametrize(
    ("frame_duration", "options", "message"),
    [
        (0.0, {}, "frame_duration.*0"),
        (math.nan, {}, "frame_duration.*0"),
        (FRAME, {"max_speech_duration_s": 0.07}, r"max_speech_duration_s.*0\.02"),
    ],
)
def test_bad_arguments_are_refused(frame_duration: float, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Segmenter(SegmentOptions(**options), frame_duration)


@pytest.mark.parametrize("delay", [-0.1, math.nan, math.inf])
def test_a_bad_delay_is_refused(delay: float) -> None:
    with pytest.raises(ConfigError, match=r"delay.*0"):
        Segmenter(SegmentOptions(), FRAME, delay=delay)


@pytest.mark.parametrize("value", [math.nan, -0.1, 1.1, math.inf])
def test_a_wrong_probability_is_refused_before_any_frame_is_used(value: float) -> None:
    segmenter = Segmenter(BARE, FRAME)
    segmenter.feed([0.0])
    with pytest.raises(ModelError, match=r"0.*1.*\(frame 2\)"):
        segmenter.feed([1.0, value])
    assert segmenter.feed([1.0]) == [SpeechStart(FRAME, 2 * FRAME)]


@pytest.mark.parametrize("values", [0.5, None, [None], ["loud"], [[0.1, 0.2]], np.zeros((1, 2))])
def test_what_is_no_row_of_numbers_is_refused(values: Any) -> None:
    with pytest.raises(ModelError, match="probabilities must be numbers"):
        Segmenter(BARE, FRAME).feed(values)


@pytest.mark.parametrize("duration", [0.02, math.nan, math.inf, -1.0])
def test_a_duration_before_the_last_frame_is_refused(duration: float) -> None:
    segmenter = Segmenter(BARE, FRAME)
    segmenter.feed([1.0, 1.0])
    with pytest.raises(ConfigError, match=r"duration.*2"):
        segmenter.finish(duration)
