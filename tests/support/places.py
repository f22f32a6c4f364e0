"""Where the repository's files lie, and the order of the package's wings."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "data" / "examples"
GOLDEN = ROOT / "tests" / "golden"
MODELS = ROOT / "models"
# Beside the repository, where they are at hand: what the models were trained on, and labelled meetings.
CORPUS = ROOT.parent / "shared" / "corpus"
MEETINGS = ROOT.parent / "shared" / "devset"

# From the ground up: a wing imports only wings that stand before it.
WINGS = [
    "errors", "json_text", "files", "processes", "native_stderr", "audio", "detection", "labels", "corpus", "prepare",
    "evaluation", "report", "training", "compat", "adapters", "commands", "cli", "__main__", "_pyinstaller",
]  # fmt: skip
