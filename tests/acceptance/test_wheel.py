"""The wheel, as somebody installs it: built, checked, and used in an environment that holds nothing else.

Run it with `scripts/check wheel`, or `python -m pytest -m acceptance tests/acceptance/test_wheel.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import soundfile
from support.places import EXAMPLES, ROOT

pytestmark = pytest.mark.acceptance

MOST_BYTES = 12_000_000


def run(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run to success."""
    done = subprocess.run(list(map(str, words)), text=True, capture_output=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return done  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of source distribution and wheel, built from a copy of the tree; the wheel is made of the former."""
    folder = tmp_path_factory.mktemp("source")
    unwanted = ("__pycache__", "build", "dist", "runs", "*.egg-info", "node_modules")
    hidden = (".git", ".venv", ".hypothesis", ".*_cache")
    shutil.copytree(ROOT, folder / "tree", ignore=shutil.ignore_patterns(*unwanted, *hidden))
    built = run(sys.executable, "-m", "build", "--outdir", folder / "dist", folder / "tree")
    warnings = [line for line in (built.stdout + built.stderr).splitlines() if "warning" in line.lower()]
    harmless = ("byte-compiling is disabled", "no previously-included")  # what a clean tree does not have
    assert [line for line in warnings if not any(text in line for text in harmless)] == []
    run(sys.executable, "-m", "twine", "check", "--strict", *(folder / "dist").iterdir())
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    """The wheel."""
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", folder / "env")
    programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", wheel)
    return programs


def test_the_wheel_holds_what_running_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "vad").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    models = {
        f"vad/models/{path.name}"
        for path in (ROOT / "models").iterdir()
        if path.suffix in (".tflite", ".json", ".onnx")
    }
    starts = {f"vad/models/{name}.keras" for name in ("default", "tiny", "interchange")}
    assert names == package | models | starts | {"vad/models/__init__.py"}
    assert wheel.stat().st_size < MOST_BYTES


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout knows its files")
def test_the_source_distribution_runs_its_tests(distributions: Path, tmp_path: Path) -> None:
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    missing = [
        name for name in run("git", "ls-files", cwd=ROOT).stdout.splitlines() if not (tree / name).exists()
    ]
    assert missing == []
    run(sys.executable, "-m", "pytest", "-n", "0", "tests/test_project.py", "tests/test_imports.py", cwd=tree)


def test_files_and_streams_are_detected(installed: Path, tmp_path: Path) -> None:
    clip = EXAMPLES / "clip.wav"
    segments = run(installed / "vad", "detect", clip, cwd=tmp_path).stdout.splitlines()
    assert len(segments) == len((EXAMPLES / "clip.rttm").read_text().splitlines())
    with open(clip, "rb") as file:
        events = run(installed / "vad", "listen", "-", "--format", "jsonl", cwd=tmp_path, stdin=file).stdout
    assert {json.loads(line)["event"] for line in events.splitlines()} >= {"start", "end"}


def test_labelled_recordings_are_evaluated(installed: Path, tmp_path: Path) -> None:
    report = json.loads(run(installed / "vad", "evaluate", EXAMPLES, "--format", "json", cwd=tmp_path).stdout)
    assert report["pooled"]["auc"] > 0.95


def test_python_imports_the_package_and_the_shapes_of_others(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, vad; from vad.compat.silero import get_speech_timestamps, load_silero_vad, read_audio\n"
        "from vad.compat.webrtc import Vad\n"
        "found = get_speech_timestamps(read_audio(sys.argv[1]), load_silero_vad())\n"
        "assert found, 'nothing found'\n"
        "assert Vad(2).is_speech(bytes(640), 16000) is False\n"
        "assert vad.Detector('tiny').detect_file(sys.argv[1])\n"
        "print(vad.__version__)\n"
    )
    run(installed / "python", "-c", code, EXAMPLES / "clip.wav", cwd=tmp_path)


def test_without_extras_training_is_one_clear_line(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed / "vad", "train", "x"], text=True, capture_output=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("pip install 'openvad[train]'\n")


def test_a_frozen_program_finds_its_models(wheel: Path, model_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller", reason="freezing needs PyInstaller")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "program.py").write_text(
        "import sys, vad\n"
        "for model in sys.argv[2:]:\n"
        "    print(len(vad.Detector(model).detect_file(sys.argv[1])))\n"
    )
    unused = ("av", "PIL", "rich", "matplotlib", "scipy", "IPython", "pytest", "setuptools", "hypothesis")
    excluded = [word for name in unused for word in ("--exclude-module", name)]
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "site"),
        "PYINSTALLER_CONFIG_DIR": str(tmp_path / "cache"),
    }
    freeze = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    run(*freeze, *excluded, "program.py", cwd=tmp_path, env=environment)
    frozen = tmp_path / "dist" / "program" / "program"
    done = run(frozen, EXAMPLES / "clip.wav", "tiny", model_path, cwd=tmp_path)
    assert len(done.stdout.splitlines()) == 2
    # LiteRT writes a line of its own for each network.
    assert [line for line in done.stderr.splitlines() if not line.startswith("INFO: ")] == []


def write_corpus(folder: Path) -> Path:
    """Four talkers, two a split, of the examples."""
    folder.mkdir()
    samples, rate = soundfile.read(EXAMPLES / "clip.wav", dtype="float32")
    rows = []
    for talker, split in enumerate(("train", "train", "dev", "dev")):
        soundfile.write(folder / f"{talker}.wav", samples * (0.5 + 0.1 * talker), rate)
        segments = [
            [float(words[3]), float(words[3]) + float(words[4])]
            for line in (EXAMPLES / "clip.rttm").read_text().splitlines()
            if (words := line.split())
        ]
        row = {
            "audio_filepath": f"{talker}.wav",
            "kind": "speech",
            "split": split,
            "speaker": f"talker {talker}",
        }
        rows.append(row | {"segments": segments})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("start", ["default", "tiny", "interchange"])
def test_the_wheel_fine_tunes(wheel: Path, start: str, tmp_path: Path) -> None:
    """TensorFlow is the one of the present environment, for it is large; vad is the wheel's."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env")
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    (place,) = (tmp_path / "env").rglob("site-packages")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", place, wheel)
    (place / "present.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    words: Sequence[str | Path] = ["--corpus", write_corpus(tmp_path / "corpus"), "--init", start]
    small = ["--hours", "0.01", "--epochs", "1", "--jobs", "1"]
    small += ["--set", "dev_hours=0.01", "--set", "epoch_hours=0.01"]
    program = (
        "import sys, vad; from vad.cli import main\n"
        "assert vad.__file__.startswith(sys.argv[1]), vad.__file__\n"
        "sys.exit(main(sys.argv[2:]))\n"
    )
    run(python, "-c", program, place, "train", tmp_path / "run", *words, *small, cwd=tmp_path)
    assert (tmp_path / "run" / "best.keras").is_file()
