"""The microphone: blocks, overflow and errors, with a PortAudio made of paper."""

import itertools
import re
import threading
import types
from typing import Any

import numpy as np
import pytest
from support.paper_portaudio import DEVICES, FailingImport, InputStream, PortAudioError

from vad.audio.microphone import Device, Microphone, list_devices
from vad.errors import ConfigError, DeviceError


def test_the_devices_are_those_that_record(portaudio: types.SimpleNamespace) -> None:
    assert list_devices() == [
        Device(1, "Headset Mono", 1, 44100, is_default=False),
        Device(2, "Webcam", 2, 48000, is_default=True),
        Device(3, "Webcam Pro", 2, 48000, is_default=False),
    ]


@pytest.mark.parametrize(
    ("wanted", "index"), [(None, 2), (1, 1), ("headset", 1), ("Webcam", 2), ("pro", 3), (3, 3)]
)
def test_a_device_is_a_number_or_a_part_of_a_name(
    portaudio: types.SimpleNamespace, wanted: int | str | None, index: int
) -> None:
    microphone = Microphone(wanted)
    assert microphone.device.index == index
    assert InputStream.made[0].asked["device"] == index


@pytest.mark.parametrize("wanted", [0, 9, "nothing", "web"])
def test_a_device_that_is_none_or_several(portaudio: types.SimpleNamespace, wanted: int | str) -> None:
    with pytest.raises(DeviceError) as error:
        Microphone(wanted)
    assert str(error.value).endswith(
        f"1 'Headset Mono', 2 'Webcam', 3 'Webcam Pro'. Received: device={wanted!r}."
    )


def test_no_device_at_all(portaudio: types.SimpleNamespace) -> None:
    portaudio.devices = DEVICES[:1]
    assert list_devices() == []
    with pytest.raises(DeviceError, match="no device"):
        Microphone()


def test_no_default_device_takes_the_first(portaudio: types.SimpleNamespace) -> None:
    portaudio.default.device = [-1, -1]
    assert Microphone().device.index == 1


def test_it_records_mono_at_the_rate_that_was_asked_for(portaudio: types.SimpleNamespace) -> None:
    microphone = Microphone(sample_rate=16000, block_duration=0.02)
    asked = InputStream.made[0].asked
    assert (asked["samplerate"], asked["channels"], asked["dtype"], asked["blocksize"]) == (
        16000,
        1,
        "float32",
        320,
    )
    assert microphone.sample_rate == 16000


def test_a_device_of_another_rate_records_at_its_own(portaudio: types.SimpleNamespace) -> None:
    InputStream.failures.append(PortAudioError("Invalid sample rate", -9997))
    microphone = Microphone(1, sample_rate=16000, block_duration=0.02)
    asked = InputStream.made[0].asked
    assert (asked["samplerate"], asked["blocksize"], microphone.sample_rate) == (44100, 882, 44100)


def test_a_device_that_has_no_single_channel_gives_all_and_they_are_mixed(
    portaudio: types.SimpleNamespace,
) -> None:
    InputStream.failures.extend([PortAudioError("Invalid number of channels", -9998)] * 2)
    with Microphone(2) as microphone:
        assert InputStream.made[0].asked["channels"] == 2
        InputStream.made[0].say(np.tile([0.2, 0.4], (480, 1)))
        block = next(iter(microphone))
    assert block.samples.shape == (480,)
    np.testing.assert_allclose(block.samples, 0.3, atol=1e-6)


@pytest.mark.parametrize(
    ("failures", "message"),
    [
        ([("Device unavailable", -9985)], "'Webcam' is in use"),
        ([("Invalid device", -9996)], "'Webcam'.*Invalid device"),
        ([("Invalid sample rate", -9997), ("Device unavailable", -9985)], "in use"),
        (
            [("Invalid sample rate", -9997)] * 4,
            "'Webcam'.*Invalid sample rate",
        ),
        (
            [("Unanticipated host error", -9999, (0, 0, ""))],
            "'Webcam'.*Unanticipated host error",
        ),
    ],
)
def test_a_device_that_does_not_open(
    portaudio: types.SimpleNamespace, failures: list[tuple[Any, ...]], message: str
) -> None:
    InputStream.failures.extend(PortAudioError(*arguments) for arguments in failures)
    with pytest.raises(DeviceError) as error:
        Microphone()
    assert re.search(message, str(error.value))
    assert "\n" not in str(error.value)


