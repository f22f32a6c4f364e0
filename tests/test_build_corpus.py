"""The corpus built again from its sources: a repository and a package that the test makes."""

from __future__ import annotations

import json
import lzma
import shutil
import struct
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import build_corpus
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from vad.audio.reading import read_audio
from vad.corpus.manifest import read_corpus
from vad.training.data.decoded import DecodedCorpus, decode_corpus

pytestmark = pytest.mark.skipif(
    not shutil.which("git") or not shutil.which("dpkg-deb"), reason="needs git and dpkg-deb"
)

RATE = 44_100
Samples = npt.NDArray[np.float64]


def sound(seed: int, seconds: float) -> Samples:
    """Noise below 4 kHz: no two parts of it are alike."""
    rough = np.random.default_rng(seed).standard_normal(round(seconds * 8000) + 1)
    return 0.2 * np.interp(np.arange(round(seconds * RATE)) / RATE, np.arange(len(rough)) / 8000, rough) + 0.1


PACKAGE = "rain-data_1%3a2-3_all.deb"
SOUNDS = {"clips/anna one.wav": sound(1, 1.0), "clips/band.flac": sound(2, 3.0), "unused.wav": sound(3, 0.5)}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository, owner/voices, whose newest commit lacks the files, and a package."""
    folder = tmp_path_factory.mktemp("made")
    repository, root = folder / "owner/voices", folder / "root"
    for name, samples in SOUNDS.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(repository / name, samples, RATE)
    git(repository, "init", "--quiet")
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "one")
    git(repository, "tag", "one")
    git(repository, "rm", "--quiet", "-r", "clips")
    git(repository, "commit", "--quiet", "-m", "two")
    (root / "DEBIAN").mkdir(parents=True)
    control = "Package: rain-data\nVersion: 1:2-3\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: t\n"
    (root / "DEBIAN/control").write_text(control)
    (root / "usr").mkdir()
    soundfile.write(root / "usr/rain.wav", sound(4, 2.0), RATE)
    with zipfile.ZipFile(root / "usr/base.wz", "w") as archive:
        archive.write(repository / "unused.wav", "sfx/thunder.wav")
    streams = []
    for seed in (5, 6):
        soundfile.write(folder / "one.ogg", sound(seed, 1.0), 16_000)
        streams.append((folder / "one.ogg").read_bytes())
    (root / "usr/words.rcc").write_bytes(b"qres" + streams[0] + b"between" + streams[1] + b"end")
    table = b"QTBLCEM10\0\0\0\1" + struct.pack(">H12sBII", 1, b"C1.SB", 1, 36, len(streams[0]))
    (root / "usr/queen.1c").write_bytes(table + streams[0])
    command = ["dpkg-deb", "--build", str(root), str(folder / PACKAGE)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def places(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data that name both; the package was downloaded."""
    (tmp_path / "out/sources/packages").mkdir(parents=True)
    shutil.copy(made / PACKAGE, tmp_path / "out/sources/packages")
    repository = made / "owner/voices"
    write_data(tmp_path / "data", repository.as_uri(), git(repository, "rev-parse", "one"))
    monkeypatch.setattr(build_corpus, "DATA", tmp_path / "data")
    return tmp_path


def write_data(folder: Path, url: str, commit: str) -> None:
    rows: list[dict[str, Any]] = [
        {"audio_filepath": "speech/anna.flac", "kind": "speech", "source": "owner/voices", "duration": 1.0}
        | {"original": "copy/clips/anna_one.flac", "split": "train", "segments": [[0.2, 0.8]]},
        {"audio_filepath": "music/band.flac", "kind": "music", "source": "owner/voices", "duration": 1.25}
        | {"original": "clips/band.flac", "original_start": 0.5, "split": "train", "license": "CC-BY-4.0"},
        {"audio_filepath": "speech/gone.flac", "kind": "speech", "source": "owner/voices", "duration": 1.0}
        | {"original": "clips/gone.flac", "split": "dev", "segments": []},
        {"audio_filepath": "noise/rain.flac", "kind": "noise", "source": "debian:rain-data", "duration": 2.0}
        | {"original": "usr/rain.wav", "split": "dev"},
        {
            "audio_filepath": "noise/thunder.flac",
            "kind": "noise",
            "source": "debian:rain-data",
            "duration": 0.5,
        }
        | {"original": "base.wz.d/sfx/thunder.wav", "split": "dev"},
        *(
            {"audio_filepath": f"noise/{number}.flac", "kind": "noise", "source": "debian:rain-data"}
            | {"duration": 2.756, "original": original, "split": "train"}
            for number, original in enumerate(("carved/words/000.ogg", "carved/words/001.ogg", "C1.SB"))
        ),
    ]
    (folder / "corpus").mkdir(parents=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "corpus/manifest.jsonl.xz").write_bytes(lzma.compress(text.encode()))
    cells = np.arange(200, dtype=np.uint8)
    np.savez(folder / "corpus/soft_labels.npz", cells=cells, lengths=np.array([100, 100]))
    (folder / "sources.toml").write_text(
        f'["owner/voices"]\nkind = "git"\nurl = "{url}"\ncommit = "{commit}"\nlicence = "CC0-1.0"\n'
        '["debian:rain-data"]\nkind = "debian"\npackage = "rain-data"\nversion = "1:2-3"\nlicence = "MIT"\n'
    )


