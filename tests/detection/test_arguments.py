"""Every wrong argument of a public function is an error of ours, in one line."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.bursts import RATE, bursts

import vad
from vad import compat
from vad.detection.detector import Detector
from vad.detection.options import SegmentOptions

OPTIONS = SegmentOptions()


class GradTensor:
    """As torch's tensors that require grad: no array until they are detached."""

    def __init__(self, values: np.ndarray):
        self.values, self.shape, self.ndim = values, values.shape, values.ndim

    def __array__(self, *_: Any) -> np.ndarray:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad.\nUse tensor.detach().numpy() instead."
        )

    def detach(self) -> np.ndarray:
        return self.values


class Arrayless:
    def __array__(self, *_: Any) -> np.ndarray:
        raise RuntimeError("no array\nat all")


def listen(detector: Detector, source: Any) -> None:
    async def events() -> None:
        async for _ in detector.listen(source):
            pass

    asyncio.run(events())


def keeping(detector: Detector) -> vad.Stream:
    stream = detector.stream(keep_audio_s=1.0)
    stream.feed(bursts())
    return stream


def closed() -> io.BytesIO:
    stream = io.BytesIO(b"RIFF")
    stream.close()
    return stream


def detached() -> io.BufferedReader:
    stream = io.BufferedReader(io.BytesIO(b"RIFF"))  # type: ignore[arg-type]
    stream.detach()
    return stream


Call = Callable[[Detector], object]

