"""What a loudspeaker gets, on a simulated PortAudio."""

import types

import numpy as np
import pytest
from support.paper_portaudio import OutputStream, PortAudioError
from support.sounds import RATE, noise, tone

from vad.audio.playback import Player
from vad.errors import DeviceError


def test_the_samples_are_played_as_they_are(portaudio: types.SimpleNamespace) -> None:
    values = noise(RATE, channels=2)
    Player().play(np.array_split(values, 7), RATE, 2)
    (stream,) = OutputStream.made
    assert stream.asked == {"device": 0, "samplerate": RATE, "channels": 2, "dtype": "float32"}
    assert np.array_equal(stream.played, values)
    assert max(map(len, stream.blocks)) <= RATE // 10
    assert stream.state == "played to the end, closed"


def test_a_device_of_another_rate_gets_mono_at_its_own(portaudio: types.SimpleNamespace) -> None:
    OutputStream.failures.append(PortAudioError("Invalid sample rate", -9997))
    Player().play([np.stack([tone(1.0)] * 6, axis=1)], RATE, 6)
    (stream,) = OutputStream.made
    assert (stream.asked["samplerate"], stream.asked["channels"]) == (48_000, 1)
    assert len(stream.played) == 3 * RATE
    spectrum = np.abs(np.fft.rfft(stream.played[:, 0]))
    assert spectrum.argmax() == np.abs(np.fft.rfft(tone(1.0))).argmax()  # Hz, of a second each


def test_nothing_to_play(portaudio: types.SimpleNamespace) -> None:
    Player().play([], RATE, 1)
    (stream,) = OutputStream.made
    assert stream.state == "played to the end, closed"


def test_ctrl_c_ends_the_sound_at_once(portaudio: types.SimpleNamespace) -> None:
    OutputStream.interrupted_after = 2
    with pytest.raises(KeyboardInterrupt):
        Player().play([noise(RATE, channels=2)], RATE, 2)
    (stream,) = OutputStream.made
    assert len(stream.blocks) == 2
    assert stream.state == "playing, closed"


@pytest.mark.parametrize(("code", "words"), [(-9985, "is in use"), (-9999, "does not play: Broken")])
def test_a_device_that_does_not_open(portaudio: types.SimpleNamespace, code: int, words: str) -> None:
    OutputStream.failures.append(PortAudioError("Broken", code))
    with pytest.raises(DeviceError, match=rf"'Speakers' {words}"):
        Player().play([noise(RATE, channels=2)], RATE, 2)


def test_the_systems_choice_or_the_first_that_can_play(portaudio: types.SimpleNamespace) -> None:
    portaudio.devices = [
        one | {"index": index, "name": str(index), "max_output_channels": count}
        for index, (one, count) in enumerate(zip(portaudio.devices, (0, 2, 2), strict=False))
    ]
    for default, index in ((2, 2), (-1, 1), (0, 1)):
        portaudio.default.device = [-1, default]
        Player().play([noise(100, channels=2)], RATE, 2)
        assert OutputStream.made[-1].asked["device"] == index
    portaudio.devices = []
    with pytest.raises(DeviceError, match="no device can play"):
        Player()
