"""The level follower: what it turns up and down, how soon, and for how long."""

import numpy as np
import pytest
from support.small_networks import small_network

from vad.training.networks.gain_control import GainControl
from vad.training.networks.streaming import streaming

SAMPLE_RATE = 16_000


def controlled(samples, **options):
    return np.asarray(GainControl(**options)(np.asarray(samples, np.float32)[np.newaxis]))[0]


def tone(seconds, dbfs, hertz=400.0):
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * time)


def dbfs(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def at(found, second):
    return dbfs(found[round(second * SAMPLE_RATE) :][: SAMPLE_RATE // 10])


@pytest.mark.parametrize("level", [-6.0, -20.0, -28.0])
def test_loud_sound_comes_down_to_the_peak(level):
    assert at(controlled(tone(2, level)), 1) == pytest.approx(-30, abs=0.1)


def test_what_lies_between_noise_and_peak_stays_as_it_is():
    usual = np.concatenate([tone(0.5, -80), tone(0.5, -32), tone(0.5, -60)]).astype(np.float32)
    np.testing.assert_allclose(controlled(usual), usual, rtol=1e-5)


@pytest.mark.parametrize(("noise", "gain"), [(-90.0, 7.0), (-110.0, 27.0), (-115.0, 31.5), (-400.0, 40.0)])
def test_a_quiet_recording_is_turned_up_by_what_its_noise_leaves_free(noise, gain):
    found = controlled(np.concatenate([tone(1, noise), tone(0.3, -80)]))
    assert at(found, 1.2) - -80 == pytest.approx(gain, abs=0.5)


def test_faint_talk_is_turned_up_no_further_than_the_peak():
    found = controlled(np.concatenate([np.zeros(SAMPLE_RATE), tone(1, -50)]))
    assert at(found, 1.4) == pytest.approx(-30, abs=0.2)


def test_after_a_loud_sound_a_faint_one_comes_back_by_and_by():
    found = controlled(np.concatenate([tone(1, -10), tone(20, -50)]))
    for second in (2, 10, 20):
        assert at(found, second) == pytest.approx(-50 - (20 - 0.5 * (second - 1)), abs=0.2)


def test_a_bang_counts_for_less_than_talk_as_loud():
    found = controlled(np.concatenate([tone(0.01, -10), tone(1, -60)]))
    assert at(found, 0.9) == pytest.approx(-60 - (20 - 13 - 0.4), abs=0.5)  # one hop of 20 is 13 dB less


def test_an_offset_is_no_sound():
    loud = tone(1, -40)
    np.testing.assert_allclose(controlled(loud + 0.2) - 0.2, loud, atol=1e-6)


def test_both_followers_go_step_by_step_however_long():
    """Doubling must reach as far back as one step after another does."""
    rng = np.random.default_rng(0)
    levels = rng.uniform(-60, 0, 200).repeat(100) + np.repeat([0.0, -60.0, -20.0, -70.0], 5_000)
    samples = rng.standard_normal(20_000) * 10 ** (levels / 20)
    options = {"sample_rate": 1_000, "hop_length": 10, "span": 3}
    speeds = {"peak_fall_db_per_s": 7.0, "noise_rise_db_per_s": 20.0}
    power = np.pad(samples.reshape(-1, 10).var(axis=1), (2, 0))
    loud, quiet, gain = 0.0, 0.0, [1.0]
    for hop in range(len(power) - 2):
        level, highest = (10 * np.log10(of(power[hop : hop + 3]) + 1e-13) for of in (np.mean, np.max))
        loud, quiet = max(loud - 0.07, level + 70, 0.0), max(quiet - 0.2, -83 - highest, 0.0)
        gain.append(10 ** (min(quiet, 40, 40 - loud) / 20))
    expected = samples * np.interp(np.arange(1, 20_001) / 10, np.arange(2_001), gain)
    np.testing.assert_allclose(controlled(samples, **options, **speeds), expected, rtol=1e-3, atol=1e-7)


LASTING = {"bridged": 30, "lasting": 100}  # 0.3 s and 1 s


def talk():
    """Noise, phrases of two levels with gaps between words, and noise again."""
    parts = [(0.5, -70), (1.2, -30), (0.25, -70), (1.5, -28), (1.0, -70), (1.3, -50), (0.5, -70)]
    noise = 1e-4 * np.random.default_rng(0).standard_normal(100_000)
    return (np.concatenate([tone(*part) for part in parts]) + noise).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_a_beep_shorter_than_a_word_does_not_set_the_peak(seconds):
    beep, quiet = tone(seconds, -5, 1_000), tone(seconds, -70)
    with_beep, without = (
        controlled(np.concatenate([tone(1, -70), first, talk()]), **LASTING)[SAMPLE_RATE + len(beep) :]
        for first in (beep, quiet)
    )
    late = slice(SAMPLE_RATE // 4, None)
    assert np.abs(with_beep[late] - without[late]).max() < 0.06 * np.abs(without[late]).max()


def test_a_beep_does_not_set_the_peak_of_windows_either():
    """That of `interchange`, whose state of 256 numbers has 128 of its GRU and 64 samples."""
    _, model = small_network("interchange")
    layer = model.get_layer("level")
    assert layer.state_shape[0] <= 64
    quiet, beep = tone(0.5, -70), tone(0.5, -5, 1_000)
    gains = []
    for first in (quiet, beep):
        hops = np.concatenate([tone(1, -70), first, talk()]).astype(np.float32)
        gain, _ = layer.follow(hops[: len(hops) // 512 * 512].reshape(1, -1, 512), None)
        gains.append(np.asarray(gain)[0, round(2.0 * SAMPLE_RATE) // 512 :, 0])
    np.testing.assert_allclose(*gains, rtol=0.06)


def test_a_beep_is_turned_down_while_it_sounds():
    found = controlled(np.concatenate([tone(1, -70), tone(2, -30), tone(0.5, -1)]), **LASTING)
    assert at(found, 3.3) == pytest.approx(-30, abs=0.5)


def test_words_with_gaps_between_them_set_the_peak():
    words = np.concatenate([np.concatenate([tone(0.3, -10), tone(0.2, -80)]) for _ in range(4)])
    found = controlled(np.concatenate([tone(1, -80), words, tone(1, -50)]), **LASTING)
    assert at(found, 3.5) == pytest.approx(-69, abs=1)


@pytest.mark.parametrize("options", [{}, LASTING])
def test_in_blocks_it_is_as_in_one(options):
    samples, layer = talk()[:96_000], GainControl(name="level", **options)
    states, blocks = {"level": np.zeros((1, *layer.state_shape), np.float32)}, []
    for block in np.split(samples, 30):
        with streaming(states) as new:
            blocks.append(np.asarray(layer(block[np.newaxis]))[0])
        states = {name: np.asarray(state) for name, state in new.items()}
    np.testing.assert_allclose(np.concatenate(blocks), controlled(samples, **options), rtol=1e-4, atol=1e-6)


def test_the_lasting_peak_goes_step_by_step():
    """The pooling must see what a window over past levels sees."""
    rng = np.random.default_rng(0)
    levels = rng.uniform(-60, 0, 200).repeat(100) + np.repeat([0.0, -30.0, -20.0, -50.0], 5_000)
    samples = rng.standard_normal(20_000) * 10 ** (levels / 20)
    options = {"sample_rate": 1_000, "hop_length": 10, "span": 3, "bridged": 4, "lasting": 8}
    power = np.pad(samples.reshape(-1, 10).var(axis=1), (2, 0))
    past, peak, quiet, gain = [0.0] * 10, 0.0, 0.0, [1.0]
    for hop in range(len(power) - 2):
        mean, highest = (10 * np.log10(of(power[hop : hop + 3]) + 1e-13) for of in (np.mean, np.max))
        past.append(max(mean + 70, 0.0))
        lasted = min(max(past[-back - 4 : len(past) - back]) for back in range(8))
        peak, quiet = max(peak - 0.005, lasted), max(quiet - 0.015, -83 - highest, 0.0)
        gain.append(10 ** (min(quiet, 40, 40 - max(peak, past[-1])) / 20))
    expected = samples * np.interp(np.arange(1, 20_001) / 10, np.arange(2_001), gain)
    np.testing.assert_allclose(controlled(samples, **options), expected, rtol=1e-3, atol=1e-7)
