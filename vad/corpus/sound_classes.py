"""The class of a recording without speech, by the words in its source and path."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vad.corpus.manifest import CorpusItem

__all__ = ["MUSIC_CLASSES", "OTHER", "SOUND_CLASSES", "sound_class"]

OTHER = "other"

SOUND_CLASSES = {
    "coughs, sneezes": {"cough", "coughs", "coughing", "sneeze", "sneezing"},
    "baby cries": {"babycry", "cry", "cries", "crying", "donateacry"},
    "laughter, breath": {"laugh", "laughs", "laughter", "giggle", "breath", "breathing", "gasp", "snore", "snoring"},
    "sung vowels": {"femalevoice", "femalevoices", "malevoice", "malevoices", "choir"},
    "human sounds": {
        "chewing", "crowd", "die", "eating", "groan", "grunt", "grunts", "human", "moan", "mouth", "mouthpiece",
        "pain", "scream", "screams", "slurp", "spit", "whistle", "yawn",
    },
    "telephone tones": {
        "busy", "cng", "dial", "dtmf", "fax", "fsk", "modem", "phone", "reorder", "ringback", "ringer", "sit",
        "telephone", "waiting", "warn",
    },
    "keyboards": {"keyboard", "keystroke", "keystrokes", "typing", "bucklespring"},
    "weather": {
        "campfire", "fire", "ocean", "rain", "sea", "storm", "thunder", "waterfall", "waves", "weather", "wind",
    },
    "appliances": {
        "appliance", "blender", "clock", "dremel", "drill", "dryer", "fan", "fridge", "hairdryer", "kettle",
        "microwave", "printer", "sharpener", "toaster", "vacuum", "washer", "washing",
    },
    "vehicles": {
        "airplane", "bus", "car", "carts", "engine", "helicopter", "jet", "motor", "motorcycle", "ship", "siren",
        "torcs", "train", "truck", "vehicle",
    },
    "machines": {"chainsaw", "factory", "furnace", "machine", "machines", "mill", "saw", "sawing"},
    "animals": {
        "animal", "animals", "bat", "bee", "bird", "birds", "camel", "cat", "cats", "chicken", "cicada", "cow", "crow",
        "dog", "dogs", "frog", "goat", "horse", "insect", "insects", "lion", "pig", "rooster", "seagull", "sheep",
        "wolf",
    },
}  # fmt: skip
"""The words of each class of noise. A recording with words of two belongs to the first."""

MUSIC_CLASSES = {
    "drums": {
        "bd", "bongo", "bongos", "cymbal", "cymbals", "cymbol", "cymbolscratch", "drum", "drumkits", "drumming",
        "drums", "gong", "hat", "perc", "percussion", "shaker", "sn", "snare", "tabla", "tom", "toms", "woodblock",
    },
    "solo winds and brass": {
        "bassoon", "clarinet", "cor", "didgeridoo", "flute", "harmonica", "horn", "oboe", "saxophone", "trombone",
        "trumpet", "tuba", "whistle",
    },
    "solo strings": {
        "banjo", "bass", "cello", "guitar", "harp", "mandolin", "sitar", "ukulele", "viola", "violin",
    },
    "electronic": {
        "analog", "analogsynth", "arpeggio", "casiohorn", "elec", "fm", "gliss", "kaos", "longsynth", "syn", "synth",
        "theremin", "vocoder",
    },
    "other instruments": {"instrument", "instruments", "kalimba", "piano"},
}  # fmt: skip
"""Likewise of music; what has none of these words is "music", such as bands and orchestras."""


def sound_class(item: CorpusItem) -> str:
    """The class of a recording: a key of `SOUND_CLASSES` or `MUSIC_CLASSES`, else "other" or "music".

    Its source, its name there and its path in the corpus count, so a folder ``noise/coughs/`` is enough; after them
    the class that the manifest names.
    """
    classes, rest = (MUSIC_CLASSES, "music") if item.kind == "music" else (SOUND_CLASSES, OTHER)
    found = _by_words(f"{item.source} {item.original} {item.key}", classes)
    # A manifest's class that names several things, such as "machines, animals", says too little.
    named = (
        "" if re.search(r"(?i)machines.*animals|urban|animals, tools", item.sound_class) else item.sound_class
    )
    return found or _by_words(named, classes) or rest


def _by_words(text: str, classes: Mapping[str, set[str]]) -> str:
    split_camels = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = set(re.findall(r"[a-z]+", split_camels.lower()))
    return next((name for name, known in classes.items() if known & words), "")
