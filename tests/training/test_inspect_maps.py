"""Maps of what made a network say speech: they lie in the speech, add up, and tell of what was learned."""

from pathlib import Path

import keras
import numpy as np
import pytest
from support.places import EXAMPLES
from support.small_networks import small_network
from support.sounds import RATE, tone

from vad.audio.reading import read_audio
from vad.detection.detector import Detector
from vad.detection.segments import Segment
from vad.labels import read_labels
from vad.training.inspection import occlusion, saliency
from vad.training.inspection.network import InspectedAudio, InspectedNetwork, load_inspected_network
from vad.training.inspection.probe import analyse
from vad.training.inspection.time_frequency import TimeFrequency
from vad.training.networks.kernels import kernels

SHIPPED = ("default", "waveform")
HUM = Segment(1.2, 3.9)


@pytest.fixture(scope="module", params=[*SHIPPED, "two-branch"])
def analysis(request):
    """Four seconds with one sentence: of the first example by a shipped network, of hums by one that learned hums."""
    if request.param == "two-branch":
        samples, _ = hum_in_noise([HUM], seconds=4, seed=0)
        return analyse(trained_on_hums("two-branch"), InspectedAudio("hum", samples, [HUM]))
    samples = read_audio(EXAMPLES / "clip.wav", sample_rate=RATE)[: 4 * RATE]
    clip = InspectedAudio("clip.wav", samples, read_labels(EXAMPLES / "clip.rttm"))
    return analyse(load_inspected_network(request.param), clip)


