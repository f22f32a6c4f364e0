"""`vad detect` with recordings at URLs and in manifests: the results of the same files on this disk."""

import functools
import http.server
import json
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import soundfile
from support import paper_ray
from support.sounds import RATE, tone

from vad.audio import remote
from vad.cli import main

Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand beside `rec`, which has recordings, a hidden one, and a text."""
    monkeypatch.chdir(tmp_path)
    rec = tmp_path / "rec"
    (rec / "more").mkdir(parents=True)
    for seconds, name in ((0.4, "a.wav"), (0.5, "b.flac"), (0.6, "more/c d.mp3"), (0.7, ".e.wav")):
        samples = np.concatenate([np.zeros(RATE // 2, np.float32), tone(seconds)])
        soundfile.write(rec / name, samples, RATE)
    (rec / "notes.txt").write_text("no audio")
    return tmp_path


@pytest.fixture
def memory(folder: Path) -> Iterator[str]:
    """The folder in a store of objects."""
    store = fsspec.filesystem("memory")
    store.put(str(folder / "rec"), "/store/rec", recursive=True)
    yield "memory://store/rec"
    store.rm("/store", recursive=True)


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    """The folder on a web server."""
    pytest.importorskip("aiohttp", reason="needs the extra remote")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.endswith("/locked.wav"):
                self.send_error(403)
            elif self.path.endswith("/dropped.wav"):
                self.send_response(200)
                self.send_header("Content-Length", "400")
                self.end_headers()
            else:
                super().do_GET()

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/rec"
        server.shutdown()
        thread.join()


@pytest.fixture
def run(folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `vad detect`, and give its lines on stderr."""

    def detect(*words: str, code: int = 0) -> str:
        assert main(["detect", *words, "--model", str(model_path), "--jobs", "1"]) == code
        return capsys.readouterr().err

    return detect


def results(path: str) -> dict[str, list[tuple[float, float]]]:
    """The segments of each recording, by the name of its file."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in map(json.loads, Path(path).read_text().splitlines()):
        name = row["file"].partition("::")[0].rpartition("/")[2].replace("%20", " ")
        found.setdefault(name, []).append((row["start"], row["end"]))
    return found


def check(run: Run, url: str, output: str, *words: str) -> None:
    """Compare the results of a folder at a URL with those of the folder here."""
    run("rec", "-r", "-o", "plain.jsonl", "--overwrite")
    run(url, "-r", "-o", output, *words)
    assert results(output) == results("plain.jsonl")
    assert len(results(output)) == 3


def test_a_folder_in_a_store_gives_what_it_gives_here(
    run: Run, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(run, memory, "out.jsonl")
    check(run, memory, "job.jsonl", "--resume")
    paper_ray.install(monkeypatch, lambda *_: False)
    check(run, memory, "cluster.jsonl", "--ray")
    run(memory, "-r", "-o", "labels/", "-f", "rttm")
    assert sorted(path.name for path in Path("labels").rglob("*.rttm")) == ["a.rttm", "b.rttm", "c d.rttm"]


def test_a_folder_on_a_web_server_gives_what_it_gives_here(run: Run, web: str) -> None:
    check(run, f"{web}/", "out.jsonl", "--resume")
    run(f"{web}/*.wav", "-o", "pattern.jsonl")
    assert set(results("pattern.jsonl")) == {"a.wav"}
    away = "http://127.0.0.1:1"
    absent = [f"{web}/none/", f"{web}/no.wav"]
    unreached = [f"{away}/", f"{away}/*.wav", f"{away}/x.wav"]
    refused = [f"{web}/locked.wav", f"{web}/dropped.wav", "http:///x.wav"]
    lines = run(*absent, *unreached, *refused, f"{web}/a.wav", "-o", "some.jsonl", code=1)
    reasons = dict(re.findall(r"^vad: (\S+): cannot be read(?: further)?: (.*)", lines, re.MULTILINE))
    assert [url for url in reasons if "there is no such file" in reasons[url]] == absent
    assert [url for url in reasons if "no connection" in reasons[url]] == unreached
    assert list(reasons) == [*absent, *unreached, *refused]
    assert not re.search(r"\[|ssl|Error|Payload|=|\('", " ".join(reasons.values())), "the words of aiohttp"
    assert set(results("some.jsonl")) == {"a.wav"}
    assert "end the URL with `/`" in run(web, "-o", "out.jsonl", "--overwrite", code=1)


def test_recordings_in_an_archive_are_read_where_they_are(run: Run) -> None:
    shutil.make_archive("calls", "zip", ".", "rec")
    check(run, f"zip://rec/::file://{Path('calls.zip').resolve()}", "out.jsonl")


def test_what_cannot_be_read_is_a_line_each_and_the_others_are_done(run: Run, memory: str) -> None:
    loud = memory.replace("memory", "MEMORY")
    inputs = [f"{memory}/no.wav", "nowhere://a.wav", "memory://empty/", f"{memory}/*.ogg", f"{loud}/a.wav"]
    lines = run(*inputs, "-o", "out.jsonl", code=1)
    for url, reason in zip(
        inputs, ("no such file", "Protocol not known", "no audio files", "no file matches"), strict=False
    ):
        assert re.search(rf"^vad: {re.escape(url)}: .*{reason}", lines, re.MULTILINE)
    assert set(results("out.jsonl")) == {"a.wav"}


def test_a_job_does_again_what_changed_in_a_store(run: Run, memory: str, folder: Path) -> None:
    words = [memory, "--resume", "-o", "out.jsonl"]
    for extra in ([], ["--hash"]):
        run(*words, *extra)
        fsspec.filesystem("memory").put(str(folder / "rec/more/c d.mp3"), "/store/rec/a.wav")
        assert "1 of 2 recordings are done. Done again: 1 changed" in run(*words, *extra)
        fsspec.filesystem("memory").put(str(folder / "rec/a.wav"), "/store/rec/a.wav")


def test_a_job_does_again_what_may_have_changed(
    run: Run, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some web servers state no size, and some say nothing that tells whether the content is the same."""
    notes = []
    store = type(fsspec.filesystem("memory"))
    info = store.info
    for tag in ("1", "1", "2", "", ""):

        def unsized(
            self: fsspec.AbstractFileSystem, path: str, tag: str = tag, **options: Any
        ) -> dict[str, Any]:
            said = {"size": None, "type": "file", "ETag": tag}
            return said if path.endswith("a.wav") else info(self, path, **options)

        monkeypatch.setattr(store, "info", unsized)
        notes.append("changed" in run(f"{memory}/a.wav", "--resume", "-o", "out.jsonl"))
    assert notes == [False, False, True, True, True]


