"""The class of a recording without speech, by the words in its source and path."""

from __future__ import annotations

import re

from vad.corpus.manifest import CorpusItem

__all__ = ["OTHER", "SOUND_CLASSES", "sound_class"]

OTHER = "other"

SOUND_CLASSES = {
    "coughs, sneezes": {"cough", "coughs", "coughing", "sneeze", "sneezing"},
    "baby cries": {"babycry", "cry", "cries", "crying", "donateacry"},
    "laughter, breath": {"laugh", "laughs", "laughter", "giggle", "breath", "breathing", "gasp", "snore", "snoring"},
    "keyboards": {"keyboard", "keystroke", "keystrokes", "typing", "bucklespring"},
    "weather": {"rain", "wind", "storm", "thunder", "weather", "waves", "waterfall", "sea"},
    "machines": {
        "chainsaw", "clock", "drill", "engine", "fan", "helicopter", "machine", "machines", "motor", "siren",
        "train", "vacuum", "vehicle",
    },
    "animals": {"animal", "animals", "bird", "birds", "cat", "crow", "dog", "insect", "rooster"},
}  # fmt: skip
"""The words of each class. A recording with words of two belongs to the first. Music is the kind `music`."""


def sound_class(item: CorpusItem) -> str:
    """The class of a recording: "music", a key of `SOUND_CLASSES`, or "other".

    Its source, its name there and its path in the corpus count, so a folder ``noise/coughs/`` is enough.
    """
    if item.kind == "music":
        return item.kind
    place = f"{item.source} {item.original} {item.key}"
    split_camels = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", place)
    words = set(re.findall(r"[a-z]+", split_camels.lower()))
    return next((name for name, known in SOUND_CLASSES.items() if known & words), OTHER)