CALLS: dict[str, Call] = {
    # files
    "file: bytes": lambda d: d.detect_file(b"a.wav"),
    "file: None": lambda d: d.detect_file(None),
    "file: number": lambda d: d.detect_file(5),
    "file: samples": lambda d: d.detect_file(bursts()),
    "file: text stream": lambda d: d.detect_file(io.StringIO("abc")),
    "file: closed stream": lambda d: d.detect_file(closed()),
    "file: detached stream": lambda d: d.detect_file(detached()),
    "file: no such": lambda d: d.process(Path("no such.wav")),
    "file: NUL in its name": lambda d: d.process("a\0.wav"),
    "file: not audio": lambda d: d.process(io.BytesIO(b"not audio at all")),
    "file: with a rate": lambda d: d.process("a.wav", 16000),
    "read: closed stream": lambda d: vad.read_audio(closed()),
    "read: detached stream": lambda d: vad.read_audio(detached()),
    "read: None": lambda d: vad.read_audio(None),
    "read: rate": lambda d: vad.read_audio("a.wav", sample_rate="16000"),
    "read: channel": lambda d: vad.read_audio("a.wav", channel=1.5),
    "read: raw": lambda d: vad.read_audio(io.BytesIO(b"abcd"), raw="s16le"),
    # samples
    "process: None": lambda d: d.process(None),
    "process: number": lambda d: d.process(3.5, RATE),
    "process: bytes": lambda d: d.process(b"a.wav", RATE),
    "process: blocks of text": lambda d: d.process(iter(["abc"]), RATE),
    "process: function": lambda d: d.process(bursts, RATE),
    "process: no rate": lambda d: d.process(bursts()),
    "process: no rate of blocks": lambda d: d.process(iter([bursts()])),
    "process: channel": lambda d: d.process(bursts(), RATE, channel=1.5),
    "process: no such channel": lambda d: d.process(bursts(), RATE, channel=1),
    "process: bool channel": lambda d: d.process(bursts(), RATE, channel=True),
    "process: channel is an array": lambda d: d.process(bursts(), RATE, channel=np.zeros(2)),
    "detect: text": lambda d: d.detect("a.wav", RATE),
    "detect: None": lambda d: d.detect(None, RATE),
    "detect: ragged": lambda d: d.detect([[0.0], [0.0, 0.1]], RATE),
    "detect: whole numbers": lambda d: d.detect([1, 2, 3], RATE),
    "detect: complex": lambda d: d.detect(bursts() * 1j, RATE),
    "detect: three axes": lambda d: d.detect(np.zeros((2, 2, 2), np.float32), RATE),
    "detect: infinite": lambda d: d.detect([0.0, float("inf")], RATE),
    "detect: no array": lambda d: d.detect(Arrayless(), RATE),
    "detect: rate is text": lambda d: d.detect(bursts(), "16000"),
    "detect: rate is None": lambda d: d.detect(bursts(), None),
    "detect: rate is nan": lambda d: d.detect(bursts(), float("nan")),
    "detect: rate is a list": lambda d: d.detect(bursts(), [16000]),
    "detect: rate is complex": lambda d: d.detect(bursts(), 16000j),
    "probabilities: rate": lambda d: d.probabilities(bursts(), "16000"),
    # the detector
    "model: number": lambda d: Detector(123),
    "model: None": lambda d: Detector(None),
    "model: bytes": lambda d: Detector(b"default"),
    "model: no such": lambda d: Detector("nothing like it"),
    "model: list": lambda d: vad.Model.load(["default"]),
    "operating point: number": lambda d: Detector(d.model, 5),
    "operating point: list": lambda d: Detector(d.model, ["balanced"]),
    "option: text": lambda d: Detector(d.model, threshold="0.5"),
    "option: None": lambda d: Detector(d.model, threshold=None),
    "option: bool": lambda d: Detector(d.model, threshold=True),
    "option: huge": lambda d: Detector(d.model, threshold=10**400),
    "option: unknown": lambda d: Detector(d.model, treshold=0.5),
    "option: array": lambda d: Detector(d.model, speech_pad_ms=np.zeros(2)),
    "lookahead": lambda d: Detector(d.model, lookahead="yes"),
    "options: no mapping": lambda d: SegmentOptions.from_dict(5),
    "options: no names": lambda d: SegmentOptions.from_dict({5: 0.5}),
    "step: no array": lambda d: d.model.step([0.0], d.model.initial_state()),
    "step: no state": lambda d: d.model.step(np.zeros(d.model.frame_length, np.float32), None),
    # streams
    "stream: model": lambda d: vad.Stream("default", OPTIONS),
    "stream: rate": lambda d: d.stream("16000"),
    "stream: confirm_start": lambda d: d.stream(confirm_start="yes"),
    "stream: lookahead": lambda d: d.stream(lookahead="yes"),
    "stream: keep_audio_s": lambda d: d.stream(keep_audio_s="5"),
    "stream: keeps for ever": lambda d: d.stream(keep_audio_s=float("inf")),
    "stream: samples": lambda d: d.stream().feed("abc"),
    "stream: audio start": lambda d: keeping(d).audio("1"),
    "stream: audio nan": lambda d: keeping(d).audio(float("nan")),
    "stream: audio end": lambda d: keeping(d).audio(1.0, "2"),
    "stream: sharp ones are not copied": lambda d: d.stream(44100, lookahead=True).copy(),
    "listen: closed file": lambda d: listen(d, closed()),
    "listen: detached file": lambda d: listen(d, detached()),
    "listen: number": lambda d: listen(d, 5),
    "listen: one number": lambda d: listen(d, np.array(5.0)),
    "listen: None": lambda d: listen(d, None),
    # segments
    "segmenter: options": lambda d: vad.Segmenter("abc", 0.02),
    "segmenter: frame_duration": lambda d: vad.Segmenter(OPTIONS, "0.02"),
    "segmenter: frame_duration of 0": lambda d: vad.Segmenter(OPTIONS, 0),
    "segmenter: delay": lambda d: vad.Segmenter(OPTIONS, 0.02, delay="0"),
    "segmenter: no numbers": lambda d: vad.Segmenter(OPTIONS, 0.02).feed(["abc"]),
    "segmenter: number": lambda d: vad.Segmenter(OPTIONS, 0.02).feed(0.5),
    "segmenter: duration": lambda d: vad.Segmenter(OPTIONS, 0.02).finish("5"),
    "segments: None": lambda d: vad.segments_from_probabilities(None, 0.02, OPTIONS),
    "segments: two axes": lambda d: vad.segments_from_probabilities(np.zeros((2, 2)), 0.02, OPTIONS),
    "segments: above 1": lambda d: vad.segments_from_probabilities([1.5], 0.02, OPTIONS),
    "segments: nan": lambda d: vad.segments_from_probabilities([float("nan")], 0.02, OPTIONS),
    "segments: options": lambda d: vad.segments_from_probabilities([0.5], 0.02, {"threshold": 0.5}),
    "segments: duration": lambda d: vad.segments_from_probabilities([0.5], 0.02, OPTIONS, duration=0.0),
    # raw samples, labels, the microphone
    "raw: rate": lambda d: vad.RawFormat("16000"),
    "raw: channels": lambda d: vad.RawFormat(16000, "2"),
    "raw: encoding": lambda d: vad.RawFormat(16000, 1, 16),
    "labels: path": lambda d: vad.read_labels(5),
    "labels: None": lambda d: vad.read_entries(None),
    "labels: uri": lambda d: vad.read_labels("data/examples/clip.rttm", uri=5),
    "labels: no such": lambda d: vad.read_labels("no such.rttm"),
    "labels: format": lambda d: vad.read_labels("a.rttm", 5),
    "labels: format is a list": lambda d: vad.read_labels("a.rttm", ["rttm"]),
    "write: path": lambda d: vad.write_labels(5, []),
    "write: segments": lambda d: vad.write_labels("no folder/a.rttm", 5),
    "write: no segments in it": lambda d: vad.write_labels("no folder/a.rttm", [5, "a"]),
    "write: tuples": lambda d: vad.write_labels("no folder/a.rttm", [(0.0, 1.0)]),
    "write: uri": lambda d: vad.write_labels("no folder/a.rttm", [], uri=5),
    "write: format": lambda d: vad.write_labels("no folder/a.rttm", [], format=5),
    "write: duration": lambda d: vad.write_labels("no folder/a.json", [], duration="5"),
    "write: no folder": lambda d: vad.write_labels("no folder/a.rttm", []),
    "microphone: block_duration": lambda d: vad.Microphone(block_duration="0.03"),
    "microphone: sample_rate": lambda d: vad.Microphone(sample_rate="16000"),
    "microphone: queue_duration": lambda d: vad.Microphone(queue_duration=None),
    # compat
    "silero: model": lambda d: compat.get_speech_timestamps(bursts(), None),
    "silero: iterator's model": lambda d: compat.VADIterator("default"),
    "silero: rate": lambda d: compat.SileroModel(d)(bursts(), None),
    "silero: rate of a recording": lambda d: compat.SileroModel(d).audio_forward(bursts(), 0),
    "silero: rate of timestamps": lambda d: compat.get_speech_timestamps(
        bursts(), compat.SileroModel(d), sampling_rate="16000"
    ),
    "silero: chunks": lambda d: compat.collect_chunks([{"begin": 0}], bursts()),
    "silero: chunks of nothing": lambda d: compat.collect_chunks([{"start": 0, "end": 9}], None),
    "silero: chunks of a list": lambda d: compat.collect_chunks([{"start": 0, "end": 9}], [0.0] * 16),
    "silero: the rest of a number": lambda d: compat.drop_chunks([], np.float32(1.0)),
    "webrtc: frame": lambda d: compat.Vad().is_speech(None, 16000),
    "microphone: device": lambda d: vad.Microphone(1.5),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_argument_is_one_line_of_ours(name: str, detector: Detector) -> None:
    with pytest.raises(vad.VadError) as error:
        CALLS[name](detector)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: vad.detect(bursts(), "16000"),
        lambda: vad.detect(bursts(), RATE, threshold="1"),
        lambda: vad.detect(bursts(), RATE, operating_point=None),
        lambda: vad.detect_file(None),
        lambda: vad.detect_file("a.wav", channel=1.5),
    ],
)
def test_a_wrong_argument_of_the_default_detector_is_one_line_of_ours(call: Callable[[], object]) -> None:
    with pytest.raises(vad.VadError) as error:
        call()
    assert len(str(error.value).splitlines()) == 1


def test_a_tensor_that_requires_grad_is_samples(detector: Detector) -> None:
    expected = detector.detect(bursts(), RATE)
    assert detector.detect(GradTensor(bursts()), RATE) == expected
    assert detector.process(GradTensor(bursts()), RATE).segments == expected
    assert detector.process([GradTensor(bursts())], RATE).segments == expected


@pytest.mark.parametrize("channel", [1, np.int64(1)])
def test_a_channel_may_be_numpys(channel: Any, detector: Detector) -> None:
    stereo = np.stack([0 * bursts(), bursts()], axis=1)
    assert detector.process(stereo, RATE, channel=channel).segments == detector.detect(bursts(), RATE)
