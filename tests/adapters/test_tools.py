"""The adapters of transcription and corpus tools, in the real packages; whisperX, which is large, may be of paper."""

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support.bursts import DURATION, RATE, bursts

from vad.detection.detector import Detector


def adapter(name: str, package: str) -> Any:
    pytest.importorskip(package, reason=f"needs {package}")
    return importlib.import_module(f"vad.adapters.{name}")


def spans(segments: Any) -> list[tuple[float, float]]:
    return [(round(one.start, 4), round(one.end, 4)) for one in segments]


def test_pyannote_gets_scores_and_an_annotation(detector: Detector, tmp_path: Path) -> None:
    pyannote = adapter("pyannote", "pyannote.core")
    detection = detector.process(bursts(), RATE)
    scores = pyannote.scores(detection)
    np.testing.assert_array_equal(scores.data[:, 0], detection.probabilities)
    assert scores.sliding_window[30].start == pytest.approx(0.6)
    assert scores.crop(scores.extent).max() > 0.9
    annotation = pyannote.annotation(detection, "call")
    assert (annotation.uri, annotation.labels()) == ("call", ["SPEECH"])
    assert spans(annotation.itersegments()) == spans(detection.segments)
    pipeline = pyannote.VoiceActivityDetection(detector)
    stereo = np.stack([0 * bursts(), bursts()], axis=1)
    soundfile.write(tmp_path / "call.wav", stereo, RATE, subtype="FLOAT")
    waveform = {"waveform": stereo.T, "sample_rate": RATE, "uri": "call"}
    for file in (waveform, {"audio": tmp_path / "call.wav"}):
        assert pipeline(file | {"channel": 1}) == annotation
        assert not pipeline(file | {"channel": 0})
    calls: list[tuple[str, Any]] = []
    found = pipeline(
        str(tmp_path / "call.wav"), hook=lambda step, artefact, **_: calls.append((step, artefact))
    )
    assert found.uri == "call"
    ((step, artefact),) = calls
    assert (step, artefact.data.shape) == ("segmentation", scores.data.shape)


def test_lhotse_gets_supervisions_of_each_channel(detector: Detector, tmp_path: Path) -> None:
    lhotse = adapter("lhotse", "lhotse.workflows")
    stereo = np.stack([0 * bursts(48000), bursts(48000)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 48000)
    recording = importlib.import_module("lhotse").Recording.from_file(tmp_path / "a.wav")
    found = lhotse.VAD(detector)(recording)
    assert [(one.channel, one.recording_id) for one in found] == [(1, "a")] * 2
    expected = np.array(spans(detector.detect(bursts(), RATE)))
    assert [(one.start, one.end) for one in found] == pytest.approx(expected, abs=0.021)


def test_faster_whispers_filter_asks_our_detector(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster_whisper = adapter("faster_whisper", "faster_whisper")
    theirs = importlib.import_module("faster_whisper.vad")
    monkeypatch.setattr(theirs, "get_vad_model", theirs.get_vad_model)
    faster_whisper.install(detector)
    options = theirs.VadOptions(min_silence_duration_ms=100, speech_pad_ms=0, min_speech_duration_ms=100)
    found = theirs.get_speech_timestamps(bursts(), options)
    starts = [one.start for one in detector.detect(bursts(), RATE)]
    assert [one["start"] / RATE for one in found] == pytest.approx(starts, abs=0.06)
    assert found[-1]["end"] == len(bursts())


class PaperVad:
    """whisperX's base class, as `whisperx.asr` uses it."""

    def __init__(self, vad_onset: float):
        assert 0 < vad_onset < 1

    @staticmethod
    def merge_chunks(segments: list[Any], chunk_size: float, onset: float, offset: float | None) -> list[Any]:
        return [{"start": one.start, "end": one.end, "segments": [one.speaker]} for one in segments]


def test_whisperx_merges_our_segments(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("whisperx") is None:
        for name in ("whisperx", "whisperx.vads"):
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        monkeypatch.setattr(sys.modules["whisperx.vads"], "Vad", PaperVad, raising=False)
        monkeypatch.setitem(sys.modules, "vad.adapters.whisperx", types.ModuleType("forgotten"))
        del sys.modules["vad.adapters.whisperx"]
    vad = importlib.import_module("vad.adapters.whisperx").VAD(detector, chunk_size=0.3)
    waveform = vad.preprocess_audio(bursts())
    segments = vad({"waveform": waveform, "sample_rate": RATE})
    assert len(segments) > 2
    assert max(one.end - one.start for one in segments) <= 0.3 + 1e-9
    chunks = vad.merge_chunks(segments, 0.3, onset=0.5, offset=0.363)
    assert chunks[-1]["end"] == pytest.approx(DURATION)
    assert vad.merge_chunks([], 0.3, onset=0.5) == []
