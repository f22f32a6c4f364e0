"""ELAN documents and Kaldi's segments; layers of Sonic Visualiser; and who speaks, where a format says it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.label_texts import EAF, SVL

from vad.detection.segments import Segment
from vad.labels import dumps, loads, read_entries, read_labels, write_labels


def eaf(folder: Path, text: str = "hello", end: str = "ts2") -> Path:
    path = folder / "talk.eaf"
    path.write_text(EAF.format(text=text, end=end), encoding="utf-8")
    return path


def test_elan_tiers_without_a_parent_are_the_speakers(tmp_path: Path) -> None:
    found = [(one.line, one.start, one.end, one.speaker) for one in read_entries(eaf(tmp_path))]
    assert found == [(9, 1.0, 2.5, "anna"), (16, 2.0, 2.5, "bert")]


def test_an_elan_tier_can_be_chosen_and_silence_is_left_out(tmp_path: Path) -> None:
    assert read_labels(eaf(tmp_path), tier="words") == [Segment(1.0, 2.0)]
    assert read_labels(eaf(tmp_path, text="silence")) == [Segment(2.0, 2.5)]
    assert read_labels(eaf(tmp_path, text="")) == [Segment(1.0, 2.5), Segment(2.0, 2.5)]


@pytest.mark.parametrize(
    ("name", "text", "line", "rule"),
    [
        ("elan", EAF.format(text="a", end="ts4"), 16, "'ts4'"),
        ("elan", EAF.format(text="a", end="ts9"), 16, "'ts9'.*''"),
        ("elan", "<A>\n<B>\n</A>", 3, "XML.*mismatched tag"),
        ("elan", "<A/>", 1, "tier"),
        ("kaldi", "u1 a 0 1\nu2 a 5", 2, "3 fields"),
        ("kaldi", "u1 a 2 1", 1, "0 <= start <= end"),
    ],
)  # fmt: skip
def test_broken_ones_are_named_by_file_line_and_rule(name: str, text: str, line: int, rule: str) -> None:
    with pytest.raises(ValueError, match=rf"^a:{line}: ") as raised:
        loads(text, name, source="a")
    assert re.search(rule, str(raised.value))


def test_pympi_writes_documents_that_are_read(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan")
    document = elan.Eaf()
    document.remove_tier("default")
    document.add_tier("speech", part="anna")
    document.add_annotation("speech", 320, 1240, "hi & <bye>")
    document.add_annotation("speech", 1500, 2000)
    document.to_file(tmp_path / "talk.eaf")
    assert read_labels(tmp_path / "talk.eaf") == [Segment(0.32, 1.24), Segment(1.5, 2.0)]


@pytest.mark.parametrize(
    ("uri", "link"),
    [
        ("a b&.wav", "a%20b%26.wav"),
        ("https://host/a.wav?x=1&y=%202", "https://host/a.wav?x=1&y=%202"),
    ],
)
def test_pympi_reads_documents(tmp_path: Path, uri: str, link: str) -> None:
    peer = pytest.importorskip("pympi.Elan")
    write_labels(
        tmp_path / "talk.eaf",
        [Segment(0.32, 1.24), Segment(1.0, 1.3), Segment(3661.5, 3662.0)],
        uri=uri,
    )
    document = peer.Eaf(str(tmp_path / "talk.eaf"))
    assert list(document.get_tier_names()) == ["speech"]
    found = document.get_annotation_data_for_tier("speech")
    assert sorted(found) == [(320, 1300, "speech"), (3661500, 3662000, "speech")]
    assert document.media_descriptors[0]["MEDIA_URL"] == link
    assert document.media_descriptors[0]["MIME_TYPE"] == ("unknown" if "?" in uri else "audio/x-wav")


def test_a_document_is_what_elans_schema_asks_for() -> None:
    root = ElementTree.fromstring(dumps([Segment(0.32, 1.24)], "elan", uri="talk.wav"))
    assert [child.tag for child in root] == ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE"]
    assert {"AUTHOR", "DATE", "FORMAT", "VERSION"} <= root.attrib.keys()
    (tier,), (kind,) = root.findall("TIER"), root.findall("LINGUISTIC_TYPE")
    assert tier.attrib["LINGUISTIC_TYPE_REF"] == kind.attrib["LINGUISTIC_TYPE_ID"]


def test_layers_of_regions_are_read(tmp_path: Path) -> None:
    (tmp_path / "talk.svl").write_text(SVL, encoding="utf-8")
    found = [(one.line, one.start, one.end, one.label) for one in read_entries(tmp_path / "talk.svl")]
    assert found == [(7, 0.32, 1.24, "New Point"), (9, 1.5, 2.0, "a & b")]


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        ('duration="40572"', 'duration="-1"', 7, "'-1'"),
        ('sampleRate="44100"', 'sampleRate="0"', 7, "sampleRate.*'0'"),
        ('dataset id="7"', 'dataset id="9"', 7, "sampleRate.*''"),
        ("duration=", "level=", 7, "regions"),
    ],
)
def test_broken_layers_are_named_by_line_and_rule(old: str, new: str, line: int, rule: str) -> None:
    with pytest.raises(ValueError, match=rf"^t:{line}: ") as raised:
        loads(SVL.replace(old, new), "svl", source="t")
    assert re.search(rule, str(raised.value))


def test_kaldi_segments_name_recordings(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("anna-1 call 0.5 1.5\nbert-1 call 1 2\nanna-2 other 0 1\n")
    entries = read_entries(tmp_path / "segments", uri="call")
    assert [(one.label, one.start, one.end) for one in entries] == [
        ("anna-1", 0.5, 1.5),
        ("bert-1", 1.0, 2.0),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.rttm", "SPEAKER a 1 1 1.5 <NA> <NA> anna <NA> <NA>"),
        ("a.tsv", "file\tstart\tend\tspeaker\na\t1\t2.5\tanna"),
        ("a.csv", "start;end;speaker\n1;2.5;anna"),
        ("a.json", '{"segments": [{"start": 1, "end": 2.5, "speaker": "anna"}]}'),
        ("a.jsonl", '{"start": 1, "end": 2.5, "speaker": "anna"}'),
    ],
)
def test_who_speaks_is_kept(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (entry,) = read_entries(tmp_path / name)
    assert (entry.start, entry.end, entry.speaker) == (1.0, 2.5, "anna")
