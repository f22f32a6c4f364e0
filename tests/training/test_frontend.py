"""The front end is librosa's, its normalisation can be undone, and learned filters begin as an ear's."""

import keras
import librosa
import numpy as np
import pytest

from vad.training.networks.frontend import GaborFilters, LogMel, LogPower, decibels

SAMPLE_RATE = 16_000


def librosa_log_mel(samples, layer):
    mel = librosa.feature.melspectrogram(
        y=samples.astype(np.float64),
        sr=layer.sample_rate,
        n_fft=layer.win_length,
        hop_length=layer.hop_length,
        n_mels=layer.n_mels,
        fmin=layer.fmin,
        fmax=layer.fmax,
        center=False,
    )
    return np.log(mel + layer.floor).T


@pytest.mark.parametrize("level", [1.0, 0.1, 1e-3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_mels": 40, "fmin": 60.0, "fmax": 7_600.0},
        {"win_length": 512, "hop_length": 256, "n_mels": 80},
        {"win_length": 480, "hop_length": 160},
    ],
)
def test_equals_librosa(options, level):
    layer = LogMel(**options)
    length = layer.win_length + 50 * layer.hop_length
    samples = (level * 0.3 * np.random.default_rng(0).standard_normal(length)).astype(np.float32)
    found = np.asarray(layer(samples[np.newaxis]))[0]
    expected = librosa_log_mel(samples, layer)
    assert found.shape == expected.shape == (51, layer.n_mels)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_loud_batch_mate_changes_nothing():
    rng = np.random.default_rng(1)
    quiet, loud = 1e-3 * rng.standard_normal(4_000), 0.5 * rng.standard_normal(4_000)
    layer = LogMel()
    together = np.asarray(layer(np.stack([quiet, loud]).astype(np.float32)))
    alone = np.asarray(layer(quiet[np.newaxis].astype(np.float32)))
    np.testing.assert_allclose(together[0], alone[0], atol=1e-5)


def test_digital_silence_is_the_floor():
    layer = LogMel(floor=1e-7)
    np.testing.assert_allclose(np.asarray(layer(np.zeros((1, 1_600), np.float32))), np.log(1e-7), rtol=1e-6)


def test_denormalised_features_are_decibels():
    layer, normalization = LogMel(), keras.layers.Normalization()
    samples = 0.1 * np.random.default_rng(2).standard_normal((4, SAMPLE_RATE)).astype(np.float32)
    features = np.asarray(layer(samples))
    normalization.adapt(features)
    normalised = np.asarray(normalization(features))
    assert abs(normalised.mean()) < 1e-3
    assert abs(normalised.std() - 1) < 1e-2
    expected = 10 * np.log10(np.exp(features))
    np.testing.assert_allclose(np.asarray(decibels(normalization)(normalised)), expected, atol=1e-3)


def test_gabor_filters_pass_their_band_whatever_the_phase():
    kernel = np.asarray(GaborFilters()((400, 1, 64)))[:, 0]
    time = np.arange(400) / SAMPLE_RATE
    centres = librosa.mel_frequencies(34, fmin=0.0, fmax=8_000.0)[1:-1]
    for phase in (0.0, 1.0, 2.5):
        for band in (8, 16, 24):
            tone = np.cos(2 * np.pi * centres[band] * time + phase)
            power = np.asarray(LogPower()((tone @ kernel)[np.newaxis, np.newaxis].astype(np.float32)))[0, 0]
            assert power.argmax() == band
