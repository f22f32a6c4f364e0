"""The models that ship: what they say of the examples, that they are their weights, that their cards are whole."""

import json

import numpy as np
import pytest
from support.places import EXAMPLES, GOLDEN, MEETINGS, MODELS

from vad.audio.reading import read_audio
from vad.corpus.manifest import read_corpus
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.detection.model_files import model_names
from vad.evaluation.scoring import pool, score_item
from vad.labels import read_labels

NAMES = sorted({"default", "tiny", "waveform", *model_names()})

pytestmark = pytest.mark.parametrize("name", NAMES)


def clip():
    return read_audio(EXAMPLES / "clip.wav", sample_rate=16_000)


def test_is_shipped(name):
    assert name in model_names()


def detectors_of(name):
    """A detector for recordings and one for streams, by their keys in the golden file."""
    model = Model.load(name)
    return {"file": Detector(model), "live": Detector(model, lookahead=False)}


def test_probabilities_are_the_golden_ones(name):
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    detectors = detectors_of(name)
    assert golden.keys() == detectors.keys()
    for way, detector in detectors.items():
        np.testing.assert_allclose(detector.probabilities(clip(), 16_000), golden[way], atol=2e-3)


def test_step_chunk_and_offline_are_one(name):
    samples = clip()
    for detector in detectors_of(name).values():
        offline = detector.probabilities(samples, 16_000)
        for size in (160, 320, 4_801):
            stream = detector.stream(lookahead=True)
            pieces = []
            for start in range(0, len(samples), size):
                stream.feed(samples[start : start + size])
                pieces.append(stream.probabilities)
            stream.finish()
            pieces.append(stream.probabilities)
            np.testing.assert_allclose(np.concatenate(pieces), offline, atol=1e-4)


def test_the_file_is_its_keras_weights(name):
    keras = pytest.importorskip("keras", reason="the train extra is not installed")
    import vad.training.networks  # noqa: F401  (registers the layers)

    model = keras.models.load_model(MODELS / f"{name}.keras", compile=False)
    samples = clip()
    for detector in detectors_of(name).values():
        delay = round(detector.stream(lookahead=True).delay / detector.frame_duration)
        frames = -(-len(samples) // detector.model.frame_length)
        padded = np.zeros((1, (frames + delay) * detector.model.frame_length), np.float32)
        padded[0, : len(samples)] = samples
        decisions = np.asarray(model(padded, training=False)).reshape(frames + delay, -1)
        expected = decisions[delay:, -1 if detector.lookahead else 0]
        np.testing.assert_allclose(detector.probabilities(samples, 16_000), expected, atol=1e-4)


@pytest.mark.parametrize("example", ["clip.wav", "telephone.wav", "noisy.flac"])
def test_finds_the_talk_of_the_examples(name, example):
    item = next(item for item in read_corpus(EXAMPLES) if item.path.name == example)
    metrics = score_item(Detector(name), item).metrics(0.5)
    assert metrics.auc > 0.95
    assert metrics.detection_error_rate < 0.3
    assert metrics.unmatched_onsets == 0


def test_takes_clicks_noise_sweeps_and_dial_tones_for_no_talk(name):
    assert read_labels(EXAMPLES / "no-speech.rttm") == []
    taken = sum(segment.duration for segment in Detector(name).detect_file(EXAMPLES / "no-speech.flac"))
    assert taken <= {"waveform": 0.2}.get(name, 0.0), "models/README.md names one dial tone"


def test_the_card_tells_where_the_model_comes_from(name):
    card = Detector(name).model.card
    assert card["license"] == "MIT"
    assert card["training"]["seed"] == 2026
    assert card["training"]["command"].startswith("vad train")
    assert len(card["training"]["manifest_sha256"]) == 64
    assert all(source["license"] for source in card["data_sources"])
    assert sum(source["hours"] for source in card["data_sources"]) > 15
    assert max(card["verification"]["largest_difference_from_keras"].values()) <= 1e-4
    assert card["label_origin"]


def test_devset_figure_is_the_cards(name):
    if not MEETINGS.is_dir():
        pytest.skip("../shared/devset is not here")
    detector = Detector(name)
    metrics = pool([score_item(detector, item) for item in read_corpus(MEETINGS)]).metrics(0.5)
    assert metrics.auc == pytest.approx(
        detector.model.card["metrics"]["devset"]["as recorded"]["auc"], abs=2e-3
    )
    assert metrics.auc > 0.95
