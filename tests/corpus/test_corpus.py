"""Manifests and folders: what is read, what is refused and where, and who is in which split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vad.corpus.manifest import read_corpus
from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import write_labels

SPEECH = {"audio_filepath": "a.wav", "kind": "speech", "segments": [[0.5, 1.0]]}


def manifest(folder: Path, *lines: str | dict[str, Any], encoding: str = "utf-8") -> Path:
    path = folder / "manifest.jsonl"
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text, encoding=encoding)
    return path


def recording(path: Path, *segments: tuple[float, float], labels: str = ".rttm") -> None:
    """An audio file by name only: reading a corpus opens none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    if segments:
        write_labels(path.with_suffix(labels), [Segment(*one) for one in segments])


def test_a_row_is_read_in_full(tmp_path: Path) -> None:
    facts = {
        "split": "dev",
        "speaker": "anna",
        "language": "hu",
        "source": "home",
        "license": "CC0-1.0",
        "commit": "abc",
        "label": "by hand",
        "duration": 2.5,
        "snr_db": -3.5,
        "range_db": 0,
    }
    (item,) = read_corpus(
        manifest(tmp_path, {**SPEECH, "audio_filepath": "s/a.wav", "original": "x", **facts})
    )
    assert (item.path, item.key, item.kind) == (tmp_path / "s/a.wav", "s/a.wav", "speech")
    assert item.segments == (Segment(0.5, 1.0),)
    assert {name: getattr(item, name) for name in facts} == facts


def test_a_folder_with_a_manifest_is_its_manifest(tmp_path: Path) -> None:
    recording(tmp_path / "speech" / "b.wav", (0.0, 1.0))
    assert read_corpus(manifest(tmp_path, SPEECH)) == read_corpus(tmp_path)
    assert [item.key for item in read_corpus(tmp_path)] == ["a.wav"]


def test_speech_without_segments_is_speech_throughout(tmp_path: Path) -> None:
    rows = [
        {"audio_filepath": "a.wav", "kind": "speech", "duration": 3},
        {"audio_filepath": "b.wav", "kind": "speech", "duration": 3, "segments": []},
        {"audio_filepath": "c.wav", "kind": "noise", "duration": 3},
    ]
    items = read_corpus(manifest(tmp_path, *rows))
    assert [item.segments for item in items] == [(Segment(0.0, 3.0),), (), ()]


def test_null_is_as_good_as_absent(tmp_path: Path) -> None:
    names = ["split", "speaker", "duration", "range_db", "source"]
    with_nulls = manifest(tmp_path, {**SPEECH, **dict.fromkeys(names)})
    assert read_corpus(with_nulls) == read_corpus(manifest(tmp_path, SPEECH))


def test_byte_order_mark_windows_lines_and_empty_lines_are_fine(tmp_path: Path) -> None:
    row = json.dumps(SPEECH)
    assert len(read_corpus(manifest(tmp_path, f"{row}\r\n\r\n", row, "", encoding="utf-8-sig"))) == 2


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 500)), max_size=8))
@settings(max_examples=30, deadline=None)
def test_segments_come_sorted_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int]]
) -> None:
    pairs = [(start / 100, (start + length) / 100) for start, length in drawn]
    (item,) = read_corpus(manifest(tmp_path_factory.mktemp("drawn"), {**SPEECH, "segments": pairs}))
    assert [(one.start, one.end) for one in item.segments] == sorted(pairs)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ('{"audio_filepath": "a.wav"', "JSON"),
        ("[1, 2]", "audio_filepath"),
        ({"kind": "noise"}, "audio_filepath"),
        ({**SPEECH, "audio_filepath": 3}, "audio_filepath"),
        ({"audio_filepath": "a.wav"}, "kind"),
        ({**SPEECH, "kind": "Speech"}, "kind.*kind='Speech'"),
        ({**SPEECH, "split": "eval"}, "split.*split='eval'"),
        ({**SPEECH, "speaker": 7}, "speaker.*speaker=7"),
        ({**SPEECH, "duration": "3 s"}, "duration"),
        ({**SPEECH, "duration": -1}, "duration.*0"),
        ({**SPEECH, "range_db": float("nan")}, "range_db"),
        ({**SPEECH, "snr_db": "5"}, "snr_db"),
        ({"audio_filepath": "a.wav", "kind": "speech"}, "segments.*duration"),
        ({**SPEECH, "segments": "all"}, "segments"),
        ({**SPEECH, "segments": {"0": 1}}, "segments"),
        ({**SPEECH, "segments": [0.5, 1.0]}, r"0\.5"),
        ({**SPEECH, "segments": [[0.5, 1.0, 2.0]]}, "segment"),
        ({**SPEECH, "segments": ["12"]}, "segment"),
        ({**SPEECH, "segments": [["0.5", "1.0"]]}, "segment"),
        ({**SPEECH, "segments": [[False, True]]}, "segment"),
        ({**SPEECH, "segments": [[0.1, 0.2], [float("nan"), 1.0]]}, "segment.*nan"),
        ({**SPEECH, "segments": [[0.5, float("inf")]]}, "segment"),
        ({**SPEECH, "segments": [[-0.5, 1.0]]}, r"-0\.5"),
        ({**SPEECH, "segments": [[1.0, 0.5]]}, r"segment.*1\.0.*0\.5"),
        ({**SPEECH, "kind": "noise"}, "noise"),
    ],
)
def test_a_malformed_row_is_named_with_file_line_and_rule(
    tmp_path: Path, broken: str | dict[str, Any], rule: str
) -> None:
    path = manifest(tmp_path, SPEECH, "", broken)
    with pytest.raises(LabelError, match=f"manifest.jsonl:3: .*{rule}") as caught:
        read_corpus(path)
    assert "Received: " in str(caught.value)


