"""The sounds of the benchmark: their classes, and a few of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from vad.corpus.manifest import CorpusItem
from vad.corpus.sound_classes import sound_class
from vad.evaluation.benchmark.material import few_of_each_class


@pytest.mark.parametrize(
    ("kind", "original", "expected"),
    [
        ("noise", "cough/raw/ebba2b8b.flac", "coughs, sneezes"),
        ("noise", "004_-_Baby_cry/1.wav", "baby cries"),
        ("noise", "Objects.ocg/WindMill.ogg", "weather"),
        ("noise", "terrain/window.ogg", "other"),
        ("noise", "Train.mp3", "vehicles"),
        ("noise", "femalevoices_aa2_C5.mp3", "sung vowels"),
        ("music", "rain.ogg", "music"),
        ("music", "bass-clarinet", "solo winds and brass"),
        ("music", "cello+guitar", "solo strings"),
    ],
)
def test_a_sounds_class_is_in_the_words_of_its_place(kind: str, original: str, expected: str) -> None:
    assert sound_class(CorpusItem(Path("x"), kind, original=original)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("breathing through stethoscopes", "laughter, breath"),
        ("household, materials, machines, animals", "other"),  # says too little
        ("", "other"),
    ],
)
def test_a_sound_whose_place_says_nothing_is_what_its_manifest_says(given: str, expected: str) -> None:
    assert sound_class(CorpusItem(Path("x"), "noise", original="17.wav", sound_class=given)) == expected


def test_few_of_each_class_are_the_same_for_a_seed() -> None:
    items = [
        CorpusItem(Path(f"{n}"), "noise", source="rain" if n % 2 else "dog", key=f"{n}.wav")
        for n in range(20)
    ]
    few = few_of_each_class(items, 3, seed=1)
    assert few == few_of_each_class(items, 3, seed=1)
    assert sorted(item.source for item in few) == ["dog"] * 3 + ["rain"] * 3
