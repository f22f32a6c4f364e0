"""Results as Markdown tables and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

from vad.evaluation.benchmark.bootstrap import Interval
from vad.evaluation.benchmark.conditions import CLEAN, GAINS_DB, NOISY, turned_down
from vad.evaluation.benchmark.run import Figures, Results
from vad.json_text import json_text

__all__ = ["table", "to_json", "to_markdown"]

_METHOD = """\
{recordings} recordings, {seconds:.0f} s, {speech:.0f} % speech; frames of 10 ms, pooled. Every system starts each
recording from a fresh state. Its score of a frame holds for that frame; no delay is removed. Delay: the audio past the
end of a frame that its score waits for in the network. Our models turn quiet recordings up, by what is loudest within a
minute; with low latency they do not. Seed {seed}; intervals: 95 %, {n_draws} draws of recordings, the same for all
systems."""
_THRESHOLDS = """\
Own: the system's own threshold. Best: the threshold with the least mean of miss and false alarm in each condition."""
_LEVEL = """\
How far AUC, and recall at the own threshold, lie apart as recorded and played 26 and 40 dB softer, noise and all. After
a beep: of the speech that is detected in the first 10 s without a beep, the share that is detected with one before."""
_SEGMENTS = """\
Segments: with the durations of our cards and of Silero's documentation, from single frames for the others. Onsets and
offsets: median delay (late is positive) and 90th percentile of the distance, ms, if matched within 0.5 s. A pause is
found where at least half of it lies in one silence between segments."""
_SOUNDS = """\
Share of the 10 ms frames of recordings without speech that count as speech: at the threshold that misses 5 % of the
clean recordings' speech (a system with only two scores may reach it by always detecting speech), and at its own."""


# A heading, the field of Metrics, its scale, and how a value is written.
_CLEAN_COLUMNS = (
    ("average precision", "average_precision", 1, "{:.4f}"),
    ("onset median", "onset_median", 1000, "{:.0f}"),
    ("onset p90", "onset_p90", 1000, "{:.0f}"),
    ("offset median", "offset_median", 1000, "{:.0f}"),
    ("offset p90", "offset_p90", 1000, "{:.0f}"),
    ("pauses of 100 ms", "pauses_found_100_ms", 100, "{:.0f} %"),
    ("of 200 ms", "pauses_found_200_ms", 100, "{:.0f} %"),
    ("of 500 ms", "pauses_found_500_ms", 100, "{:.0f} %"),
)


def to_markdown(results: Results) -> str:
    """Markdown tables; the best of a row is bold."""
    clean = next(iter(results.conditions[CLEAN].values())).metrics
    facts = asdict(results) | {"seconds": clean.duration, "speech": 100 * clean.speech}
    sections = [
        _METHOD.format_map(facts),
        _systems(results),
        "### Area under the ROC curve",
        _by_condition(results, lambda one: one.metrics.auc, "{:.4f}", max, first=[_delays(results)]),
        *_differences(results),
        "### False alarm at 5 % miss",
        _by_condition(results, lambda one: one.metrics.false_alarm_at_5_miss, "{:.3f}", min),
        "### Miss | false alarm, and their mean, at the own threshold",
        _THRESHOLDS,
        _by_condition(results, _own_errors, "{}"),
        "### The mean at the best threshold",
        _by_condition(results, _best_errors, "{}"),
        *_level(results),
        "### Clean: average precision, boundaries, pauses",
        _SEGMENTS,
        _clean(results),
    ]
    if results.sounds:
        sections += ["### Non-speech", _SOUNDS, _sounds(results)]
    return "\n\n".join(sections) + "\n"


def to_json(results: Results) -> str:
    """All results as JSON; a metric that does not exist is null."""
    return json_text(asdict(results), digits=6, indent=1) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("|".join(["", *(f" {cell} " for cell in line), ""]) for line in lines)


