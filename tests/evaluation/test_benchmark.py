"""The benchmark: systems held against each other on sounds whose answers are known."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import tiny_corpus
from support.places import MEETINGS
from support.sounds import RATE, noise, tone

from vad.audio.reading import read_audio
from vad.cli import main
from vad.corpus.manifest import read_corpus
from vad.detection.detection import Detection
from vad.detection.options import SegmentOptions
from vad.detection.segments import Segment
from vad.errors import MissingDependencyError
from vad.evaluation.benchmark.bootstrap import draws, interval, metrics_of_draws, shares_of_draws
from vad.evaluation.benchmark.conditions import Condition, LoadedRecording, make_conditions
from vad.evaluation.benchmark.run import Results, benchmark
from vad.evaluation.benchmark.store import detect_all
from vad.evaluation.benchmark.systems import PEERS, System, model_systems
from vad.evaluation.benchmark.tables import to_json, to_markdown
from vad.evaluation.scoring import on_grid, pool, score

SPEECH = Segment(0.5, 1.5)


def talk(name: str = "a.wav", level: float = 0.1) -> LoadedRecording:
    """Two seconds of faint hum with a second of tone in it."""
    samples = tone(2.0, level=level)
    outside = np.ones(len(samples), bool)
    outside[round(SPEECH.start * RATE) : round(SPEECH.end * RATE)] = False
    samples[outside] *= 0.001
    return LoadedRecording(name, samples, (SPEECH,))


def fake_system(name: str, answers: dict[str, float] | None = None) -> tuple[System, list[int]]:
    """A system that scores cells by loudness (or the whole recording by its answer), and the lengths it was given."""
    given: list[int] = []

    def process(samples: np.ndarray) -> Detection:
        given.append(len(samples))
        cells = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        loud = np.clip(np.sqrt(np.mean(cells**2, axis=1)) * 5, 0, 1)
        return on_grid(Detection(len(samples) / RATE, 0.01, loud, [SPEECH]))

    return System(name, "1", SegmentOptions(threshold=0.2), process), given


def condition(name: str, **material: list[LoadedRecording]) -> Condition:
    made = make_conditions(material)
    return next(one for one in made if one.name == name)


def snr_db(recording: LoadedRecording, name: str, seed: int = 0, **material: list[LoadedRecording]) -> float:
    added = condition(name, **material).apply(recording, seed) - recording.samples
    return recording.level_db - 10 * float(np.log10(np.mean(np.square(added, dtype=np.float64))))


@pytest.mark.parametrize(("name", "snr"), [("pink 10 dB", 10.0), ("pink 0 dB", 0.0), ("noise 5 dB", 5.0)])
def test_noise_stands_so_far_under_the_speech(name: str, snr: float) -> None:
    steady = [LoadedRecording(f"{seed}", noise(RATE, seed=seed)) for seed in range(3)]
    # Of a recorded noise the louder half counts, so all of it is a little fainter.
    assert snr_db(talk(), name, noises=steady) == pytest.approx(snr, abs=0.6)


def test_conditions_of_one_draw_differ_in_level_alone() -> None:
    recording = talk()
    loud, soft = (
        condition(name).apply(recording, 3) - recording.samples for name in ("pink 0 dB", "pink 10 dB")
    )
    assert loud / 10**0.5 == pytest.approx(soft, abs=1e-6)


def test_a_condition_hangs_on_seed_and_name_and_nothing_else() -> None:
    room = condition("room")
    assert np.array_equal(room.apply(talk(), 1), room.apply(talk(), 1))
    assert not np.array_equal(room.apply(talk(), 1), room.apply(talk(), 2))
    assert not np.array_equal(room.apply(talk(), 1), room.apply(talk("b.wav"), 1))


@pytest.mark.parametrize(
    "made",
    make_conditions({"hum": [LoadedRecording("n", noise(999))], "music": [LoadedRecording("m", tone(5.0))]}),
    ids=lambda one: one.name,
)
def test_no_condition_moves_the_clip_or_overdrives_it(made: Condition) -> None:
    loud = talk(level=1.0)
    samples = made.apply(loud, 0)
    lead, length = round(made.lead_s * RATE), len(loud.samples)
    assert samples.shape == (lead + min(length, round(min(made.first_s, 2.0) * RATE)),)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= 1.0


def test_turned_down_the_noise_goes_down_with_the_talk() -> None:
    noisy, faint = (condition(f"pink 10 dB{then}").apply(talk(), 3) for then in ("", ", then -40 dB"))
    assert faint == pytest.approx(noisy / 100, rel=1e-4)


def test_a_beep_is_far_louder_than_the_talk_and_does_not_count() -> None:
    one, clip = condition("after a beep"), talk(level=0.001)
    samples = one.apply(clip, 0)
    beep = samples[: RATE // 2]
    assert 10 * np.log10(np.mean(beep**2)) - clip.level_db == pytest.approx(40, abs=0.1)
    lag = 0.5 + SPEECH.start
    probabilities = np.r_[np.ones(50), np.zeros(200)].astype(np.float32)
    scored = one.score(Detection(2.5, 0.01, probabilities, [Segment(0.2, lag + 1.0)]), clip)
    assert scored.probabilities is not None
    assert not scored.probabilities.any()
    assert (scored.duration, scored.detection.false_alarm) == pytest.approx((2.0, SPEECH.start))


def test_of_the_first_seconds_the_rest_is_neither_heard_nor_counted() -> None:
    one, clip = condition("first 2 s"), LoadedRecording("a", tone(4.0), (Segment(1.5, 3.5),))
    assert len(one.apply(clip, 0)) == 2 * RATE
    scored = one.score(Detection(2.0, 0.01, np.zeros(200, np.float32), []), clip)
    assert scored.detection.miss == pytest.approx(0.5)


def test_a_silent_noise_is_no_noise() -> None:
    names = [one.name for one in make_conditions({"hum": [LoadedRecording("n", np.zeros(RATE, np.float32))]})]
    assert not any(name.startswith("noise") for name in names)


def test_energy_finds_what_is_loud_and_where() -> None:
    detection = PEERS["energy"]().process(talk().samples)
    assert detection.duration == 2.0
    (found,) = detection.segments
    assert (found.start, found.end) == pytest.approx((SPEECH.start, SPEECH.end), abs=0.011)


def opened(peer: str) -> System:
    try:
        return PEERS[peer]()
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("peer", ["silero", "ten", "webrtc", "firered", "firered-stream"])
def test_a_peer_starts_every_recording_afresh(peer: str) -> None:
    system = opened(peer)
    first, loud = talk().samples[: RATE + 77], 0.3 * noise(RATE)
    alone = system.process(first)
    system.process(loud)
    again = system.process(first)
    assert np.array_equal(alone.probabilities, again.probabilities)
    assert len(alone.probabilities) == 100
    assert alone.duration == pytest.approx(len(first) / RATE)


@pytest.mark.parametrize(
    ("peer", "area"), [("silero", 0.982), ("ten", 0.977), ("webrtc", 0.768), ("firered", 0.984)]
)
def test_peers_have_their_known_area_on_real_meetings(peer: str, area: float) -> None:
    if not MEETINGS.is_dir():
        pytest.skip("the meetings are not here")
    system = opened(peer)
    scored = [score(system.process(read_audio(item.path)), item.segments) for item in read_corpus(MEETINGS)]
    assert pool(scored).metrics(0.5).auc == pytest.approx(area, abs=0.001)


def test_a_peer_that_is_not_installed_is_named_and_left_out(
    tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    save(tmp_path / "set", talk())
    words = ["benchmark", str(tmp_path / "set"), "--models", str(model_path), "--peers", "webrtc", "energy"]
    assert main([*words, "--conditions", "clean", "--draws", "5"]) == 0
    captured = capsys.readouterr()
    assert "measure webrtc" in captured.err
    assert "Energy" in captured.out
    assert "WebRTC" not in captured.out


def save(folder: Path, *recordings: LoadedRecording) -> Path:
    """Clips as a folder with labels."""
    folder.mkdir(parents=True, exist_ok=True)
    for recording in recordings:
        soundfile.write(folder / recording.name, recording.samples, RATE, subtype="FLOAT")
        lines = [
            f"SPEAKER a 1 {one.start} {one.end - one.start} <NA> <NA> x <NA> <NA>\n"
            for one in recording.reference
        ]
        (folder / recording.name).with_suffix(".rttm").write_text("".join(lines))
    return folder


def test_intervals_are_those_of_drawing_recordings_and_measuring_again() -> None:
    rng = np.random.default_rng(0)
    scored = []
    for number in range(6):
        labels = rng.random(400) < 0.4
        scores = np.clip(0.5 + 0.2 * rng.normal(size=400) + 0.2 * labels, 0, 1).astype(np.float32)
        detection = Detection(4.0, 0.01, scores, [])
        scored.append(replace(score(detection, ()), labels=labels, duration=float(number)))
    drawn = draws(6, 50, seed=1)
    figures = metrics_of_draws(scored, 0.6, drawn)
    for column, times in enumerate(drawn.astype(int)):
        again = pool([one for one, count in zip(scored, times, strict=True) for _ in range(count)]).metrics(
            0.6
        )
        expected = [
            again.auc,
            again.average_precision,
            again.best_balanced_error,
            (again.miss + again.false_alarm) / 2,
            again.false_alarm_at_5_miss,
        ]
        assert figures[:, column] == pytest.approx(expected, abs=0.005)


def test_a_share_of_draws_is_pooled_over_recordings() -> None:
    drawn = np.array([[2.0, 0.0], [1.0, 1.0]])
    assert shares_of_draws([1, 3], [10, 30], drawn).tolist() == [0.1, 0.1]
    assert shares_of_draws([1, 0], [10, 30], drawn).tolist() == [0.1, 0.025]
    low, high = interval(np.array([np.nan, 1.0, 2.0]))
    assert 1.0 <= low < high <= 2.0


def run(
    systems: list[System], folder: Path | None = None, sounds: dict[str, list[LoadedRecording]] | None = None
) -> Results:
    recordings = [talk("a.wav"), talk("b.wav", 0.05)]
    conditions = [one for one in make_conditions({}) if one.name in ("clean", "-26 dB")]
    return benchmark(
        systems,
        recordings,
        conditions,
        sounds or {},
        seed=0,
        n_draws=20,
        store=folder,
        advance=lambda _: None,
    )


def test_systems_that_say_the_same_do_not_differ() -> None:
    results = run([fake_system("one")[0], fake_system("other")[0]])
    figures = results.conditions["clean"]
    # By their words: what is not known is NaN, which does not equal itself.
    assert repr(figures["one"].metrics) == repr(figures["other"].metrics)
    assert figures["one"].metrics.auc == 1.0
    assert figures["one"].differences == {}
    assert set(figures["other"].differences.values()) == {(0.0, 0.0)}


def test_false_alarms_are_taken_at_each_systems_own_point() -> None:
    # The clean speech is at 0.35 and 0.18, so both thresholds at 5 % miss are there; the own one is 0.2.
    quiet, loud = (
        LoadedRecording("q", 0.5 * talk().samples[:RATE]),
        LoadedRecording("l", tone(1.0, level=0.06)),
    )
    results = run([fake_system("one")[0]], sounds={"hum": [quiet, loud]})
    one = results.sounds["hum"]["one"]
    assert one.at_5_miss == pytest.approx(0.75, abs=0.02)
    assert one.at_own == pytest.approx(0.5, abs=0.02)
    assert results.sound_seconds == {"hum": 2.0}


def test_what_a_lower_level_and_a_beep_cost_is_told() -> None:
    plain, _ = fake_system("plain")

    def half_deaf(samples: np.ndarray) -> Detection:
        detection = plain.process(samples)
        if np.abs(samples).max() > 0.2:  # the beep, and so until half of the speech after it
            detection.probabilities[: round((0.5 + SPEECH.start + 0.5) / 0.01)] = 0
        return detection

    systems = [plain, replace(plain, name="deaf", process=half_deaf)]
    names = ("clean", "-26 dB", "-40 dB", "after a beep")
    conditions = [one for one in make_conditions({}) if one.name in names]
    # So faint that the beep is not clipped.
    results = benchmark(
        [replace(one, options=SegmentOptions(threshold=0.002)) for one in systems],
        [talk(level=0.004)],
        conditions,
        {},
        seed=0,
        n_draws=2,
        store=None,
        advance=lambda _: None,
    )
    assert results.kept_after_beep == pytest.approx({"plain": 1.0, "deaf": 0.5}, abs=0.02)
    text = to_markdown(results)
    assert "| clean, AUC | 0.000 | 0.000 |" in text
    assert "| clean, recall | 1.000 | 1.000 |" in text
    assert "| after a beep, kept | 100.0 % |" in text
    assert "noise 10 dB, AUC" not in text, "without noise"


def test_detections_are_kept(tmp_path: Path) -> None:
    system, given = fake_system("one")
    first = run([system], tmp_path)
    before = len(given)
    second = run([system], tmp_path)
    # Speed alone is measured anew.
    assert len(given) - before == 3
    assert repr(first.conditions) == repr(second.conditions)
    run([replace(system, version="2")], tmp_path)
    assert len(given) - before == 3 + before


def test_damaged_detections_are_made_again(tmp_path: Path) -> None:
    system, given = fake_system("one")
    first = run([system], tmp_path)
    for kept in tmp_path.glob("*.npz"):
        kept.write_bytes(b"no answer")
    before = len(given)
    assert repr(run([system], tmp_path).conditions) == repr(first.conditions)
    assert len(given) - before > 3


def test_a_stopped_run_leaves_no_half_file(tmp_path: Path) -> None:
    def stopped(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        detect_all(fake_system("one")[0], [tone(1.0)], tmp_path, stopped)
    assert list(tmp_path.iterdir()) == []


def test_reports_hold_every_system_condition_and_class() -> None:
    systems = [fake_system("one")[0], replace(fake_system("other")[0], delay_s=0.8)]
    results = run(systems, sounds={"hum": [LoadedRecording("q", tone(1.0))]})
    text = to_markdown(results)
    assert "| delay | 0 ms | 800 ms |" in text
    for word in ("one", "other", "clean", "-26 dB", "hum"):
        assert f"| {word}" in text
    assert "nan" not in text
    report = json.loads(to_json(results))
    assert report["conditions"]["clean"]["other"]["metrics"]["auc"] == 1.0
    assert report["sounds"]["hum"]["one"]["difference"] is None


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_corpus.write(tmp_path_factory.mktemp("corpus"))


def test_the_command_writes_tables_figures_and_a_picture(
    tmp_path: Path, corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="the bench extra is not installed")
    labelled = save(tmp_path / "set", talk("a.wav"), talk("b.wav"))
    words = [labelled, "--models", model_path, "--peers", "energy", "--corpus", corpus]
    words += ["--conditions", "noise 0 dB", "--draws", 5, "--output", tmp_path / "out"]
    assert main(["benchmark", *map(str, words)]) == 0
    captured = capsys.readouterr()
    report = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert captured.out == (tmp_path / "out" / "benchmark.md").read_text()
    assert captured.err == ""
    assert list(report["conditions"]) == ["clean", "noise 0 dB"]
    assert report["sound_seconds"] == {"other": 2.0}
    assert (tmp_path / "out" / "benchmark.png").read_bytes().startswith(b"\x89PNG")


def test_a_bad_recording_is_one_line_and_the_rest_is_measured(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = save(tmp_path / "set", talk("a.wav"), talk("bad.wav"))
    (labelled / "bad.wav").write_text("no audio at all")
    words = [labelled, "--models", model_path, "--peers", "--conditions", "clean", "--draws", 5]
    assert main(["benchmark", *map(str, words)]) == 1
    captured = capsys.readouterr()
    assert [line for line in captured.err.splitlines() if "bad.wav" in line]
    assert captured.out.startswith("1 recordings")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--conditions", "pink"], "condition must be one of clean"),
        (["--draws", "0"], "draws must be at least 1"),
        (["--models", "default", "default"], "default twice"),
        (["--models", "nobody"], "model must be one of"),
    ],
)
def test_wrong_options_are_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = save(tmp_path / "set", talk())
    assert main(["benchmark", str(labelled), "--peers", "energy", *words]) == 2
    assert re.search(said, capsys.readouterr().err)


def test_recordings_of_speech_alone_cannot_be_measured(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = save(tmp_path / "set", replace(talk(), reference=(Segment(0.0, 2.0),)))
    assert main(["benchmark", str(labelled), "--models", str(model_path), "--peers"]) == 2
    assert "both speech and non-speech" in capsys.readouterr().err


def test_an_own_model_says_how_long_each_of_its_ways_waits() -> None:
    assert [(one.name, one.delay_s) for one in model_systems("default")] == [
        ("default", pytest.approx(0.8)),
        ("default, low latency", pytest.approx(0.06)),
    ]
