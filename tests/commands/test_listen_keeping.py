"""`vad listen`: what it keeps, when it stops, and that no fault costs what was recorded."""

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.listening import RATE, SOUND, expected, listen_to_pipe, segments, tone_bursts

from vad.commands.listening.files import SegmentFiles
from vad.detection.detector import Detector
from vad.detection.segments import Segment, SpeechEnd, SpeechStart
from vad.errors import ConfigError

PCM = np.round(SOUND * 32767).astype("<i2")
RAW = ["--sample-rate", str(RATE)]


def listened(model_path: Path, *arguments: str, pcm: np.ndarray = PCM) -> tuple[int, str, list[str]]:
    process = listen_to_pipe(model_path, *RAW, *arguments)
    output, words = process.communicate(pcm.tobytes(), timeout=60)
    return process.returncode, output.decode(), words.decode().splitlines()


def read(path: Path) -> np.ndarray:
    samples, sample_rate = soundfile.read(path, dtype="int16")
    assert sample_rate == RATE
    return np.asarray(samples)


@pytest.mark.parametrize("pre_roll_ms", [0, 200])
def test_every_segment_is_saved_with_what_led_up_to_it(
    model_path: Path, tmp_path: Path, pre_roll_ms: int
) -> None:
    folder = tmp_path / "new" / "folder"
    code, output, _ = listened(model_path, "--save", str(folder), "--pre-roll-ms", str(pre_roll_ms))
    assert code == 0
    found = expected(model_path, PCM)
    assert segments(output) == found
    saved = sorted(folder.iterdir())
    assert [path.name.partition("_")[2] for path in saved] == [
        f"{number:04d}_{start:.3f}-{end:.3f}.wav" for number, (start, end) in enumerate(found, 1)
    ]
    for path, (start, end) in zip(saved, found, strict=True):
        first = max(0, round((start - pre_roll_ms / 1000) * RATE))
        np.testing.assert_array_equal(read(path), PCM[first : round(end * RATE)])


def test_a_segment_longer_than_what_is_held_is_saved_whole(model_path: Path, tmp_path: Path) -> None:
    sound = np.round(tone_bursts([(0.5, 11.0), (11.5, 11.53), (12.0, 12.6)], 13.0) * 32767).astype("<i2")
    listened(model_path, "--save", str(tmp_path), "--pre-roll-ms", "100", pcm=sound)
    found = expected(model_path, sound)
    for path, (start, end) in zip(sorted(tmp_path.iterdir()), found, strict=True):
        np.testing.assert_array_equal(read(path), sound[round((start - 0.1) * RATE) : round(end * RATE)])


def test_the_pieces_of_split_speech_are_saved(model_path: Path, tmp_path: Path) -> None:
    options = ["--max-speech-duration-s", "4"]
    sound = np.round(tone_bursts([(0.5, 10.0)], 10.5) * 32767).astype("<i2")
    _, output, _ = listened(model_path, "--save", str(tmp_path), "--pre-roll-ms", "0", *options, pcm=sound)
    saved = sorted(tmp_path.iterdir())
    assert len(saved) == len(segments(output)) >= 3
    first, last = segments(output)[0][0], segments(output)[-1][1]
    whole = np.concatenate([read(path) for path in saved])
    np.testing.assert_array_equal(whole, sound[round(first * RATE) : round(last * RATE)])


def test_what_is_taken_back_leaves_no_file(model_path: Path, tmp_path: Path) -> None:
    options = ["--min-speech-duration-ms", "900", "--min-silence-duration-ms", "400"]
    _, output, _ = listened(model_path, "--save", str(tmp_path), *options)
    assert [json.loads(line)["event"] for line in output.splitlines()] == ["start", "rejected"] * 2
    assert list(tmp_path.iterdir()) == []


def test_the_whole_session_is_recorded_and_no_recording_is_overwritten(
    model_path: Path, tmp_path: Path
) -> None:
    path = tmp_path / "session.wav"
    assert listened(model_path, "--record", str(path))[0] == 0
    np.testing.assert_array_equal(read(path), PCM)
    code, output, words = listened(model_path, "--record", str(path), pcm=PCM[:4000])
    assert (code, output) == (2, "")
    assert [line.startswith(f"vad: {path} exists") for line in words] == [True]
    np.testing.assert_array_equal(read(path), PCM)