def correlation(path: Path, samples: Samples) -> float:
    """Of a file at 16 kHz with a sound at 44.1 kHz."""
    built, _ = soundfile.read(path)
    at = np.arange(len(built)) / 16_000
    return float(np.corrcoef(built, np.interp(at, np.arange(len(samples)) / RATE, samples))[0, 1])


def test_builds_a_corpus_that_trains(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = places / "out"
    assert build_corpus.main(["--out", str(out)]) == 1
    assert "cannot get clips/gone.flac of owner/voices: there is no such file." in capsys.readouterr().err
    assert correlation(out / "speech/anna.flac", SOUNDS["clips/anna one.wav"]) > 0.99
    assert correlation(out / "music/band.flac", SOUNDS["clips/band.flac"][RATE // 2 :]) > 0.99
    assert correlation(out / "noise/rain.flac", sound(4, 2.0)) > 0.99
    assert abs(read_audio(out / "noise/rain.flac").mean()) < 1e-3  # an offset would count as level
    items = read_corpus(out)
    assert [item.license for item in items] == ["CC0-1.0", "CC-BY-4.0", *["MIT"] * 5]
    assert items[2].commit == "1:2-3"
    decoded = DecodedCorpus(decode_corpus(out, places / "decoded", 1), "train")
    assert np.allclose(decoded.labels(decoded.recordings[0]) * 255, np.arange(100))


def test_unpacks_the_archives_of_games(places: Path) -> None:
    out = places / "out"
    assert build_corpus.main(["--out", str(out), "--only", "debian:rain-data"]) == 0
    carved, second, listed = (read_audio(out / f"noise/{number}.flac") for number in range(3))
    assert np.array_equal(carved, listed)
    assert np.corrcoef(carved, second)[0, 1] < 0.1


def test_fetches_no_more_than_it_needs(places: Path) -> None:
    build_corpus.main(["--out", str(places / "out"), "--only", "owner/voices"])
    clone = places / "out/sources/owner/voices"
    kinds = git(clone, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
    assert (kinds.count("commit"), kinds.count("blob")) == (1, 2)


def test_goes_on_where_it_was_stopped(places: Path) -> None:
    out = places / "out"
    assert build_corpus.main(["--out", str(out), "--only", "debian:rain-data"]) == 0
    before = (out / "noise/rain.flac").stat().st_mtime_ns
    shutil.rmtree(out / "sources")
    build_corpus.main(["--out", str(out)])
    assert (out / "noise/rain.flac").stat().st_mtime_ns == before
    assert len(read_corpus(out)) == 7


def test_takes_clones_and_packages_instead_of_the_network(places: Path, made: Path) -> None:
    text = (places / "data/sources.toml").read_text()
    (places / "data/sources.toml").write_text(text.replace("file://", "file:///nowhere"))
    only = ["--only", "owner/voices", "debian:rain-data"]
    build_corpus.main(["--out", str(places / "one"), "--mirror", str(made), *only])
    assert len(read_corpus(places / "one")) == 7
    build_corpus.main(["--out", str(places / "two"), *only[:2]])  # the mirror made the difference
    assert (places / "two/manifest.jsonl").read_text() == ""


def test_a_recording_of_another_length_is_none_of_ours(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packaged = places / "data/corpus/manifest.jsonl.xz"
    text = lzma.decompress(packaged.read_bytes()).decode().replace('"duration": 2.0', '"duration": 2.1')
    packaged.write_bytes(lzma.compress(text.encode()))
    assert build_corpus.main(["--out", str(places / "out"), "--only", "debian:rain-data"]) == 1
    assert "it has 2.00 s, the manifest has 2.10 s" in capsys.readouterr().err


def test_an_unknown_source_is_a_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        build_corpus.main(["--out", str(tmp_path / "out"), "--only", "owner/voice"])
    assert ended.value.code == 2
    assert not (tmp_path / "out").exists()


def test_every_row_has_a_source_and_its_labels() -> None:
    sources = tomllib.loads((build_corpus.DATA / "sources.toml").read_text(encoding="utf-8"))
    rows, labels = build_corpus.read_rows(build_corpus.DATA / "corpus", sources)
    assert {row["source"] for row in rows} == set(sources)
    for row in rows:
        if row["kind"] == "speech":
            cells = labels[row["audio_filepath"].replace("/", "|")]
            assert abs(len(cells) / 100 - row["duration"]) < 0.05, row
