"""A folder is one corpus whichever door it comes in by: read as it is, or made a manifest by `vad prepare`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.prepared import TALK, prepare, recording

from vad.corpus.manifest import CorpusItem, read_corpus
from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import merge

LATE = [Segment(0.7, 1.2), Segment(1.9, 2.8)]


def shown(items: list[CorpusItem], *, splits: bool = True) -> set[object]:
    return {
        (
            item.path.resolve(),
            item.kind,
            item.split if splits else "",
            item.speaker,
            tuple(merge(item.segments)),
        )
        for item in items
    }


def divided(root: Path) -> None:
    for name, split in (("anna", "train"), ("bert", "dev"), ("cleo", "test"), ("dora", "train")):
        recording(root / f"{split}/speech/{name}/1.wav", *TALK)
        recording(root / f"{split}/speech/{name}/later/2.wav", *LATE, labels=".csv")
    recording(root / "train/speech/1.wav", *TALK)
    recording(root / "dev/speech/1.wav", *LATE)
    recording(root / "train/noise/fan.wav")
    recording(root / "dev/noise/fan.wav")
    recording(root / "test/music/band/song.wav")


def labelled_in_parts(root: Path) -> None:
    for split in ("train", "dev", "test"):
        recording(root / f"{split}/anna-{split}/a.wav", *TALK)
        recording(root / f"{split}/b.wav", *LATE, Segment(0.9, 1.1))


@pytest.mark.parametrize("lay_out", [divided, labelled_in_parts])
def test_a_divided_folder_is_the_corpus_that_prepare_makes_of_it(
    lay_out, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(tmp_path / "rec")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "rec")
    assert code == 0, err
    read = read_corpus(tmp_path / "rec")
    assert shown(read) == shown(items)
    assert len({item.key for item in read}) == len(read)
    for item in read:
        assert item.split == item.path.relative_to(tmp_path / "rec").parts[0]


def test_of_an_undivided_folder_all_but_the_draw_of_splits_agrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("anna", "bert", "cleo"):
        recording(tmp_path / f"rec/speech/{name}/1.wav", *TALK)
    recording(tmp_path / "rec/speech/1.wav", *LATE)
    for path in ("fan", "anna/room", "street/tram"):
        recording(tmp_path / f"rec/noise/{path}.wav")
    _, items, _ = prepare(capsys, tmp_path, tmp_path / "rec")
    assert shown(read_corpus(tmp_path / "rec"), splits=False) == shown(items, splits=False)


def test_parts_beside_what_is_undivided_are_not_passed_over(tmp_path: Path) -> None:
    for name in ("anna", "bert", "cleo", "dora"):
        recording(tmp_path / f"speech/{name}/1.wav", *TALK)
    recording(tmp_path / "test/speech/emil/1.wav", *TALK)
    recording(tmp_path / "test/speech/anna/2.wav", *TALK)
    split_of = {item.speaker: item.split for item in read_corpus(tmp_path)}
    assert (split_of["emil"], split_of["anna"]) == ("test", "test")
    assert {split_of[name] for name in ("bert", "cleo", "dora")} == {"train", "dev"}


def test_a_speaker_given_in_two_splits_is_refused_by_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("train", "dev"):
        recording(tmp_path / f"rec/{split}/speech/anna/{split}.wav", *TALK)
    assert prepare(capsys, tmp_path, tmp_path / "rec")[0] == 1
    with pytest.raises(LabelError, match=r"dev\.wav: .*'anna'|train\.wav: .*'anna'"):
        read_corpus(tmp_path / "rec")


def test_a_flat_folder_holds_unknown_speakers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        recording(tmp_path / f"rec/{number}.wav", *TALK)
    said: list[str] = []
    read = read_corpus(tmp_path / "rec", said.append)
    _, items, err = prepare(capsys, tmp_path, tmp_path / "rec")
    assert {item.speaker for item in [*read, *items]} == {""}
    assert len(said) == 1
    assert said[0].startswith("4 recordings ")
    assert f"note: {said[0]}" in err
    for words in (["--speaker", "file"], ["--speaker", r"([0-9])\.wav"]):
        assert said[0] not in prepare(capsys, tmp_path / words[1][:2], tmp_path / "rec", *words)[2]
    for path in list((tmp_path / "rec").iterdir()):
        (tmp_path / "rec/train").mkdir(exist_ok=True)
        path.rename(tmp_path / "rec/train" / path.name)
    read_corpus(tmp_path / "rec", said.append)
    assert len(said) == 1, "splits that folders say are nobody's draw"