def test_a_speaker_in_both_splits_is_refused(tmp_path: Path) -> None:
    rows = [{**SPEECH, "speaker": speaker, "split": split} for speaker, split in (("", "train"), ("", "dev"))]
    assert len(read_corpus(manifest(tmp_path, *rows))) == 2
    rows += [{**SPEECH, "speaker": "anna", "split": split} for split in ("dev", "train")]
    with pytest.raises(LabelError, match=r"jsonl:4: .*'anna' in train, .* dev at .*jsonl:3"):
        read_corpus(manifest(tmp_path, *rows))


def test_nothing_to_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="nowhere"):
        read_corpus(tmp_path / "nowhere")
    with pytest.raises(LabelError, match="holds no recordings"):
        read_corpus(tmp_path)
    with pytest.raises(LabelError, match=r"manifest\.jsonl holds no recordings"):
        read_corpus(manifest(tmp_path, ""))


def test_audio_given_as_a_manifest_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\xff\xfe\x80\x81WAVE")
    with pytest.raises(LabelError, match=r"a\.wav: "):
        read_corpus(tmp_path / "a.wav")


def test_plain_folders_are_read_by_their_names(tmp_path: Path) -> None:
    recording(tmp_path / "speech/anna/b.wav", (0.25, 1.5), (2.0, 3.0))
    recording(tmp_path / "speech/anna/2024/a.FLAC", (1.0, 2.0), labels=".csv")
    recording(tmp_path / "noise/fan.webm")
    recording(tmp_path / "noise/street/tram.wav")
    recording(tmp_path / "music/song.mp3")
    (tmp_path / "music" / "cover.jpg").touch()
    recording(tmp_path / "speech/anna/._b.wav")
    recording(tmp_path / "music/.trash/old.wav")
    (tmp_path / "music" / "folder.wav").mkdir()
    items = {item.key: item for item in read_corpus(tmp_path)}
    assert {key: (item.kind, item.speaker) for key, item in items.items()} == {
        "speech/anna/b.wav": ("speech", "anna"),
        "speech/anna/2024/a.FLAC": ("speech", "anna"),
        "noise/fan.webm": ("noise", ""),
        "noise/street/tram.wav": ("noise", "street"),
        "music/song.mp3": ("music", ""),
    }
    assert items["speech/anna/b.wav"].segments == (Segment(0.25, 1.5), Segment(2.0, 3.0))
    assert items["speech/anna/2024/a.FLAC"].segments == (Segment(1.0, 2.0),)
    assert items["noise/fan.webm"].segments == ()
    assert items["music/song.mp3"].path == tmp_path / "music/song.mp3"