def test_a_manifest_names_recordings_beside_it_and_elsewhere(run: Run, memory: str, folder: Path) -> None:
    shutil.make_archive("calls", "zip", ".", "rec")
    zipped = f"zip://rec/a.wav::file://{folder / 'calls.zip'}"
    rows = ["a.wav", str(folder / "rec/b.flac"), f"{memory}/more/c d.mp3", "a.wav", zipped]
    bad_rows = ["gone.wav", "memory://", "", "a\0.wav", "\ud800.wav"]
    lines = [json.dumps({"audio_filepath": row, "offset": 1.0}) for row in [*rows, *bad_rows]]
    for manifest in (str(folder / "rec/list.jsonl"), f"{memory}/list.jsonl"):
        with fsspec.open(manifest, "w") as file:
            file.write("\n".join([*lines, "{broken", '{"path": "a"}']))
        errors = run(manifest, "-o", "out.jsonl", "--overwrite", code=1)
        assert set(results("out.jsonl")) == {"a.wav", "b.flac", "c d.mp3"}
        assert len(Path("out.jsonl").read_text().splitlines()) == len(rows) - 1
        for problem in ("gone.wav: ", "memory://: ", *(f"list.jsonl:{number}: " for number in range(8, 13))):
            assert errors.count(problem) == 1
    run(f"{memory}/l*.jsonl", "-o", "pattern.jsonl", code=1)
    assert results("pattern.jsonl") == results("out.jsonl")
    assert "cannot read the manifest" in run("no.jsonl", "rec/a.wav", code=1)
    run(str(folder / "rec/list.jsonl"), "-o", "labels/", "-f", "rttm", code=1)
    places = {path.relative_to("labels").as_posix() for path in Path("labels").rglob("*.rttm")}
    in_archive = f"{folder}/calls.zip/rec/a.rttm".removeprefix("/")
    assert {"a.rttm", "store/rec/more/c d.rttm", in_archive} < places


@pytest.mark.skipif(sys.platform == "win32", reason="needs a signal to one thread")
def test_ctrl_c_waits_for_no_server(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(remote, "_state", lambda *_: answer.wait(10.0))
    press = threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    press.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        remote.url_states([f"{memory}/a.wav"])
    assert time.monotonic() - began < 5.0
    answer.set()


def test_packages_of_the_extra_are_asked_for_where_they_are_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "http", raising=False)
    assert "openvad[remote]" in run("http://127.0.0.1:1/a.wav", "-o", "out.jsonl", code=2)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert "openvad[remote]" in run("s3://bucket/a.wav", "-o", "out.jsonl", code=2)
    run("rec", "-o", "out.jsonl")