def test_a_command_runs_for_each_segment(model_path: Path, tmp_path: Path) -> None:
    command = (
        'echo "$VAD_START $VAD_END $VAD_PATH" && test "$VAD_START" != '
        + f"{expected(model_path, PCM)[1][0]:.3f}"
    )
    code, output, words = listened(model_path, "--save", str(tmp_path), "--exec", command)
    assert code == 0
    assert segments(output) == expected(model_path, PCM), "what the command prints is not among the events"
    printed = [line.split() for line in words if line.startswith(("0.", "1."))]
    assert [(float(start), float(end)) for start, end, _ in printed] == expected(model_path, PCM)
    assert [Path(path) for _, _, path in printed] == sorted(tmp_path.iterdir())
    (complaint,) = [line for line in words if line.startswith("vad:")]
    assert "exit code 1" in complaint


def test_a_command_without_saving_has_no_path(model_path: Path) -> None:
    _, _, words = listened(model_path, "--exec", "echo path=${VAD_PATH-none}")
    assert words.count("path=none") == 2


def test_until_silence_stops_after_the_first_utterance(model_path: Path) -> None:
    sound = np.round(tone_bursts([(0.3, 0.7), (1.0, 1.4), (3.5, 3.9)], 6.0) * 32767).astype("<i2")
    code, output, words = listened(model_path, "--until-silence", "0.8", pcm=sound)
    assert code == 0
    found = expected(model_path, sound)
    assert segments(output) == found[:2], "a pause shorter than that does not stop it"
    assert float(re.search(r"processed (\d+\.\d) s", words[-1])[1]) == pytest.approx(
        found[1][1] + 0.8, abs=0.1
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_amid_a_word_closes_the_segment_and_the_files(
    model_path: Path, tmp_path: Path, number: int, code: int
) -> None:
    process = listen_to_pipe(
        model_path, *RAW, "--save", str(tmp_path / "saved"), "--record", str(tmp_path / "all.wav")
    )
    assert process.stdin is not None
    assert process.stdout is not None
    fed = PCM[: round(0.6 * RATE)]
    process.stdin.write(fed.tobytes())
    process.stdin.flush()
    first = process.stdout.readline()
    time.sleep(0.2)  # let it process the rest
    process.send_signal(number)
    output, words = process.communicate(timeout=30)
    assert process.returncode == code
    assert json.loads(first)["event"] == "start"
    assert segments(output.decode()) == expected(model_path, fed)
    assert words.decode().startswith("processed 0.6 s: 1 segment")
    np.testing.assert_array_equal(read(tmp_path / "all.wav"), fed)
    (saved,) = (tmp_path / "saved").iterdir()
    start, end = expected(model_path, fed)[0]
    assert saved.name.endswith(f"-{process.pid}_0001_{start:.3f}-{end:.3f}.wav"), (
        "two programs may share a folder"
    )


def test_killed_outright_it_leaves_a_recording_that_can_be_read(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.wav"
    process = listen_to_pipe(model_path, *RAW, "--record", str(path))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(PCM[: round(0.6 * RATE)].tobytes())
    process.stdin.flush()
    process.stdout.readline()
    process.kill()
    process.communicate()
    recorded = read(path)
    assert len(recorded) >= round(0.3 * RATE)
    np.testing.assert_array_equal(recorded, PCM[: len(recorded)])


@pytest.mark.parametrize("flag", ["--record", "--save"])
def test_a_full_disk_is_reported_once_and_listening_goes_on(
    model_path: Path, tmp_path: Path, flag: str
) -> None:
    target = tmp_path / ("all.wav" if flag == "--record" else "saved")
    command = [sys.executable, "-m", "vad", "listen", "-", "--model", str(model_path), *RAW]
    done = subprocess.run(
        [*command, flag, str(target)],
        input=PCM.tobytes(),
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
        timeout=60,
    )
    assert done.returncode == 2
    assert segments(done.stdout.decode()) == expected(model_path, PCM)
    complaint, summary = done.stderr.decode().splitlines()
    path = target if flag == "--record" else next(target.iterdir())
    assert complaint.startswith(f"vad: cannot write {path}: File too large.")
    assert summary.startswith("processed 1.8 s: 2 segments")
    recorded = read(path)
    assert (len(recorded) > 4000) == (flag == "--record")
    if flag == "--record":
        np.testing.assert_array_equal(recorded, PCM[: len(recorded)])


def terminal_screen(model_path: Path, columns: int, *arguments: str, until: bytes = b"") -> str:
    """What a terminal is sent of the first 1.4 s, stdout and stderr; audio ends when it showed `until`."""
    pytest.importorskip("rich")
    here, there = pty.openpty()
    command = [sys.executable, "-m", "vad", "listen", "-", "--model", str(model_path), *RAW, *arguments]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "24"}
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=there, stderr=there, bufsize=0
    )
    os.close(there)
    assert process.stdin is not None
    process.stdin.write(PCM[: round(1.4 * RATE)].tobytes())
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    screen = b""
    while True:
        if until in screen:
            process.stdin.close()
        try:
            piece = os.read(here, 65536)
        except OSError:  # Linux says so where nobody writes any more
            break
        screen += piece
        if not piece:
            break
    os.close(here)
    watchdog.cancel()
    process.wait()
    return screen.decode()


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_a_terminal_shows_a_meter_and_each_segment(model_path: Path, columns: int) -> None:
    screen = terminal_screen(model_path, columns)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", plain)]
    start, end = expected(model_path, PCM)[0]
    assert f"{start:9.2f} - {end:9.2f} s  {end - start:6.2f} s" in lines
    meters = [line for line in lines if line.startswith("level")]
    assert len(meters) > 10
    assert all(len(line) <= columns for line in meters)
    shown = [
        re.fullmatch(r"level \S+ +(-\d+) dB +speech \S+ +([01]\.\d\d) +talk 0:0\d of 0:0[01]", line)
        for line in meters
    ]
    assert all(shown)
    assert max(int(one[1]) for one in shown) == -10, "a sine with a peak of 0.3"
    assert max(float(one[2]) for one in shown) > 0.9
    summary, cost = [line for line in lines if line][-2:]
    assert re.fullmatch(r"processed 1\.4 s: 1 segment, 0\.\d s of speech", summary)
    assert re.fullmatch(r"time per block: p50 \S+ ms, p99 \S+ ms; overflows: 0", cost)


