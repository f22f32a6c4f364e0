"""Names, weights and pages that PyInstaller cannot see: they are looked up as the program runs.

Training and benchmarks are left out: they would bring TensorFlow and the peers.
"""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

_LEFT_OUT = ("vad.training", "vad.evaluation.benchmark", "vad._pyinstaller")

hiddenimports = collect_submodules("vad", filter=lambda name: not name.startswith(_LEFT_OUT))
excludedimports = [*_LEFT_OUT, "scipy", "matplotlib"]
datas = collect_data_files("vad", excludes=["**/*.keras", "**/*.md"])