def test_a_device_that_does_not_start(
    portaudio: types.SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(stream: InputStream) -> None:
        raise PortAudioError("Device unavailable", -9985)

    monkeypatch.setattr(InputStream, "start", start)
    with pytest.raises(DeviceError, match="'Webcam'"), Microphone():
        pass


def test_a_library_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    FailingImport.put(monkeypatch, PortAudioError("Error initializing PortAudio: Unanticipated host error"))
    with pytest.raises(DeviceError, match="Error initializing"):
        list_devices()


def test_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    FailingImport.put(monkeypatch, OSError("PortAudio library not found"))
    for call in (list_devices, Microphone):
        with pytest.raises(DeviceError, match=r"PortAudio.*apt install"):
            call()


@pytest.mark.parametrize("duration", [0.0, 0.005, 0.2])
def test_blocks_of_a_length_that_is_none(portaudio: types.SimpleNamespace, duration: float) -> None:
    with pytest.raises(ConfigError, match=f"block_duration={duration}"):
        Microphone(block_duration=duration)


def test_blocks_are_what_was_said_in_order(portaudio: types.SimpleNamespace) -> None:
    said = np.random.default_rng(0).uniform(-1, 1, (5, 480)).astype(np.float32)
    with Microphone(sample_rate=16000) as microphone:
        for samples in said:
            InputStream.made[0].say(samples)
        blocks = list(itertools.islice(microphone, len(said)))
    assert np.array_equal([block.samples for block in blocks], said)
    assert [block.time for block in blocks] == pytest.approx([0.0, 0.03, 0.06, 0.09, 0.12])
    assert not any(block.overflowed for block in blocks)


def test_the_callback_never_waits_and_a_full_queue_is_told(portaudio: types.SimpleNamespace) -> None:
    with Microphone(sample_rate=16000, queue_duration=0.09) as microphone:
        stream = InputStream.made[0]
        for value in range(5):  # three fit, two are lost
            stream.say(np.full(480, value / 10))
        blocks = iter(microphone)
        taken = [next(blocks) for _ in range(3)]
        stream.say(np.full(480, 0.9))
        stream.say(np.full(480, 0.95))
        taken += [next(blocks), next(blocks)]
    assert [round(float(block.samples[0]), 2) for block in taken] == [0.0, 0.1, 0.2, 0.9, 0.95]
    assert [block.overflowed for block in taken] == [False, False, False, True, False]
    assert [block.time for block in taken] == pytest.approx([0.0, 0.03, 0.06, 0.15, 0.18])


def test_portaudios_own_overflow_is_told(portaudio: types.SimpleNamespace) -> None:
    with Microphone() as microphone:
        InputStream.made[0].say(np.zeros(480), overflow=True)
        assert next(iter(microphone)).overflowed


def test_a_device_that_goes_away(portaudio: types.SimpleNamespace) -> None:
    with Microphone() as microphone:
        stream = InputStream.made[0]
        stream.say(np.zeros(480))
        stream.active = False
        blocks = iter(microphone)
        assert len(next(blocks).samples) == 480, "what came before is heard"
        with pytest.raises(DeviceError, match="'Webcam'"):
            next(blocks)
    assert stream.closed


def test_a_device_that_says_nothing_more(
    portaudio: types.SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vad.audio.microphone._PATIENCE_S", 0.05)
    with pytest.raises(DeviceError, match="'Webcam' stopped"), Microphone() as microphone:
        list(microphone)


def test_a_slow_device_is_waited_for(portaudio: types.SimpleNamespace) -> None:
    with Microphone() as microphone:
        timer = threading.Timer(0.1, InputStream.made[0].say, [np.ones(480)])
        timer.start()
        assert next(iter(microphone)).samples[0] == 1
        timer.join()


def test_pauses_do_not_add_up(portaudio: types.SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vad.audio.microphone._PATIENCE_S", 0.2)
    with Microphone() as microphone:
        stream = InputStream.made[0]
        timers = [threading.Timer(0.1 * number, stream.say, [np.ones(480)]) for number in range(1, 5)]
        for timer in timers:
            timer.start()
        assert len(list(itertools.islice(microphone, 4))) == 4
        for timer in timers:
            timer.join()


def test_the_device_is_let_go(portaudio: types.SimpleNamespace) -> None:
    with Microphone() as microphone:
        stream = InputStream.made[0]
        assert stream.active
        assert not stream.closed
    assert stream.closed
    assert microphone.device.name == "Webcam"