def _systems(results: Results) -> str:
    rows = [
        [
            name,
            f"{results.thresholds[name]:.3g}",
            _shown(results.thresholds_at_5_miss[name], "{:.3f}"),
            f"{results.times_real_time[name]:,.0f} x",
            version,
        ]
        for name, version in results.systems.items()
    ]
    return table(["system", "threshold", "at 5 % miss", "real time, one thread", "version"], rows)


def _by_condition(
    results: Results,
    figure: Callable[[Figures], float | str],
    form: str,
    best: Callable[[Iterable[float]], float] | None = None,
    first: Sequence[Sequence[str]] = (),
) -> str:
    rows = list(map(list, first))
    for condition, figures in results.conditions.items():
        values = [figure(figures[name]) for name in results.systems]
        known = [value for value in values if isinstance(value, float) and math.isfinite(value)]
        top = form.format(best(known)) if best is not None and known else None
        cells = [_shown(value, form) for value in values]
        rows.append([condition, *(f"**{cell}**" if cell == top else cell for cell in cells)])
    return table(["condition", *results.systems], rows)


def _delays(results: Results) -> list[str]:
    return ["delay", *(f"{1000 * delay:.0f} ms" for delay in results.delays.values())]


def _shown(value: float | str, form: str) -> str:
    return "-" if isinstance(value, float) and not math.isfinite(value) else form.format(value)


def _differences(results: Results) -> list[str]:
    first, *others = results.systems
    if not others:
        return []
    rows = [
        [condition, *(_interval(figures[name].differences["auc"]) for name in others)]
        for condition, figures in results.conditions.items()
    ]
    return [f"AUC minus that of {first}, 95 % interval:", table(["condition", *others], rows)]


def _interval(interval: Interval) -> str:
    low, high = interval
    return "-" if math.isnan(low) else f"{low:+.3f} to {high:+.3f}"


def _own_errors(figures: Figures) -> str:
    metrics = figures.metrics
    return f"{metrics.miss:.3f} \\| {metrics.false_alarm:.3f}, {(metrics.miss + metrics.false_alarm) / 2:.3f}"


def _best_errors(figures: Figures) -> str:
    return f"{figures.metrics.best_balanced_error:.3f} at {figures.metrics.best_threshold:.3f}"


def _level(results: Results) -> list[str]:
    """What a lower level costs, and a loud sound; nothing where these conditions were not measured."""
    rows = []
    for name in (CLEAN, *NOISY):
        names = [name, *(turned_down(name, gain_db) for gain_db in GAINS_DB)]
        if results.conditions.keys() >= set(names):
            # Recall is 1 - miss, and varies as much.
            for heading, metric in (("AUC", "auc"), ("recall", "miss")):
                cells = []
                for system in results.systems:
                    values = [getattr(results.conditions[one][system].metrics, metric) for one in names]
                    cells.append(_shown(max(values) - min(values), "{:.3f}"))
                rows.append([f"{name}, {heading}", *cells])
    if results.kept_after_beep:
        kept = (results.kept_after_beep[system] for system in results.systems)
        rows.append(["after a beep, kept", *(_shown(100 * one, "{:.1f} %") for one in kept)])
    return ["### Level", _LEVEL, table(["", *results.systems], rows)] if rows else []


def _clean(results: Results) -> str:
    rows = []
    for name in results.systems:
        metrics = results.conditions[CLEAN][name].metrics
        cells = (_shown(scale * getattr(metrics, field), form) for _, field, scale, form in _CLEAN_COLUMNS)
        rows.append([name, *cells])
    return table(["system", *(heading for heading, *_ in _CLEAN_COLUMNS)], rows)


def _sounds(results: Results) -> str:
    rows = []
    for name, figures in results.sounds.items():
        shares = [f"{100 * figures[system].at_5_miss:.1f} %" for system in results.systems]
        least = f"{100 * min(one.at_5_miss for one in figures.values()):.1f} %"
        cells = [
            f"{f'**{share}**' if share == least else share}, {100 * figures[system].at_own:.1f} %"
            for share, system in zip(shares, results.systems, strict=True)
        ]
        rows.append([f"{name}, {results.sound_seconds[name]:.0f} s", *cells])
    return table(["class", *results.systems], rows)
