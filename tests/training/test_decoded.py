"""The decoded corpus: every clip its own sound, labels on the grid, made once and not from something else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import tiny_corpus
from support.sounds import RATE, tone

from vad.errors import AudioError, ConfigError, LabelError
from vad.training.data import decoded as decoded_module
from vad.training.data.decoded import CELL, DecodedCorpus, DecodedRecording, decode_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_corpus.write(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def folder(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return decode_corpus(corpus, tmp_path_factory.mktemp("bank"), jobs=1)


def clips(folder: Path, kind: str, split: str = "train") -> tuple[DecodedCorpus, list[DecodedRecording]]:
    decoded = DecodedCorpus(folder, split)
    return decoded, [clip for clip in decoded.recordings if clip.kind == kind]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def decoded_of(folder: Path, rows: list[dict[str, object]]) -> DecodedCorpus:
    manifest = folder / "manifest.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return DecodedCorpus(decode_corpus(manifest, folder / "bank", jobs=1), "train")


def test_every_clip_gives_back_its_own_recording(corpus: Path, folder: Path) -> None:
    rows = [json.loads(line) for line in corpus.read_text().splitlines()]
    for split in ("train", "dev"):
        decoded = DecodedCorpus(folder, split)
        paths = [corpus.parent / row["audio_filepath"] for row in rows if row["split"] == split]
        assert len(decoded.recordings) == len(paths) > 0
        for clip, path in zip(decoded.recordings, paths, strict=True):
            samples, _ = soundfile.read(path, dtype="float32")
            np.testing.assert_array_equal(decoded.samples(clip), samples)
            assert clip.kind == path.parent.name


def test_speakers_stay_in_their_split(folder: Path) -> None:
    for split, speakers in (("train", tiny_corpus.TRAIN_SPEAKERS), ("dev", tiny_corpus.DEV_SPEAKERS)):
        assert {clip.speaker for clip in clips(folder, "speech", split)[1]} == set(speakers)


def test_labels_are_the_segments_on_the_grid(folder: Path) -> None:
    decoded, speech = clips(folder, "speech")
    for clip in speech:
        sounding = np.abs(decoded.samples(clip)).reshape(-1, CELL).max(axis=1) > 0
        np.testing.assert_array_equal(decoded.labels(clip), sounding.astype(np.float32))
    for kind in ("noise", "music"):
        decoded, others = clips(folder, kind)
        assert others
        assert not any(decoded.labels(clip).any() for clip in others)


def test_soft_labels_go_before_segments(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    soundfile.write(tmp_path / "s" / "a.wav", tone(0.1), RATE, "PCM_16")
    soundfile.write(tmp_path / "s" / "b.wav", tone(0.1), RATE, "PCM_16")
    # Shorter than the recording: what nobody labelled is no speech.
    np.savez(tmp_path / "soft_labels.npz", **{"s|a.wav": np.array([0, 51, 255], np.uint8)})
    decoded = decoded_of(
        tmp_path, [tiny_corpus.row(f"s/{x}.wav", "speech", "train", duration=0.1) for x in "ab"]
    )
    np.testing.assert_allclose(
        decoded.labels(decoded.recordings[0]), [0, 0.2, 1, 0, 0, 0, 0, 0, 0, 0], atol=1e-7
    )
    np.testing.assert_array_equal(decoded.labels(decoded.recordings[1]), np.ones(10))


def test_clips_are_whole_cells_and_the_next_one_starts_on_the_grid(tmp_path: Path) -> None:
    first, second = tone(0.1)[:1000], tone(0.1, hertz=1000.0)
    soundfile.write(tmp_path / "a.wav", first, RATE, "FLOAT")
    soundfile.write(tmp_path / "b.wav", second, RATE, "FLOAT")
    rows = [
        tiny_corpus.row("a.wav", "speech", "train", segments=[[0.02, 0.04]]),
        tiny_corpus.row("b.wav", "speech", "train", segments=[[0.05, 9.0]]),
    ]
    decoded = decoded_of(tmp_path, rows)
    a, b = decoded.recordings
    assert (a.length, b.length) == (960, 1600)
    np.testing.assert_allclose(decoded.samples(b), second, atol=1 / 32768)
    np.testing.assert_array_equal(decoded.labels(a), [0, 0, 1, 1, 0, 0])
    np.testing.assert_array_equal(decoded.labels(b), [0] * 5 + [1] * 5)


def test_labels_hours_past_the_end_are_told_before_anything_is_learned(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(0.5), RATE, "FLOAT")
    rows = [tiny_corpus.row("a.wav", "speech", "train", segments=[[1_600, 8_000]])]  # samples
    with pytest.raises(LabelError, match=r"^a\.wav: .*0\.5 s"):
        decoded_of(tmp_path, rows)


def test_recordings_of_other_rates_and_channels_become_16_khz_mono(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(1.0, 8000)] * 2, axis=1), 8000, "PCM_16")
    decoded = decoded_of(tmp_path, [tiny_corpus.row("a.wav", "speech", "train", duration=1.0)])
    (clip,) = decoded.recordings
    assert clip.length == 16000
    np.testing.assert_allclose(decoded.samples(clip)[1600:-1600], tone(1.0)[1600:-1600], atol=2e-3)


def test_full_scale_does_not_wrap_around(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.tile(np.float32([1.5, -1.5]), 800), RATE, "FLOAT")
    decoded = decoded_of(tmp_path, [tiny_corpus.row("a.wav", "noise", "train")])
    np.testing.assert_array_equal(decoded.samples(decoded.recordings[0])[:2], [32767 / 32768, -1.0])


def test_the_level_is_that_of_the_speech_not_of_the_pauses(folder: Path) -> None:
    _, speech = clips(folder, "speech")
    for clip in speech:
        assert clip.level_db == pytest.approx(20 * np.log10(0.2 / np.sqrt(2)), abs=0.1)


def test_the_level_of_a_noise_is_that_of_its_louder_half(tmp_path: Path) -> None:
    barks = np.concatenate([tone(0.5, level=0.001), tone(0.5, level=0.1)])
    soundfile.write(tmp_path / "a.wav", barks, RATE, "PCM_16")
    decoded = decoded_of(tmp_path, [tiny_corpus.row("a.wav", "noise", "train")])
    assert decoded.recordings[0].level_db == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.1)


def test_processes_change_nothing(corpus: Path, folder: Path, tmp_path: Path) -> None:
    assert contents(decode_corpus(corpus, tmp_path, jobs=2)) == contents(folder)


def test_a_finished_bank_is_kept_and_an_unfinished_one_made_again(corpus: Path, tmp_path: Path) -> None:
    finished = contents(decode_corpus(corpus, tmp_path, jobs=1))
    made = (tmp_path / "audio.i16").stat().st_mtime_ns
    decode_corpus(corpus, tmp_path, jobs=1)
    assert (tmp_path / "audio.i16").stat().st_mtime_ns == made
    (tmp_path / "index.json").unlink()
    (tmp_path / "audio.i16").write_bytes(b"half")
    assert contents(decode_corpus(corpus, tmp_path, jobs=1)) == finished


def test_a_bank_of_another_corpus_or_of_older_labels_is_refused(tmp_path: Path) -> None:
    corpus = tiny_corpus.write(tmp_path / "corpus")
    folder = decode_corpus(corpus, tmp_path / "bank", jobs=1)
    before = corpus.read_text()
    for changed in (before.replace("0.3", "0.4", 1), before[: before.rindex("\n", 0, -1)]):
        corpus.write_text(changed)
        with pytest.raises(ConfigError, match=f"Received: {corpus}, .*{folder}"):
            decode_corpus(corpus, folder, jobs=1)
    corpus.write_text(before)
    assert decode_corpus(corpus, folder, jobs=1) == folder
    np.savez(corpus.parent / "soft_labels.npz", **{"speech|anna.wav": np.zeros(9, np.uint8)})
    with pytest.raises(ConfigError, match=f"Received: {corpus}, .*{folder}"):
        decode_corpus(corpus, folder, jobs=1)


def test_a_recording_that_was_replaced_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(0.1), RATE)
    decoded_of(tmp_path, [tiny_corpus.row("a.wav", "speech", "train", duration=0.1)])
    decode_corpus(tmp_path / "manifest.jsonl", tmp_path / "bank")
    soundfile.write(tmp_path / "a.wav", tone(0.2), RATE)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"1 with other sound, such as a\.wav"):
            decode_corpus(tmp_path / "manifest.jsonl", tmp_path / "bank")
    (tmp_path / "a.wav").unlink()
    decode_corpus(tmp_path / "manifest.jsonl", tmp_path / "bank")  # it was decoded before


def test_a_copy_of_the_corpus_with_other_times_is_the_same_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", tone(0.1), RATE)
    decoded_of(tmp_path, [tiny_corpus.row("a.wav", "speech", "train", duration=0.1)])
    bank = decode_corpus(tmp_path / "manifest.jsonl", tmp_path / "bank")
    os.utime(tmp_path / "a.wav", (1, 1))
    assert decode_corpus(tmp_path / "manifest.jsonl", bank) == bank
    monkeypatch.setattr(decoded_module, "in_order", None)
    assert decode_corpus(tmp_path / "manifest.jsonl", bank) == bank, "compared once"


def test_an_unreadable_recording_is_named_and_leaves_no_bank(tmp_path: Path) -> None:
    corpus = tiny_corpus.write(tmp_path / "corpus")
    (corpus.parent / "noise" / "1.wav").write_text("no audio")
    with pytest.raises(AudioError, match=r"1\.wav"):
        decode_corpus(corpus, tmp_path / "bank", jobs=1)
    assert contents(tmp_path / "bank") == {}
