"""Which format a file is in, by its extension and, where several share one, by what it says."""

import gzip
import re
from pathlib import Path

import pytest
from support.places import ROOT

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import FORMATS, dumps, format_of, read_labels
from vad.labels.formats import EXTENSIONS, SUFFIXES, label_files

TALK = [Segment(0.32, 1.24), Segment(1.5, 2.0)]
NEMO = dumps(TALK, "nemo", uri="call.wav")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("call.txt", dumps(TALK, "audacity")),
        ("call.txt", "\\\t100\t200\n" + dumps(TALK, "audacity")),
        ("call.txt", "0.32\t1.24\tpages 3 4\n1.5\t2\t5 6\n"),
        ("call.txt", dumps(TALK, "text", uri="my call")),
        ("call.txt", dumps(TALK, "text", uri="call")),
        ("call.txt", dumps(TALK, "text")),
        ("call.txt", dumps(TALK, "rttm", uri="call")),
        ("call.txt", dumps(TALK, "rttm", uri="call").replace(" <NA>\n", "\n")),
        ("call.txt", "a/call.wav\tstreet\t0.32\t1.24\tspeech\na/call.wav\tstreet\t1.5\t2.0\tspeech\n"),
        ("call.txt", "onset\toffset\tevent_label\n0.32\t1.24\tspeech\n1.5\t2\tspeech\n"),
        ("call.json", dumps(TALK, "json")),
        ("call.json", dumps(TALK, "labelstudio", uri="call.wav")),
        ("manifest.json", NEMO),
        ("manifest.json", NEMO.splitlines()[0] + "\n\n" + NEMO.splitlines()[1]),
        ("call.jsonl", NEMO),
        ("call.jsonl", dumps(TALK, "json")),
        ("call.jsonl", f"[{NEMO.replace(chr(10), ',').rstrip(',')}]"),
        ("call.csv", dumps(TALK, "csv", uri="call")),
        ("call.csv", "0.32,1.24,speech\n1.5,2,speech\n"),
        ("call.lab", "3200000 12400000 hi\n15000000 20000000 there\n"),
        ("all.mlf", '#!MLF!#\n"*/call.lab"\n3200000 12400000 hi\n15000000 20000000 there\n.\n'),
        ("call.ctm", "call 1 0.32 0.92 hi\ncall 1 1.5 0.5 there\n"),
        ("call.STM", "call 1 anna 0.32 1.24 hi\ncall 1 anna 1.5 2 there\n"),
        ("call.uem", dumps(TALK, "uem", uri="call")),
        ("segments", dumps(TALK, "kaldi", uri="call")),
    ],
)
def test_what_a_file_says_tells_its_format(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read_labels(path) == TALK


def test_one_line_of_a_manifest_is_read_as_json(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(NEMO.splitlines()[0])
    assert read_labels(path) == TALK[:1]


def test_a_list_of_one_object_on_its_own_line_is_read_as_json(tmp_path: Path) -> None:
    path = tmp_path / "call.json"
    path.write_text('[\n{"start": 0.32, "end": 1.24}\n]\n')
    assert read_labels(path) == TALK[:1]


def test_labels_may_be_packed(tmp_path: Path) -> None:
    path = tmp_path / "supervisions.jsonl.gz"
    path.write_bytes(
        gzip.compress(b'{"id": "1", "recording_id": "a", "start": 0.32, "duration": 0.92, "channel": 0}\n')
    )
    assert read_labels(path) == TALK[:1]
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(LabelError, match=r"supervisions\.jsonl\.gz: "):
        read_labels(path)


@pytest.mark.parametrize("text", ["\n", "hello there\n", "0\tend\tx\n", "5\n"])
def test_a_text_of_no_known_shape_is_read_as_audacitys(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    if not text.strip():
        assert read_labels(path) == []
        return
    with pytest.raises(LabelError, match=r"a\.txt:1: (an Audacity label needs|start must|end must)"):
        read_labels(path)


def test_a_transcript_or_what_is_scored_is_nobodys_labels(tmp_path: Path) -> None:
    (tmp_path / "call.lab").write_text("hello there\n")  # the Montreal Forced Aligner's
    (tmp_path / "call.uem").write_text("call 1 0 60\n")
    assert list(label_files(tmp_path / "call")) == []
    assert ".uem" not in SUFFIXES
    (tmp_path / "call.lab").write_text("0 3200000 sil\n")
    assert list(label_files(tmp_path / "call")) == [tmp_path / "call.lab"]
    assert format_of(tmp_path / "call.lab") == "htk"


def test_every_format_is_in_the_list_of_label_files() -> None:
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    table = page.split("## Label files")[1].split("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ")][1:]
    names, files = (set(re.findall(r"`([^`]+)`", " ".join(column))) for column in zip(*rows, strict=True))
    assert names == set(FORMATS)
    assert files == set(EXTENSIONS) | {"segments"}
