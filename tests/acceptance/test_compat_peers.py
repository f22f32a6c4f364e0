"""The tests of silero-vad, webrtcvad and auditok, and the notebooks of silero-vad, after `vad.compat.install`.

`docs/migrating.md` lists the tests that fail, and why. The sources come from the package index, or from the folders in
PEER_SOURCES (`silero_vad-*`, `webrtcvad_wheels-*`, `auditok-*`, unpacked).
"""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from support.places import EXAMPLES, ROOT

pytestmark = pytest.mark.acceptance

# Tests of other things than the functions: which packages are imported, the GMM's decisions, memory at the first use.
EXCEPTIONS = {
    "silero-vad": {
        "test_torchaudio_without_torchcodec_reports_the_pin",
        "test_import_does_not_pull_optional_packages",
        "test_onnxruntime_imported_only_when_a_session_is_built",
        "test_no_audio_backend_raises_actionable_error",
    },
    "webrtcvad-wheels": {"test_process_file", "test_leak_constructor"},
    "auditok": set(),
}
TESTS = {
    "silero-vad": ["tests"],
    "webrtcvad-wheels": ["test_webrtcvad.py"],
    "auditok": ["tests/test_validators.py", "tests/test_StreamTokenizer.py"],
}
NEEDS = {"silero-vad": "torch", "webrtcvad-wheels": "psutil", "auditok": "auditok"}


def source(package: str, folder: Path) -> Path:
    """The unpacked source distribution of a package."""
    name = package.replace("-", "_")
    if "PEER_SOURCES" in os.environ:
        return next(Path(os.environ["PEER_SOURCES"]).glob(f"{name}-*/"))
    command = [*(sys.executable, "-m", "pip", "download"), *("--no-deps", "--no-binary", ":all:"), package]
    done = subprocess.run([*command, "-d", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot download {package}")
    (packed,) = folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob(f"{name}-*/"))


def run_installed(scratch: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a folder, with our functions in the place of both packages from the start."""
    (scratch / "sitecustomize.py").write_text("from vad import compat\ncompat.install()\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(scratch), str(ROOT)])}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("package", TESTS)
def test_the_tests_of(package: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDS[package], reason=f"{package}'s tests need {NEEDS[package]}")
    folder = source(package, tmp_path)
    if package == "auditok" and not (folder / "tests" / "data").exists():
        pytest.skip("the distribution of auditok lacks its recordings: give a clone in PEER_SOURCES")
    places = [str(folder / name) for name in TESTS[package]]
    for path in folder.glob("test_webrtcvad.py"):  # a thousand times the same recording takes ten minutes
        text = path.read_text(encoding="utf-8").replace("nrepeats = 1000\n", "nrepeats = 10\n")
        places = [str(tmp_path / path.name)]
        Path(places[0]).write_text(
            text.replace("os.path.dirname(__file__)", repr(str(folder))), encoding="utf-8"
        )
    done = run_installed(tmp_path, folder, "-m", "pytest", "-q", "-rf", "--rootdir", str(tmp_path), *places)
    failed = set(re.findall(r"^FAILED \S*::(\w+)", done.stdout, re.MULTILINE))
    assert re.search(r"\d+ passed", done.stdout), done.stdout[-2000:] + done.stderr[-2000:]
    assert failed <= EXCEPTIONS[package], done.stdout[-5000:]


# The recording is ours, torch.hub takes this repository, and there is no notebook to play in.
BEFORE_THE_CODE = """
import shutil, sys, types, torch
torch.hub.download_url_to_file = lambda url, path: shutil.copy({clip!r}, path)
load = torch.hub.load
torch.hub.load = lambda repo_or_dir, model, onnx=False, **_: load({root!r}, model, source="local", onnx=onnx)
shutil.copy({clip!r}, "path_to_audio_file")
for name in ("IPython", "IPython.display"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["IPython.display"].Audio = open
"""


def code_of(path: Path) -> str:
    """The Python of a page or a notebook, without its shell commands."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return "\n".join(re.findall(r"^```python3\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return re.sub(r"^(\s*)!.*$", r"\1pass", "\n".join("".join(cell) for cell in cells), flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("README.md", None),
        ("silero-vad.ipynb", None),
        ("silero-vad.ipynb", ("USE_PIP = True", "USE_PIP = False")),
        ("examples/parallel_example.ipynb", None),
    ],
)
def test_sileros_pages_and_notebooks(name: str, change: tuple[str, str] | None, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="silero-vad's notebooks need torch")
    code = code_of(source("silero-vad", tmp_path) / name)
    before = BEFORE_THE_CODE.format(clip=str(EXAMPLES / "clip.wav"), root=str(ROOT))
    program = tmp_path / "program.py"
    program.write_text(before + (code.replace(*change) if change else code), encoding="utf-8")
    done = run_installed(tmp_path, tmp_path, str(program))
    assert done.returncode == 0, done.stderr[-3000:]
    assert name == "README.md" or "'start': " in done.stdout
