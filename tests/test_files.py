"""What is written is whole or not there."""

import contextlib
import itertools
import os
from pathlib import Path

import pytest

from vad import files
from vad.errors import ConfigError, DeviceError
from vad.files import make_folder, remove_unfinished, require_writable, writing


def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old")
    for name in ("old.txt", "new.txt"):
        with contextlib.suppress(KeyboardInterrupt), writing(tmp_path / name) as temporary:
            temporary.write_text("half of it")
            raise KeyboardInterrupt
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


def test_a_write_follows_links(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "deep" / "real.txt")
    with writing(tmp_path / "link.txt") as temporary:
        temporary.write_text("all of it")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "deep" / "real.txt").read_text() == "all of it"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_what_is_no_regular_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with writing(pipe) as temporary:
            temporary.write_text("through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_what_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"gone/out.txt: no such file"),
        writing(tmp_path / "gone" / "out.txt") as temporary,
    ):
        temporary.write_text("nowhere")
    with pytest.raises(ConfigError, match=r"out.txt: the encoder"), writing(tmp_path / "out.txt"):
        raise OSError("The encoder has no words of the system")


def test_a_name_may_be_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".txt")
    with writing(path) as temporary:
        temporary.write_text("all of it")
    assert path.read_text() == "all of it"


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    with writing(tmp_path / "a.txt") as one, writing(tmp_path / "a.txt") as other:
        one.write_text("first to begin, last to end")
        other.write_text("second")
    assert (tmp_path / "a.txt").read_text() == "first to begin, last to end"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_two_processes_that_write_one_file_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set()
    for process in (1, 2):
        monkeypatch.setattr(os, "getpid", lambda number=process: number)
        monkeypatch.setattr(files, "_numbers", itertools.count())  # each process counts from 0
        with writing(tmp_path / "a.txt") as temporary:
            temporary.touch()
            names.add(temporary.name)
    assert len(names) == 2


def test_a_folder_is_made_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    require_writable(tmp_path / "a" / "b" / "c" / "d")
    assert [path.name for path in (tmp_path / "a").rglob("*")] == ["b"]
    (tmp_path / "file").touch()
    for check in (make_folder, require_writable):
        with pytest.raises(ConfigError, match=r"file/x: "):
            check(tmp_path / "file" / "x")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "a" and allowed(path, mode))
    require_writable(tmp_path / "c")
    for check, folder in ((make_folder, "a"), (require_writable, "a"), (require_writable, "a/c/d")):
        with pytest.raises(ConfigError, match=rf"{folder}: permission denied"):
            check(tmp_path / folder)


def test_an_error_of_ours_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="unplugged"), writing(tmp_path / "a.txt"):
        raise DeviceError("the microphone was unplugged")


def test_what_killed_programs_left_is_removed(tmp_path: Path) -> None:
    for name in (".part-1-0.npy", ".part-2-0.npy", "labels.npy"):
        (tmp_path / name).touch()
    for name in (".part-1-0.npy", "labels.npy"):
        os.utime(tmp_path / name, (0, 0))
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".part-2-0.npy", "labels.npy"}
