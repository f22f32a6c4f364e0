"""Programs written for silero-vad and webrtcvad, with only the import changed."""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import soundfile
from support.bursts import DURATION, RATE, bursts

from vad import compat
from vad.compat import (
    SileroModel,
    VADIterator,
    collect_chunks,
    drop_chunks,
    get_speech_timestamps,
    load_silero_vad,
    read_audio,
)
from vad.detection.detector import Detector
from vad.detection.model import Model

# The tiny model's options but for the shortest speech: Silero's default would drop the last burst.
OPTIONS: dict[str, Any] = {"min_speech_duration_ms": 100}


class Tensor:
    """As much of a torch tensor as these programs touch; torch itself is large."""

    def __init__(self, values: np.ndarray):
        self._values = values

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def numpy(self) -> np.ndarray:
        return self._values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, places: Any) -> "Tensor":
        return Tensor(self._values[places])


@pytest.fixture(autouse=True)
def tiny_default(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network that comes with the package is the tiny one."""
    monkeypatch.setattr(Model, "load", lambda *_: model)


def expected(detector: Detector, samples: np.ndarray, rate: int = RATE) -> list[tuple[int, int]]:
    options = {"threshold": 0.5, "min_silence_duration_ms": 100, "speech_pad_ms": 30, **OPTIONS}
    found = Detector(detector.model, **options).detect(samples, rate)
    return [(round(segment.start * rate), round(segment.end * rate)) for segment in found]


@pytest.mark.parametrize("rate", [16000, 8000, 48000])
@pytest.mark.parametrize("kind", [np.asarray, Tensor, list])
def test_silero_offline(detector: Detector, rate: int, kind: Callable[[np.ndarray], Any]) -> None:
    samples = bursts(rate)
    model = load_silero_vad(onnx=True)
    stamps = get_speech_timestamps(kind(samples), model, sampling_rate=rate, **OPTIONS)
    assert [(one["start"], one["end"]) for one in stamps] == expected(detector, samples, rate)
    assert len(stamps) == 2
    assert all(type(value) is int for one in stamps for value in one.values())


def test_silero_seconds_are_rounded_to_the_resolution() -> None:
    model = load_silero_vad()
    samples = get_speech_timestamps(bursts(), model, **OPTIONS)
    tenths = get_speech_timestamps(bursts(), model, return_seconds=True, **OPTIONS)
    fine = get_speech_timestamps(bursts(), model, return_seconds=True, time_resolution=4, **OPTIONS)
    for whole, coarse, exact in zip(samples, tenths, fine, strict=True):
        assert coarse["start"] == round(exact["start"], 1)
        assert exact["end"] == pytest.approx(whole["end"] / RATE, abs=1e-4)


def test_silero_defaults_and_keywords_are_its_own() -> None:
    model = load_silero_vad()
    percentages: list[float] = []
    stamps = get_speech_timestamps(
        bursts(),
        model,
        threshold=0.5,
        sampling_rate=16000,
        max_speech_duration_s=0.3,
        min_silence_duration_ms=100,
        speech_pad_ms=30,
        progress_tracking_callback=percentages.append,
        neg_threshold=0.35,
        window_size_samples=512,
        min_silence_at_max_speech=98,
        use_max_poss_sil_at_max_speech=True,
    )
    assert stamps
    assert max(one["end"] - one["start"] for one in stamps) <= 0.3 * RATE
    assert percentages[-1] == 100
    assert get_speech_timestamps(bursts()[: round(0.4 * RATE)], model) == [], "250 ms are the default"
    assert get_speech_timestamps(np.zeros(0, np.float32), model) == []
    with pytest.raises(ValueError, match="visualize_probs"):
        get_speech_timestamps(bursts(), model, visualize_probs=True)
    with pytest.raises(ValueError, match=r"\(100, 2\)"):
        get_speech_timestamps(np.zeros((100, 2)), model)


def test_silero_read_collect_and_drop(tmp_path: Any) -> None:
    path = tmp_path / "bursts.wav"
    soundfile.write(path, np.stack([bursts(48000)] * 2, axis=1), 48000, subtype="FLOAT")
    wav = read_audio(str(path), sampling_rate=16000)
    assert wav.shape == (round(DURATION * RATE),)
    stamps = [{"start": 100, "end": 200}, {"start": 1000, "end": 1300}]
    expected_chunks = np.concatenate([wav[100:200], wav[1000:1300]])
    np.testing.assert_array_equal(collect_chunks(stamps, wav), expected_chunks)
    np.testing.assert_array_equal(collect_chunks(stamps, Tensor(wav)).numpy(), expected_chunks)
    seconds = [{"start": one["start"] / RATE, "end": one["end"] / RATE} for one in stamps]
    np.testing.assert_array_equal(
        collect_chunks(seconds, wav, seconds=True, sampling_rate=RATE), expected_chunks
    )
    rest = np.concatenate([wav[:100], wav[200:1000], wav[1300:]])
    np.testing.assert_array_equal(drop_chunks(stamps, wav), rest)
    assert len(collect_chunks([], wav)) == 0
    with pytest.raises(ValueError, match="sampling_rate"):
        collect_chunks(seconds, wav, seconds=True)


@pytest.mark.parametrize(("rate", "window"), [(16000, 512), (8000, 256)])
def test_silero_iterator_gives_the_offline_segments(detector: Detector, rate: int, window: int) -> None:
    """The loop of Silero's README, and what it would say in seconds."""
    wav = bursts(rate)
    model = load_silero_vad()
    vad_iterator = VADIterator(model, sampling_rate=rate)
    events = []
    for i in range(0, len(wav), window):
        chunk = wav[i : i + window]
        if len(chunk) < window:
            break
        speech_dict = vad_iterator(Tensor(chunk), return_seconds=True, time_resolution=3)
        if speech_dict:
            events.append(speech_dict)
    vad_iterator.reset_states()
    assert [next(iter(one)) for one in events] == ["start", "end", "start"]
    first = expected(detector, wav, rate)[0]
    assert (events[0]["start"], events[1]["end"]) == pytest.approx(np.array(first) / rate, abs=0.021)
    assert vad_iterator(wav[:window]) is None
    assert vad_iterator.current_sample == window


def test_silero_iterator_gives_samples_and_loses_no_event_of_a_long_window() -> None:
    vad_iterator = VADIterator(load_silero_vad(), threshold=0.5, min_silence_duration_ms=60)
    wav = bursts()
    events = [vad_iterator(wav), vad_iterator(np.zeros(1, np.float32)), vad_iterator(np.zeros(1, np.float32))]
    assert [sorted(one) for one in events if one] == [["start"], ["end"], ["start"]]
    assert vad_iterator.triggered
    assert events[0] is not None
    assert type(events[0]["start"]) is int


def test_iterators_that_share_a_model_are_independent() -> None:
    model = load_silero_vad()
    alone = [VADIterator(model)(bursts(seed=seed)) for seed in range(2)]
    pair = [VADIterator(model), VADIterator(model)]
    cut = [np.array_split(bursts(seed=seed), 50) for seed in range(2)]
    events: list[list[Any]] = [[], []]
    for pieces in zip(*cut, strict=True):
        for index in range(2):
            events[index].append(pair[index](pieces[index]))
    assert [next(filter(None, one)) for one in events] == alone


class PipecatAnalyzer:
    """How pipecat's SileroVADAnalyzer calls its model: bytes in, one thread, `[0]` and `item()` of the result."""

    def __init__(self, sample_rate: int):
        self.sample_rate = sample_rate
        self._model = load_silero_vad(onnx=True)
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._windows = 0

    def num_frames_required(self) -> int:
        return 512 if self.sample_rate == 16000 else 256

    def voice_confidence(self, buffer: bytes) -> float:
        audio_float32 = np.frombuffer(buffer, np.int16).astype(np.float32) / 32768.0
        confidence = self._model(audio_float32, self.sample_rate)[0]
        return float(confidence.item())

    async def analyze(self, buffer: bytes) -> list[float]:
        size = 2 * self.num_frames_required()
        loop = asyncio.get_running_loop()
        return [
            await loop.run_in_executor(self._executor, self.voice_confidence, buffer[i : i + size])
            for i in range(0, len(buffer) - size + 1, size)
        ]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_an_adapter_like_pipecats(rate: int) -> None:
    buffer = np.round(bursts(rate) * 32767).astype(np.int16).tobytes()
    analyzer = PipecatAnalyzer(rate)
    confidences = np.array(asyncio.run(analyzer.analyze(buffer)))
    window = analyzer.num_frames_required() / rate
    at = [confidences[int(time / window)] for time in (0.2, 0.6, 1.1, 1.7)]
    assert [round(confidence) for confidence in at] == [0, 1, 0, 1]
    analyzer._model.reset_states()
    assert analyzer.voice_confidence(buffer[: 2 * analyzer.num_frames_required()]) < 0.5


def test_an_adapter_like_livekits() -> None:
    """It resamples to 16 kHz itself, keeps a window buffer, smooths the probability and counts durations."""
    model, smoothed, speaking, durations = load_silero_vad(), 0.0, False, []
    wav = bursts()
    for i in range(0, len(wav) - 512, 512):
        probability = model(wav[i : i + 512], 16000).item()
        smoothed = 0.35 * smoothed + 0.65 * probability
        if smoothed >= 0.5 and not speaking:
            speaking = True
            durations.append(0.0)
        elif smoothed < 0.35:
            speaking = False
        if speaking:
            durations[-1] += 512 / 16000
    assert len(durations) == 2
    assert durations[0] == pytest.approx(0.4, abs=0.15)


def test_audio_forward_is_the_calls_one_by_one() -> None:
    model, wav = load_silero_vad(), bursts()
    whole = model.audio_forward(wav, sr=16000)
    model.reset_states()
    padded = np.pad(wav, (0, -len(wav) % 512))
    calls = [model(padded[i : i + 512], 16000) for i in range(0, len(padded), 512)]
    np.testing.assert_array_equal(whole, np.hstack(calls))
    assert whole.shape == (1, len(padded) // 512)
    assert model.audio_forward(np.zeros(0, np.float32), 16000).shape == (1, 0)
    with pytest.raises(ValueError, match=r"batch_size.*1"):
        SileroModel.reset_states(model, batch_size=2)


def webrtc_decisions(rate: int, frame_ms: int, mode: int = 1) -> np.ndarray:
    """The loop of webrtcvad's README."""
    vad = compat.Vad()
    vad.set_mode(mode)
    pcm = np.round(bursts(rate) * 32767).astype("<i2").tobytes()
    size = rate * frame_ms // 1000 * 2
    frames = [pcm[i : i + size] for i in range(0, len(pcm) - size + 1, size)]
    return np.array([vad.is_speech(frame, rate) for frame in frames])


@pytest.mark.parametrize("frame_ms", [10, 20, 30])
@pytest.mark.parametrize("rate", [8000, 16000, 32000, 48000])
def test_webrtcvad(rate: int, frame_ms: int) -> None:
    decisions = webrtc_decisions(rate, frame_ms)
    at = [bool(decisions[round(time * 1000 / frame_ms)]) for time in (0.2, 0.6, 1.1, 1.7)]
    assert at == [False, True, False, True]


def test_webrtcvad_modes_ask_for_more_and_more() -> None:
    speech = [webrtc_decisions(RATE, 10, mode).sum() for mode in range(4)]
    assert speech == sorted(speech, reverse=True)
    assert speech[0] > speech[3] > 0


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 48000, 44100])
def test_webrtcvad_frames(rate: int) -> None:
    lengths = [length for length in range(3000) if compat.valid_rate_and_frame_length(rate, length)]
    assert lengths == ([] if rate == 44100 else [rate // 100, rate // 50, rate // 100 * 3])


def test_webrtcvad_errors() -> None:
    vad = compat.Vad(3)
    for buf, rate in [(b"", 16000), (bytes(100), 16000), (bytes(640), 44100), (bytes(640), 8001)]:
        with pytest.raises(compat.Error, match=r"10.*20.*30"):
            vad.is_speech(buf, rate)
    with pytest.raises(IndexError, match="buffer has 320 frames, but length argument was 400"):
        vad.is_speech(bytes(640), 16000, 400)
    assert vad.is_speech(bytes(641), 16000) is False
    assert vad.is_speech(bytearray(640), 16000, length=160) is False
    with pytest.raises(ValueError, match=r"mode.*0.*1.*2.*3.*mode=4"):
        compat.Vad(4)


def test_auditok_with_our_detector_in_place_of_webrtcvad(monkeypatch: pytest.MonkeyPatch) -> None:
    auditok = pytest.importorskip("auditok")
    monkeypatch.setitem(sys.modules, "webrtcvad", compat)
    pcm = np.round(bursts() * 32767).astype("<i2").tobytes()
    options = {"sampling_rate": RATE, "sample_width": 2, "channels": 1, "min_dur": 0.1, "max_silence": 0.1}
    regions = list(auditok.split(pcm, validator="webrtc:1", analysis_window=0.02, **options))
    assert [region.start for region in regions] == pytest.approx([0.36, 1.56], abs=0.06)
    detector = Detector(Model.load())
    validator = detector.stream()

    def is_valid(window: bytes) -> bool:
        validator.feed(np.frombuffer(window, "<i2"))
        return bool((validator.probabilities >= detector.options.threshold).any())

    again = list(auditok.split(pcm, validator=is_valid, analysis_window=0.02, **options))
    assert [region.start for region in again] == pytest.approx(
        [region.start for region in regions], abs=0.021
    )
