"""The words of a command line become recordings, in order."""

import contextlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from vad.commands.detecting.outputs import is_folder, paths_in
from vad.commands.detecting.recordings import find_recordings
from vad.corpus.manifest import read_corpus
from vad.errors import ConfigError, LabelError

NO_PIPES = contextlib.ExitStack()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recordings, which is where the test stands."""
    for name in ("b.wav", "a.FLAC", "notes.txt", ".hidden.wav", "deep/c.mp3", "deep/er/d.wav", "odd[1].wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "nothing").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words: str, recursive: bool = False) -> list[str]:
    return [found.name for found in find_recordings(words, NO_PIPES, recursive=recursive)]


def test_words_keep_their_order_and_their_spelling(tree: Path) -> None:
    assert names("b.wav", "./a.FLAC", "missing.wav", "b.wav") == ["b.wav", "./a.FLAC", "missing.wav", "b.wav"]


def test_a_folder_is_its_audio_files_sorted(tree: Path) -> None:
    assert names(".") == ["./a.FLAC", "./b.wav", "./odd[1].wav"]


def test_recursive_goes_down(tree: Path) -> None:
    assert names(".", recursive=True) == [
        "./a.FLAC", "./b.wav", "./deep/c.mp3", "./deep/er/d.wav", "./odd[1].wav",
    ]  # fmt: skip


def test_a_folder_with_the_name_of_a_manifest_is_that_folder(tree: Path) -> None:
    (tree / "deep").rename("deep.jsonl")
    assert names("deep.jsonl") == ["deep.jsonl/c.mp3"]


def test_a_folder_in_a_manifest_is_no_pipe(tree: Path) -> None:
    Path("list.jsonl").write_text('{"audio_filepath": "deep"}\n')
    (found,) = find_recordings(["list.jsonl"], NO_PIPES, recursive=False)
    assert found.problem is None, "opening it says what it is"


def test_a_pattern_reads_the_manifests_it_matches(tree: Path) -> None:
    for name, row in (("1.jsonl", "b.wav"), ("2.jsonl", "deep/c.mp3"), ("deep/3.jsonl", "er/d.wav")):
        Path(name).write_text(json.dumps({"audio_filepath": row}))
    assert names("*.jsonl") == ["b.wav", "deep/c.mp3"]
    assert names("[ab].*") == ["a.FLAC", "b.wav"]
    assert names("deep/*") == ["deep/er/d.wav", "deep/c.mp3"]
    assert names("[1].jsonl") == ["b.wav"]
    Path("[1].jsonl").write_text('{"audio_filepath": "a.FLAC"}')
    assert names("[1].jsonl") == ["a.FLAC"]


def test_the_folder_of_a_host_is_a_valid_name_without_the_password(tree: Path) -> None:
    Path("list.jsonl").write_text('{"audio_filepath": "http://me:secret@host:8000/a%20b/c:d.wav?key=1"}')
    (found,) = find_recordings(["list.jsonl"], NO_PIPES, recursive=False)
    assert found.place.parts == ("host_8000", "a b", "c:d.wav")


def test_of_many_rows_that_are_wrong_the_first_are_shown(tree: Path) -> None:
    Path("list.jsonl").write_text('{"audio_filepath": "b.wav"}\n' + "b.wav\n" * 99)
    read, *unread = find_recordings(["list.jsonl"], NO_PIPES, recursive=False)
    assert (read.name, read.problem) == ("b.wav", None)
    assert [one.name for one in unread] == [f"list.jsonl:{row}" for row in range(2, len(unread) + 2)]
    assert 2 < len(unread) < 20
    assert str(99 - len(unread)) in str(unread[-1].problem)


def test_patterns_are_matched_here_too(tree: Path) -> None:
    assert names("*.wav") == ["b.wav", "odd[1].wav"]
    assert names("**/*.wav") == ["b.wav", "deep/er/d.wav", "odd[1].wav"]


def test_a_file_with_a_pattern_for_a_name_is_that_file(tree: Path) -> None:
    assert names("odd[1].wav") == ["odd[1].wav"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nothing", "--recursive"),
        ("*.ogg", r"^\*\.ogg: "),
    ],
)
def test_what_names_nothing_says_so_and_keeps_its_place(tree: Path, word: str, message: str) -> None:
    found = find_recordings(["b.wav", word, "a.FLAC"], NO_PIPES, recursive=False)
    assert [recording.name for recording in found] == ["b.wav", word, "a.FLAC"]
    assert found[1].problem is not None
    assert re.search(message, found[1].problem)


def test_stdin_is_given_once(tree: Path) -> None:
    with pytest.raises(ConfigError, match="given twice"):
        find_recordings(["-", "-"], NO_PIPES, recursive=False)


def places(*words: str) -> list[str]:
    found = find_recordings(words, NO_PIPES, recursive=words != ("..",))
    return [str(path) for path in paths_in(Path("out"), found, ".json").values()]


def test_results_mirror_the_folder_and_the_pattern(tree: Path) -> None:
    assert places("deep") == ["out/c.json", "out/er/d.json"]
    assert places("./deep/*/*.wav") == ["out/er/d.json"]
    assert places("deep/er/d.wav") == ["out/d.json"]


def test_recordings_that_differ_in_their_suffix_keep_it(tree: Path) -> None:
    (tree / "b.mp3").touch()
    assert places("b.wav", "b.mp3", "a.FLAC") == ["out/b.wav.json", "out/b.mp3.json", "out/a.json"]


def test_two_recordings_never_share_an_output(tree: Path) -> None:
    (tree / "deep/b.wav").touch()
    with pytest.raises(ConfigError, match=r"b.wav and deep/b.wav .* out/b.wav.json"):
        places("b.wav", "deep/b.wav")


@pytest.mark.parametrize("again", ["b.wav", "./b.wav"])
def test_a_recording_given_twice_is_refused(tree: Path, again: str) -> None:
    with pytest.raises(ConfigError, match=r"b.wav and .*b.wav are the same file"):
        places("b.wav", again)


@pytest.mark.parametrize(
    ("path", "count", "expected"),
    [("deep", 1, True), ("new/", 1, True), ("new", 1, False), ("new", 2, True), ("new.csv", 2, False)],
)
def test_which_outputs_are_folders(tree: Path, path: str, count: int, expected: bool) -> None:
    assert is_folder(path, count) is expected


@pytest.mark.parametrize(
    ("word", "expected"), [("", ["out/unnamed.json"]), ("missing/", ["out/missing.json"]), ("..", [])]
)
def test_odd_words_have_a_place_too(tree: Path, word: str, expected: list[str]) -> None:
    assert places(word) == expected


def test_an_output_never_lies_on_a_recording(tree: Path) -> None:
    found = find_recordings(["deep/er"], NO_PIPES, recursive=False)
    with pytest.raises(ConfigError, match=r"deep/er/d.wav would overwrite a recording"):
        paths_in(Path("./deep/er"), found, ".wav")


def test_folders_behind_links_are_visited_once(tree: Path) -> None:
    (tree / "nothing" / "away").symlink_to(tree / "deep" / "er")
    (tree / "deep" / "er" / "up").symlink_to(tree)
    assert Path(names("nothing", recursive=True)[0]).name == "d.wav"
    assert sorted(Path(name).name for name in names(".", recursive=True)) == [
        "a.FLAC", "b.wav", "c.mp3", "d.wav", "odd[1].wav"
    ]  # fmt: skip


def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder without read permission, which the superuser could read."""
    scandir = os.scandir

    def refusing(path: str) -> object:
        if os.path.basename(path) == folder.name:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)
    return "cannot be read: permission denied"


