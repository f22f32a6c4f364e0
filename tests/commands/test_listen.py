"""`vad listen`: what it prints and how it ends, with a microphone made of paper and with pipes."""

import json
import os
import re
import signal
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.listening import RATE, SOUND, expected, listen_to_pipe, segments, tone_bursts
from support.paper_portaudio import DEVICES, FailingImport, InputStream, PortAudioError

from vad.audio.raw_format import ENCODINGS
from vad.cli import main
from vad.detection.detector import Detector
from vad.detection.segments import Event
from vad.detection.stream import Stream


def interrupt_after_all_audio() -> None:
    """Ctrl-C, once the microphone has given all of its audio."""

    def press() -> None:
        time.sleep(0.3)
        os.kill(os.getpid(), 2)

    threading.Thread(target=press, daemon=True).start()


def test_duration_ends_it_and_closes_what_is_open(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.plays.append(SOUND)
    assert main(["listen", "--model", str(model_path), "--duration", "1.8"]) == 0
    output = capsys.readouterr()
    assert segments(output.out) == expected(model_path)
    greeting, summary = output.err.splitlines()
    assert "Webcam" in greeting
    speech_s = sum(end - start for start, end in expected(model_path))
    assert re.fullmatch(
        rf"processed 1\.8 s: 2 segments, {speech_s:.1f} s of speech; "
        r"time per block: p50 \d+\.\d\d ms, p99 \d+\.\d\d ms; overflows: 0",
        summary,
    )
    assert InputStream.made[0].closed


def test_each_event_is_one_json_object(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.plays.append(SOUND)
    options = ["--min-speech-duration-ms", "900", "--min-silence-duration-ms", "400"]
    main(["listen", "--model", str(model_path), "--duration", "1.8", *options])
    rejected = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in rejected] == ["start", "rejected", "start", "rejected"]
    assert [sorted(event) for event in rejected] == [["decided_at", "event", "time"]] * 4
    main(["listen", "--model", str(model_path), "--duration", "1.8"])
    start, end = [json.loads(line) for line in capsys.readouterr().out.splitlines()][:2]
    assert sorted(end) == ["decided_at", "event", "start", "time"]
    assert start["time"] == end["start"] < start["decided_at"] < end["time"] < end["decided_at"]


def test_text_is_for_people(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.plays.append(SOUND)
    main(["listen", "--model", str(model_path), "--duration", "1.8", "--format", "text"])
    start, end = expected(model_path)[0]
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{start:9.2f} s  speech starts",
        f"{end:9.2f} s  speech ends, {end - start:.2f} s long",
    ]


def test_a_template_gives_a_line_for_each_segment(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.plays.append(SOUND)
    words = [
        "--printf",
        r"{id}\t{start} {end:.3f} {duration:%S} {timestamp:%Y}",
        "--time-format",
        "%h:%m:%s.%i",
    ]
    assert main(["listen", "--model", str(model_path), "--duration", "1.8", *words]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{number}\t00:00:{start:06.3f} {end:.3f} {end - start:.3f} {time.localtime().tm_year}"
        for number, (start, end) in enumerate(expected(model_path), 1)
    ]


def test_ctrl_c_closes_the_open_segment(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.plays.append(SOUND)
    interrupt_after_all_audio()
    assert main(["listen", "--model", str(model_path)]) == 130
    output = capsys.readouterr()
    assert segments(output.out) == expected(model_path)
    assert "processed 1.8 s: 2 segments" in output.err
    assert InputStream.made[0].closed


def test_ctrl_c_amid_the_work_loses_nothing_that_is_waiting(
    portaudio: types.SimpleNamespace,
    model_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    InputStream.plays.append(SOUND)  # all of it waits from the beginning
    feed = Stream.feed

    def interrupted(stream: Stream, samples: np.ndarray) -> list[Event]:
        if 0.1 < stream.duration < 0.13:
            signal.raise_signal(signal.SIGINT)
        return feed(stream, samples)

    monkeypatch.setattr(Stream, "feed", interrupted)
    assert main(["listen", "--model", str(model_path)]) == 130
    output = capsys.readouterr()
    assert segments(output.out) == expected(model_path)
    assert "processed 1.8 s: 2 segments" in output.err


def test_what_does_not_go_together_is_refused(model_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listen = ["listen", "-", "--model", str(model_path)]
    assert main([*listen, "--device", "3"]) == 2
    assert "--device" in capsys.readouterr().err
    assert main([*listen, "--save", "words", "--max-speech-duration-s", "1e9"]) == 2
    assert "max_speech_duration_s must be at most 3600" in capsys.readouterr().err
    assert not Path("words").exists()


def test_a_microphone_that_goes_away_closes_the_open_segment(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.plays.append(SOUND)
    InputStream.vanishes = True
    assert main(["listen", "--model", str(model_path)]) == 1
    output = capsys.readouterr()
    assert segments(output.out) == expected(model_path)
    assert output.err.splitlines()[-1].startswith("vad: ")


def test_a_device_of_another_rate_is_resampled(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = tone_bursts([(0.3, 0.7)], 1.2).repeat(3)
    InputStream.failures.append(PortAudioError("Invalid sample rate", -9997))
    InputStream.plays.append(sound)
    assert main(["listen", "--model", str(model_path), "--duration", "1.2", "--device", "3"]) == 0
    assert InputStream.made[0].asked["samplerate"] == 48000
    ((start, end),) = segments(capsys.readouterr().out)
    found = Detector(model_path).detect(sound, 48000)[0]
    assert (start, end) == (round(found.start, 3), round(found.end, 3))


def test_lost_audio_is_reported(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.plays.append(np.tile(SOUND, 7))  # more than the queue of 10 s holds, all at once
    with_more = threading.Timer(0.3, lambda: InputStream.made[0].say(np.zeros(320)))
    with_more.start()
    assert main(["listen", "--model", str(model_path), "--duration", "12.61"]) == 0
    output = capsys.readouterr()
    assert "12.6 s" in output.err.splitlines()[1]
    assert output.err.rstrip().endswith("; overflows: 1")
    assert "processed 12.6 s" in output.err, "what was lost counts as silence"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--device", "9"], 1, "vad: device must be the number or a part of the name of"),
        (["--device", "web"], 1, "Received: device='web'."),
        (["--duration", "0"], 2, "vad: duration must be more than 0 seconds. Received: duration=0.0."),
        (["--duration", "nan"], 2, "vad: duration must be more than 0 seconds."),
        (["--until-silence", "-1"], 2, "vad: until_silence must be more than 0 seconds. Received: until_sil"),
        (["--block-ms", "5"], 2, "vad: block_ms must be between 10 and 100. Received: block_ms=5.0."),
        (["--pre-roll-ms", "-1"], 2, "vad: pre_roll_ms must be between 0 and 10000."),
        (["--save", "/dev/null"], 2, "vad: cannot write /dev/null: file exists"),
        (["--record", "/nowhere/a.wav"], 2, "vad: cannot write /nowhere/a.wav: No such file or"),
        (["--format", "xml"], 2, "invalid choice: 'xml'"),
        (["--threshold", "1.5"], 2, "vad: threshold must be between 0 and 1. Received: threshold=1.5."),
        (["--model", "nothing"], 2, "vad: model must be one of"),
        (["clip.wav"], 2, "vad detect clip.wav"),
        (["--printf", "{file}"], 2, r"vad: --printf must use the names .*\{timestamp\}"),
        (["--printf", "{id}", "--format", "text"], 2, "vad: --printf and --format"),
        (["--time-format", "%S"], 2, "vad: --time-format is for --printf"),
    ],
)
def test_what_cannot_be_done(
    portaudio: types.SimpleNamespace,
    model_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    assert main(["listen", "--model", str(model_path), *arguments]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert re.search(message, output.err)


def test_a_busy_microphone_is_one_line(
    portaudio: types.SimpleNamespace, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    InputStream.failures.append(PortAudioError("Device unavailable", -9985))
    assert main(["listen", "--model", str(model_path)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("vad: ")
    assert "'Webcam' is in use" in line


def test_no_portaudio_library_is_one_line(
    monkeypatch: pytest.MonkeyPatch, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FailingImport.put(monkeypatch, OSError("PortAudio library not found"))
    assert main(["listen", "--model", str(model_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vad: ")
    assert "PortAudio" in line
    assert "apt install libportaudio2" in line


def test_nothing_is_recorded_from_a_microphone_whose_file_cannot_be_made(
    portaudio: types.SimpleNamespace, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.wav").touch()
    assert main(["listen", "--model", str(model_path), "--record", str(tmp_path / "old.wav")]) == 2
    assert capsys.readouterr().err.startswith(f"vad: {tmp_path / 'old.wav'} exists")
    assert not InputStream.made[0].active


def test_the_devices_are_listed(portaudio: types.SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--list-devices", "--format", "text"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "    1  Headset Mono  (1 channel, 44100 Hz)",
        "*   2  Webcam  (2 channels, 48000 Hz)",
        "    3  Webcam Pro  (2 channels, 48000 Hz)",
    ]
    assert main(["listen", "--list-devices"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [device["name"] for device in listed] == [device["name"] for device in DEVICES[1:]]


def test_a_list_of_no_devices_says_so(
    portaudio: types.SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    portaudio.devices = DEVICES[:1]
    assert main(["listen", "--list-devices"]) == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1


def test_a_wav_pipe(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    soundfile.write(path, np.stack([SOUND, SOUND], axis=1), RATE, subtype="FLOAT")
    process = listen_to_pipe(model_path)
    output, words = process.communicate(path.read_bytes(), timeout=30)
    assert process.returncode == 0, words
    assert segments(output.decode()) == expected(model_path)


@pytest.mark.parametrize("encoding", ["s16le", "s24le", "f32le", "mulaw"])
def test_each_event_comes_as_soon_as_its_audio_did(model_path: Path, tmp_path: Path, encoding: str) -> None:
    """A writer that waits for each event before it goes on, and whose pieces end amid samples."""
    subtype, width = ENCODINGS[encoding]
    soundfile.write(tmp_path / "sound.raw", SOUND, RATE, subtype=subtype, format="RAW", endian="LITTLE")
    content = (tmp_path / "sound.raw").read_bytes()
    process = listen_to_pipe(model_path, "--sample-rate", "16000", "--encoding", encoding)
    assert process.stdin is not None
    assert process.stdout is not None
    watchdog = threading.Timer(20, process.kill)
    watchdog.start()
    lines, written = [], 0
    for until_s in (0.5, 1.0, 1.7):  # the first burst is on, over; the second is on
        while written < round(until_s * RATE) * width:
            piece = content[written : written + 1001]
            process.stdin.write(piece)
            process.stdin.flush()
            written += len(piece)
        lines.append(process.stdout.readline())
    watchdog.cancel()
    assert [json.loads(line)["event"] for line in lines] == ["start", "end", "start"]
    rest, words = process.communicate(content[written:], timeout=30)
    assert process.returncode == 0, words
    decoded, _ = soundfile.read(
        tmp_path / "sound.raw", format="RAW", subtype=subtype, samplerate=RATE, channels=1, endian="LITTLE"
    )
    assert segments(b"".join([*lines, rest]).decode()) == expected(model_path, decoded)


def test_a_reader_that_goes_away_ends_it_and_costs_no_recording(model_path: Path, tmp_path: Path) -> None:
    process = listen_to_pipe(
        model_path, "--sample-rate", "16000", "--encoding", "f32le", "--save", str(tmp_path / "saved")
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, words = process.communicate(SOUND.tobytes(), timeout=30)
    assert process.returncode == 141
    (line,) = words.decode().splitlines()
    assert line.startswith("processed 0.")
    (saved,) = (tmp_path / "saved").iterdir()
    assert saved.name.endswith(".wav")
    assert not saved.name.endswith(".part.wav")


def test_a_pipe_without_a_header_needs_a_rate(model_path: Path) -> None:
    process = listen_to_pipe(model_path)
    _, words = process.communicate(b"\0" * 400, timeout=30)
    assert process.returncode == 1
    assert re.match("vad: stdin.*WAV.*--sample-rate", words.decode())
    assert len(words.splitlines()) == 1
