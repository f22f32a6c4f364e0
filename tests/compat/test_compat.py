"""Programs written for silero-vad and webrtcvad, with only the import changed."""

import asyncio
import importlib.machinery
import inspect
import runpy
import sys
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support.bursts import DURATION, RATE, bursts
from support.places import ROOT

import vad
from vad import compat
from vad.audio.samples import as_array
from vad.compat import (
    SileroModel,
    VADIterator,
    collect_chunks,
    drop_chunks,
    get_speech_timestamps,
    load_silero_vad,
    read_audio,
    save_audio,
)
from vad.compat.webrtc import _detector
from vad.detection.default import default_model
from vad.detection.detector import Detector
from vad.detection.model import Model

# The tiny model's options but for the shortest speech: Silero's default would drop the last burst.
OPTIONS: dict[str, Any] = {"min_speech_duration_ms": 100}


class Tensor:
    """As much of a torch tensor as these programs touch; torch itself is large."""

    def __init__(self, values: np.ndarray):
        self._values = values

    def new_tensor(self, values: np.ndarray) -> "Tensor":
        return Tensor(values)

    def item(self) -> float:
        return float(self._values.item())

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
def tiny_default(model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The network that comes with the package is the tiny one."""
    monkeypatch.setattr(Model, "load", lambda *_: model)
    for shared in (default_model, _detector):
        shared.cache_clear()
    yield
    for shared in (default_model, _detector):
        shared.cache_clear()


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
    found = [(one["start"], one["end"]) for one in stamps]
    np.testing.assert_allclose(found, expected(detector, samples, rate), atol=0.033 * rate)
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
    windows = -(-len(bursts()) // 512)
    assert percentages == pytest.approx([min(100, 51200 * (i + 1) / len(bursts())) for i in range(windows)])
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
    with pytest.raises(TypeError, match="wav"):
        collect_chunks(stamps, list(wav))
    with pytest.raises(ValueError, match="sampling_rate"):
        collect_chunks(seconds, wav, seconds=True)


@pytest.mark.parametrize(("rate", "window"), [(16000, 512), (8000, 256)])
def test_silero_iterator_gives_the_offline_segments(detector: Detector, rate: int, window: int) -> None:
    """The loop of Silero's notebook, and what it would say in seconds."""
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
    assert (events[0]["start"], events[1]["end"]) == pytest.approx(np.array(first) / rate, abs=0.033)
    assert vad_iterator(wav[:window]) is None
    assert (vad_iterator.current_sample, vad_iterator.temp_end) == (window, 0)


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


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_audio_forward_is_in_step_with_the_recording(detector: Detector, rate: int) -> None:
    wav = bursts(rate)
    whole = load_silero_vad().audio_forward(Tensor(wav), sr=rate).numpy()
    assert whole.shape == (1, -(-round(DURATION * 1000) // 32))
    frames = detector.probabilities(wav, rate)
    for window, probability in enumerate(whole[0]):
        within = frames[int(window * 1.6 + 1e-9) : int(np.ceil((window + 1) * 1.6))]
        assert within.min() - 1e-6 <= probability <= within.max() + 1e-6
    batch = load_silero_vad().audio_forward(np.stack([wav, wav[::-1]]), sr=rate)
    np.testing.assert_array_equal(batch[0], whole[0])
    assert load_silero_vad().audio_forward(np.zeros(0, np.float32), 16000).shape == (1, 0)


def test_channels_are_no_batch() -> None:
    stereo = np.zeros((512, 2), np.float32)
    model = load_silero_vad()
    calls = (
        lambda: model(stereo, 16000),
        lambda: model.audio_forward(stereo, 16000),
        lambda: VADIterator(model)(stereo),
    )
    for call in calls:
        with pytest.raises(ValueError, match=r"\(512, 2\)"):
            call()
    with pytest.raises(ValueError, match=r"\(2, 511\)"):
        model(np.zeros((2, 511), np.float32), 16000)


def test_a_batch_is_its_recordings_one_by_one() -> None:
    model, wavs = load_silero_vad(), np.stack([bursts(), bursts(seed=1)[::-1]])
    windows = [Tensor(wavs[:, i : i + 512]) for i in range(0, 16384, 512)]
    together = np.hstack([model(window, 16000).numpy() for window in windows])
    for row, wav in zip(together, wavs, strict=True):
        model.reset_states()
        alone = [model(wav[i : i + 512], 16000).item() for i in range(0, 16384, 512)]
        np.testing.assert_array_equal(row, np.float32(alone))


@pytest.mark.parametrize(
    "reset",
    [
        lambda model: model.reset_states(),
        lambda model: get_speech_timestamps(np.zeros(1000, np.float32), model),
        lambda model: model.audio_forward(np.zeros(1000, np.float32), 16000),
        lambda model: VADIterator(model),
        lambda model: model(np.zeros((2, 512), np.float32), 16000),
    ],
)
def test_the_next_recording_finds_the_model_reset(reset: Callable[[SileroModel], object]) -> None:
    model, loud = load_silero_vad(), np.full(512, 0.5, np.float32)
    for _ in range(10):
        after_speech = model(loud, 16000).item()
    reset(model)
    assert model(np.zeros(512, np.float32), 16000).item() < 0.1 < 0.9 < after_speech


def loudness(x: Any, sr: int) -> Any:
    """A model of another kind: no class, no state."""
    return float(np.abs(as_array(x)).mean() > 0.05)


def test_any_function_of_a_window_is_a_model() -> None:
    percentages: list[float] = []
    stamps = get_speech_timestamps(
        bursts(), loudness, progress_tracking_callback=percentages.append, speech_pad_ms=0, **OPTIONS
    )
    assert len(percentages) == -(-len(bursts()) // 512)
    assert [one["start"] / RATE for one in stamps] == pytest.approx([0.3, 1.5], abs=0.033)
    assert stamps[1]["end"] == len(bursts())
    thirds = get_speech_timestamps(bursts(48000)[::3], loudness, **OPTIONS)
    whole = get_speech_timestamps(bursts(48000), loudness, sampling_rate=48000, **OPTIONS)
    assert whole == [{name: 3 * sample for name, sample in one.items()} for one in thirds]
    iterator = VADIterator(loudness)
    events = [iterator(bursts()[i : i + 512]) for i in range(0, len(bursts()) - 511, 512)]
    assert [next(iter(one)) for one in events if one] == ["start", "end", "start", "end", "start"]
    with pytest.raises(ValueError, match="44100"):
        get_speech_timestamps(bursts(44100), loudness, sampling_rate=44100)


# The results of silero-vad 6.2.3 for these probabilities.
PROBABILITIES = [
    *(0, 0, *[0.9] * 4, *[0.1] * 3, *[0.8] * 12, 0.4, *[0.2] * 2, *[0.6] * 9),
    *(*[0.4] * 3, *[0.1] * 9, *[0.7] * 3),
]
SILEROS: list[tuple[dict[str, Any], list[tuple[float, float]]]] = [
    ({}, [(544, 18912)]),
    (
        {"sampling_rate": 8000, "min_silence_duration_ms": 50, "min_speech_duration_ms": 0},
        [(272, 1776), (2064, 9456), (11280, 12288)],
    ),
    ({"max_speech_duration_s": 0.6}, [(544, 9472), (9472, 18400)]),
    (
        {
            "max_speech_duration_s": 0.6,
            "use_max_poss_sil_at_max_speech": False,
            "min_silence_at_max_speech": 30,
        },
        [(544, 3552), (4128, 11744), (11808, 18912)],
    ),
    (
        {"max_speech_duration_s": 0.6, "min_silence_at_max_speech": 30},
        [(544, 3552), (4128, 11744), (11808, 20960)],
    ),
    ({"return_seconds": True, "time_resolution": 2, "audio_length_samples": 24000}, [(0.03, 1.18)]),
    ({"step": 3, "speech_pad_ms": 100, "min_speech_duration_ms": 50}, [(0, 60096), (64320, 73728)]),
]


@pytest.mark.parametrize(("options", "expected"), SILEROS)
def test_silero_rules_are_its_own(options: dict[str, Any], expected: list[tuple[float, float]]) -> None:
    found = compat.get_speech_timestamps_from_probs(PROBABILITIES, **options)
    assert [(one["start"], one["end"]) for one in found] == expected


def test_a_probability_at_a_threshold_is_not_below_it() -> None:
    found = compat.get_speech_timestamps_from_probs([0.5] * 10 + [0.35] * 10, neg_threshold=0.35)
    assert found == [{"start": 0, "end": 20 * 512}]


# Those of silero-vad 6.2.3.
DEFAULTS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    *(
        (
            function,
            {
                **{"threshold": 0.5, "sampling_rate": 16000, "min_speech_duration_ms": 250},
                **{
                    "max_speech_duration_s": float("inf"),
                    "min_silence_duration_ms": 100,
                    "speech_pad_ms": 30,
                },
                **{
                    "return_seconds": False,
                    "time_resolution": 1,
                    "visualize_probs": False,
                    "neg_threshold": None,
                },
                **{"min_silence_at_max_speech": 98, "use_max_poss_sil_at_max_speech": True},
            },
        )
        for function in (get_speech_timestamps, compat.get_speech_timestamps_from_probs)
    ),
    (
        VADIterator,
        {"threshold": 0.5, "sampling_rate": 16000, "min_silence_duration_ms": 100, "speech_pad_ms": 30},
    ),
    (load_silero_vad, {"onnx": False, "opset_version": 16, "sequence": False}),
    (compat.SileroVADSequence, {"sampling_rate": 16000, "max_frames": 512}),
    (read_audio, {"sampling_rate": 16000}),
    (save_audio, {"sampling_rate": 16000}),
    (collect_chunks, {"seconds": False, "sampling_rate": None}),
    (drop_chunks, {"seconds": False, "sampling_rate": None}),
]


@pytest.mark.parametrize(("function", "defaults"), DEFAULTS)
def test_silero_defaults_are_its_own(function: Callable[..., Any], defaults: dict[str, Any]) -> None:
    parameters = inspect.signature(function).parameters
    assert {name: parameters[name].default for name in defaults} == defaults


def test_an_iterator_may_be_changed_at_any_time() -> None:
    iterator = VADIterator(load_silero_vad(), threshold=1.0)
    assert iterator(bursts()[: RATE // 2]) is None
    iterator.threshold, iterator.speech_pad_samples, iterator.min_silence_samples = 0.5, 0, 0
    assert iterator(bursts()[RATE // 2 : RATE]) == {"start": pytest.approx(0.5 * RATE, abs=0.06 * RATE)}
    assert iterator(np.zeros(1, np.float32)) == {"end": pytest.approx(0.84 * RATE, abs=1)}


def test_the_sequence_model_is_the_same_model() -> None:
    sequence = load_silero_vad(sequence=True)
    np.testing.assert_array_equal(
        sequence.audio_forward(bursts(), sampling_rate=16000),
        load_silero_vad().audio_forward(bursts(), 16000)[0],
    )
    assert compat.get_speech_timestamps_sequence(
        bursts(), sequence, 0.6, max_frames=100, speech_pad_ms=0
    ) == get_speech_timestamps(bursts(), load_silero_vad(), 0.6, speech_pad_ms=0)


def test_all_models_share_one_network() -> None:
    models = [
        load_silero_vad(),
        load_silero_vad(sequence=True).model,
        compat.Vad()._model,
        compat.Vad(3)._model,
    ]
    assert len({id(one.detector.model) for one in models}) == 1


def test_a_model_is_moved_as_a_torch_module_is() -> None:
    model = load_silero_vad()
    assert model.to("cpu").eval().train(False).cpu().half().float() is model


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_audio_is_saved_and_read(name: str, tmp_path: Path) -> None:
    save_audio(str(tmp_path / name), Tensor(bursts()), sampling_rate=16000)
    np.testing.assert_allclose(read_audio(tmp_path / name), bursts(), atol=2**-15)
    save_audio(tmp_path / name, np.stack([bursts(), -bursts()]))
    assert soundfile.info(tmp_path / name).channels == 2
    with pytest.raises(ValueError, match=r"wav.*a\.xyz"):
        save_audio("a.xyz", bursts())


def test_a_program_that_has_torch_reads_tensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(from_numpy=Tensor))
    soundfile.write(tmp_path / "a.wav", bursts(), RATE)
    assert isinstance(read_audio(tmp_path / "a.wav"), Tensor)


def test_programs_import_the_old_packages_after_install(monkeypatch: pytest.MonkeyPatch) -> None:
    # Restored afterwards. Another test may have imported the packages themselves.
    for name in (
        "webrtcvad",
        "silero_vad",
        "silero_vad.model",
        "silero_vad.utils_vad",
        "silero_vad.sequence_vad",
    ):
        monkeypatch.setitem(sys.modules, name, None)
    compat.install()
    found: dict[str, Any] = {}
    exec(
        "import silero_vad, webrtcvad\n"
        "from silero_vad.utils_vad import VADIterator\n"
        "from silero_vad import load_silero_vad as load, __version__\n"
        "from silero_vad import model, sequence_vad, utils_vad\n"
        "import silero_vad.model, silero_vad.sequence_vad as sequence, silero_vad.utils_vad as functions\n"
        "assert silero_vad.model is model and silero_vad.utils_vad is utils_vad",
        found,
    )
    assert found["model"].load_silero_vad is load_silero_vad
    assert found["sequence"].SileroVADSequence is found["sequence_vad"].SileroVADSequence
    assert found["functions"].read_audio is found["utils_vad"].read_audio is read_audio
    assert found["VADIterator"] is VADIterator
    assert found["load"] is load_silero_vad
    assert found["__version__"] == found["silero_vad"].__version__ == compat.__version__
    assert found["webrtcvad"].Vad is compat.Vad


def test_torch_hub_loads_the_model_and_its_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch.hub does: the file is imported by its path, the entry called with the caller's arguments."""
    hub = runpy.run_path(str(ROOT / "hubconf.py"))
    model, (timestamps, _, _, iterator, _) = hub["silero_vad"](onnx=True, force_onnx_cpu=True)
    assert timestamps(bursts(), model, **OPTIONS)
    assert iterator(model)(bursts())


def test_torch_hub_finds_the_models_of_a_clone_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then only the path of `vad` leads to `vad.models`."""
    monkeypatch.setattr(sys, "meta_path", [importlib.machinery.PathFinder])
    monkeypatch.setattr(vad, "__path__", [str(ROOT / "vad")])
    monkeypatch.delitem(sys.modules, "vad.models", raising=False)
    runpy.run_path(str(ROOT / "hubconf.py"))
    assert "default" in vad.model_names()


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
    for call in (
        lambda: vad.is_speech("text", 16000),
        lambda: vad.is_speech(None, 16000),
        lambda: vad.set_mode("1"),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="32 bits"):
        compat.valid_rate_and_frame_length(2**31, 10)
    assert not compat.valid_rate_and_frame_length(2**31 - 1, 10)
    assert vad.is_speech(np.zeros(320, np.int16), 16000) is False
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