def piped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A pipe named like audio: opening it would wait for ever."""
    os.mkfifo(folder / "pipe.wav")
    return "it is a pipe"


@pytest.mark.parametrize("spoil", [closed, piped])
def test_nothing_in_a_folder_is_passed_over(
    tree: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[..., str]
) -> None:
    reason = spoil(tree / "deep" / "er", monkeypatch)
    *fine, problem = find_recordings(["."], NO_PIPES, recursive=True)
    assert {one.problem for one in fine} == {None}
    assert reason in str(problem.problem)
    with pytest.raises(LabelError, match=reason):
        read_corpus(tree)


@pytest.mark.parametrize("pattern", ["deep/*/*.wav", "**/*.wav", "deep/er/*"])
def test_a_pattern_names_the_folders_that_it_cannot_search(
    tree: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    reason = closed(tree / "deep" / "er", monkeypatch)
    *fine, problem = find_recordings([pattern], NO_PIPES, recursive=False)
    assert {one.problem for one in fine} <= {None}
    assert problem.problem == f"deep/er: {reason}."


def test_a_pattern_opens_no_pipe(tree: Path) -> None:
    os.mkfifo(tree / "pipe.wav")
    problems = {one.name: one.problem for one in find_recordings(["*.wav"], NO_PIPES, recursive=False)}
    assert problems["b.wav"] is None
    assert "it is a pipe" in str(problems["pipe.wav"])