def hum_in_noise(segments, *, seconds, seed):
    """A voice on one note, 20 dB over white noise, and which frames of 20 ms have it."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(seconds * RATE) / RATE
    hertz = rng.uniform(100, 250)
    voice = sum(np.sin(2 * np.pi * hertz * k * time_s + k * k) / k for k in range(1, 12))
    is_speech = np.any([(one.start <= time_s) & (time_s < one.end) for one in segments], axis=0)
    samples = 0.05 * voice * is_speech + 0.005 * rng.standard_normal(len(time_s))
    return samples.astype(np.float32), is_speech[::320].astype(np.float32)


def trained_on_hums(architecture):
    """A small network that has learned to tell a hum from noise."""
    config, model = small_network(architecture)
    rng = np.random.default_rng(1)
    scenes = []
    for seed in range(1, 65):
        start = 0.02 * rng.integers(10, 50)
        scenes.append(hum_in_noise([Segment(start, start + 0.8)], seconds=2, seed=seed))
    samples, speech = (np.stack(column) for column in zip(*scenes, strict=True))
    late = np.pad(speech, ((0, 0), (config.delay_frames, 0)))[:, : speech.shape[1]]
    for layer in model.layers:  # statistics would need many more batches
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)  # or else the first step is traced twice
    model.fit(samples, late, batch_size=8, epochs=5, verbose=0)
    return InspectedNetwork("small", model, config, Path("nowhere"))


def share_in_speech(analysis, seconds):
    """How much of what a map [shape=(columns, bands)] has for speech lies in the reference."""
    gain = seconds.clip(min=0).sum(axis=1)
    middles = (np.arange(len(gain)) + 0.5) / len(gain) * len(analysis.reference)
    return gain[analysis.reference[middles.astype(int)]].sum() / gain.sum()


@pytest.mark.parametrize("analysis", SHIPPED, indirect=True)
def test_probabilities_are_the_detectors(analysis):
    expected = Detector(analysis.network.name, lookahead=False).probabilities(analysis.audio.samples, RATE)
    np.testing.assert_allclose(analysis.probability, expected, atol=1e-3)


def test_the_reference_moves_with_the_start():
    config, model = small_network("logmel-cnn")
    network = InspectedNetwork("small", model, config, Path("nowhere"))
    segments = [Segment(0.0, 0.2), Segment(1.1, 1.5)]
    late = analyse(network, InspectedAudio("a", tone(1.0), segments, start=1.0))
    assert np.flatnonzero(late.reference).tolist() == list(range(5, 25))


@pytest.mark.parametrize("hertz", [500.0, 2000.0])
def test_the_spectrogram_has_hertz_and_decibels(hertz):
    loud, soft = (TimeFrequency(tone(0.4, hertz=hertz, level=level), RATE, 160) for level in (0.1, 0.01))
    loudest = loud.decibels[20].argmax()
    assert loudest == np.abs(loud.frequencies - hertz).argmin()
    assert loud.decibels[20, loudest] == pytest.approx(-20, abs=3)
    difference = loud.decibels - soft.decibels
    assert difference[10:-10, loudest] == pytest.approx(20.0, abs=0.1)


def test_what_is_taken_away_is_gone_from_the_sound_and_the_rest_stays():
    low, high = tone(0.4, hertz=500.0), tone(0.4, hertz=3000.0)
    sound = TimeFrequency(low + high, RATE, 160)
    gains_db = np.zeros((2, *sound.decibels.shape), np.float32)
    gains_db[1, 20:, sound.frequencies < 1200] = -80
    whole, part = np.asarray(sound.with_gains(gains_db))
    np.testing.assert_array_equal(whole, low + high)
    before, after = slice(0, 18 * 160), slice(22 * 160, -256)
    np.testing.assert_allclose(part[before], (low + high)[before], atol=1e-5)
    np.testing.assert_allclose(part[after], high[after], atol=1e-3 * np.abs(high).max())


def test_occluding_the_speech_lowers_the_probability(analysis):
    sentence = slice(115, 395)
    without = analysis.probabilities_of(occlusion.occlude(analysis, sentence)[np.newaxis])[0]
    assert analysis.probability[analysis.reference].mean() > 0.9
    assert without[analysis.reference].mean() < 0.2
    pause = analysis.probabilities_of(occlusion.occlude(analysis, slice(10, 110))[np.newaxis])[0]
    assert pause[analysis.reference].mean() > 0.9


def test_the_occlusion_map_lies_in_the_speech(analysis):
    assert share_in_speech(analysis, occlusion.occlusion(analysis, tile_s=0.4, rows=1)) > 0.85


def test_saliency_lies_in_the_speech_and_adds_up(analysis):
    found = saliency.integrated_gradients(analysis)
    assert share_in_speech(analysis, found) > 0.85
    background = analysis.probabilities_of(analysis.background[np.newaxis])[0]
    assert found.sum() == pytest.approx(0.02 * (analysis.probability - background).sum(), rel=0.1)


def test_every_kernel_is_shuffled_and_comes_back():
    config, model = small_network("logmel-crnn")
    analysis = analyse(
        InspectedNetwork("small", model, config, Path("nowhere")), InspectedAudio("a", tone(0.2))
    )
    before = kernels(model)
    with saliency.shuffled_weights(analysis):
        unmoved = [name for name, kernel in kernels(model).items() if np.array_equal(kernel, before[name])]
        halves = [
            name
            for name, kernel in kernels(model).items()
            if np.array_equal(kernel[-12:], before[name][-12:])
        ]
    assert not unmoved
    assert not halves, "a GRU's memory is shuffled too"
    for name, kernel in kernels(model).items():
        np.testing.assert_array_equal(kernel, before[name])


def test_a_randomised_network_gives_another_map(analysis):
    found = saliency.integrated_gradients(analysis, steps=8)
    with saliency.shuffled_weights(analysis):
        control = saliency.integrated_gradients(analysis, steps=8)
    again = saliency.integrated_gradients(analysis, steps=8)
    assert np.abs(control).max() > 1e-3 * np.abs(found).max(), "a map of nothing is like none"
    assert abs(saliency.rank_correlation(found, control)) < 0.2
    assert saliency.rank_correlation(found, again) > 0.99, "the weights must come back"
