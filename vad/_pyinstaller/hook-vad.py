"""Adds modules, weights and pages that are loaded by name, so that PyInstaller does not detect them.

Training and benchmarks are left out, because they need TensorFlow and the compared systems.
"""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

_EXCLUDED = ("vad.training", "vad.evaluation.benchmark", "vad._pyinstaller")

hiddenimports = collect_submodules("vad", filter=lambda name: not name.startswith(_EXCLUDED))
excludedimports = [*_EXCLUDED, "scipy", "matplotlib"]
datas = collect_data_files("vad", excludes=["**/*.keras", "**/*.md"])
