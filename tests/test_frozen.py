"""A program that PyInstaller froze detects speech: the package brings its own hooks."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import soundfile
from support.sounds import RATE, tone

# What other packages mention and this program does without; it makes the build quick.
UNUSED = ("av", "PIL", "rich", "matplotlib", "scipy", "IPython", "pytest", "setuptools", "hypothesis")


def test_a_frozen_program_finds_its_models(wheel: Path, model_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller", reason="freezing needs PyInstaller")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "tiny.py").write_text(
        "import sys, vad\n"
        "for model in sys.argv[2:]:\n"
        "    print(len(vad.Detector(model).detect_file(sys.argv[1])))\n"
    )
    excluded = [word for name in UNUSED for word in ("--exclude-module", name)]
    command = [
        sys.executable,
        "-m",
        "PyInstaller",
        "--noconfirm",
        "--log-level",
        "ERROR",
        *excluded,
        "tiny.py",
    ]
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "site"),
        "PYINSTALLER_CONFIG_DIR": str(tmp_path / "cache"),
    }
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=300)
    soundfile.write(tmp_path / "clip.wav", tone(2.0), RATE)
    frozen = [tmp_path / "dist" / "tiny" / "tiny", tmp_path / "clip.wav", "tiny", model_path]
    done = subprocess.run(frozen, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""