def test_a_folder_of_labelled_recordings_is_speech(tmp_path: Path) -> None:
    recording(tmp_path / "monday.wav", (0.0, 1.0), labels=".txt")
    recording(tmp_path / "tuesday.wav", (0.5, 1.0), labels=".json")
    assert [(item.kind, item.speaker, item.segments) for item in read_corpus(tmp_path)] == [
        ("speech", "", (Segment(0.0, 1.0),)),
        ("speech", "", (Segment(0.5, 1.0),)),
    ]


def test_speech_without_labels_is_refused_by_name(tmp_path: Path) -> None:
    recording(tmp_path / "speech/anna/b.wav")
    with pytest.raises(LabelError, match=r"b\.wav: .*such as b\.rttm"):
        read_corpus(tmp_path)


def test_a_broken_label_file_is_named_with_its_line(tmp_path: Path) -> None:
    recording(tmp_path / "speech/anna/b.wav", (0.0, 1.0), (2.0, 3.0))
    labels = tmp_path / "speech/anna/b.rttm"
    labels.write_text(labels.read_text().replace("2.0", "two"))
    with pytest.raises(LabelError, match=r"b\.rttm:2: "):
        read_corpus(tmp_path)


def test_of_few_speakers_one_whole_speaker_is_for_validation(tmp_path: Path) -> None:
    for number in range(2):  # by their names alone, both would train
        recording(tmp_path / f"speech/speaker{number}/a.wav", (0.0, 1.0))
        recording(tmp_path / f"speech/speaker{number}/b.wav", (0.0, 1.0))
    recording(tmp_path / "noise/speaker0/fan.wav")
    splits = [(item.speaker, item.split) for item in read_corpus(tmp_path) if item.kind == "speech"]
    assert len(splits) == 4
    assert len(set(splits)) == 2
    assert {split for _, split in splits} == {"train", "dev"}


def test_an_only_speaker_trains(tmp_path: Path) -> None:
    recording(tmp_path / "speech/speaker0/a.wav", (0.0, 1.0))
    assert [item.split for item in read_corpus(tmp_path)] == ["train"]


def test_folder_splits_keep_a_speaker_together_and_never_move_anybody(tmp_path: Path) -> None:
    def splits() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for item in read_corpus(tmp_path):
            found.setdefault(item.speaker, set()).add(item.split)
        return found

    names = [f"speaker{number}" for number in range(120)]
    for name in names[:60]:
        recording(tmp_path / f"speech/{name}/a.wav", (0.0, 1.0))
    before = splits()
    for name in names:
        recording(tmp_path / f"speech/{name}/later/b.wav", (0.0, 1.0))
    after = splits()
    assert all(len(split) == 1 for split in after.values())
    assert {name: after[name] for name in before} == before
    # By name, in this process as in any other.
    assert [name for name in names[:40] if after[name] == {"dev"}] == ["speaker5", "speaker14"]
    assert 4 <= sum(split == {"dev"} for split in after.values()) <= 24


def test_everybody_in_a_conversation_stays_in_one_split(tmp_path: Path) -> None:
    rows = [{**SPEECH, "speaker": "anna + bert", "split": "test"}, {**SPEECH, "speaker": "bert"}]
    with pytest.raises(LabelError, match=r":2:.*'bert'"):
        read_corpus(manifest(tmp_path, *rows))


BOTH = "SPEAKER a 1 0.5 0.5 <NA> <NA> x <NA> <NA>\nSPEAKER b 1 2.0 1.0 <NA> <NA> x <NA> <NA>\n"


def test_labels_that_name_several_recordings_give_each_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        recording(tmp_path / "speech" / f"{name}.wav")
        (tmp_path / "speech" / f"{name}.rttm").write_text(BOTH)
    assert [item.segments for item in read_corpus(tmp_path)] == [(Segment(0.5, 1.0),), (Segment(2.0, 3.0),)]


def test_labels_of_several_others_are_not_a_recordings_own(tmp_path: Path) -> None:
    recording(tmp_path / "speech" / "c.wav")
    (tmp_path / "speech" / "c.rttm").write_text(BOTH)
    with pytest.raises(LabelError, match=r"c\.rttm: .*c\.wav.*\['a', 'b'\]\."):
        read_corpus(tmp_path)


def test_labels_that_name_one_other_are_used(tmp_path: Path) -> None:
    recording(tmp_path / "speech" / "c.wav")
    (tmp_path / "speech" / "c.rttm").write_text(BOTH.splitlines()[0])
    assert read_corpus(tmp_path)[0].segments == (Segment(0.5, 1.0),)