def test_a_command_speaks_above_the_meter(model_path: Path) -> None:
    screen = terminal_screen(model_path, 80, "--exec", "echo said; sleep 0.1; printf more", until=b"more")
    assert "\r\x1b[2Ksaid\r\n" in screen, "the meter's line is wiped, and not written on"


def test_a_child_in_the_background_holds_nothing_up(model_path: Path) -> None:
    began = time.monotonic()
    code, _, words = listened(model_path, "--exec", "sleep 30 & echo $!")
    assert (code, time.monotonic() - began < 20) == (0, True)
    for child in [int(line) for line in words if line.isdecimal()]:
        os.kill(child, signal.SIGKILL)


def test_blocks_of_any_length_give_the_same_segments(model_path: Path) -> None:
    found = expected(model_path, PCM)
    for block_ms in ("10", "33", "100"):
        assert segments(listened(model_path, "--block-ms", block_ms)[1]) == found


def test_a_gap_is_silence_to_the_stream(model_path: Path) -> None:
    """The times after lost audio are still those of the clock: `Microphone` says when each block began."""
    from vad.audio.microphone import Block
    from vad.commands.listen import _without_gaps

    class Gappy:
        sample_rate = RATE

        def __iter__(self) -> object:
            yield Block(SOUND[: 2 * 320], False, 0.0)
            yield Block(SOUND[5 * 320 :], True, 5 * 320 / RATE)

    filled = np.concatenate([samples for samples, _ in _without_gaps(Gappy())])
    with_silence = SOUND.copy()
    with_silence[2 * 320 : 5 * 320] = 0
    np.testing.assert_array_equal(filled, with_silence)
    assert Detector(model_path).detect(filled, RATE) == Detector(model_path).detect(with_silence, RATE)


def test_a_segment_that_cannot_be_saved_has_no_path(tmp_path: Path, detector: Detector) -> None:
    """Else a command would get the path of the segment before."""
    folder = tmp_path / "saved"
    files = SegmentFiles(folder, RATE, pre_roll_s=0.0, wait_s=1.0)
    stream = detector.stream(RATE, keep_audio_s=2.0)
    stream.feed(PCM)
    first, second = Segment(0.1, 0.5), Segment(0.6, 0.9)
    files.on_event(SpeechStart(first.start, first.start), stream)
    files.on_event(SpeechEnd(first, first.end, first.end), stream)
    assert files.last_path is not None
    assert files.last_path.exists()
    folder.rename(tmp_path / "elsewhere")
    files.on_event(SpeechStart(second.start, second.start), stream)
    with pytest.raises(ConfigError, match="cannot write"):
        files.on_event(SpeechEnd(second, second.end, second.end), stream)
    assert files.last_path is None
