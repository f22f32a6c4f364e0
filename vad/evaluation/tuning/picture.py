"""Miss and false alarm by threshold, as a plot."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from vad.evaluation.tuning.goal import Goal
from vad.evaluation.tuning.search import Tuned

__all__ = ["draw"]


def draw(tuned: Tuned, goal: Goal, path: Path, suffix: str) -> None:
    """Draw miss and false alarm by threshold, the bounds of the goal, and the operating point.

    Args:
        tuned: The result of the search.
        goal: The goal of the search.
        path: The file to write.
        suffix: Its format: ".png", ".svg" or ".pdf".
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    thresholds = [threshold for threshold, _ in tuned.curve]
    for name, colour, bound, shares in (
        ("miss", "C0", goal.max_miss, [outcome.miss for _, outcome in tuned.curve]),
        ("false alarm", "C1", goal.max_false_alarm, [outcome.false_alarm for _, outcome in tuned.curve]),
    ):
        axes.plot(thresholds, [100 * share for share in shares], color=colour, label=name)
        if bound is not None:
            label = f"{name}: at most {100 * bound:.3g} %"
            axes.axhline(100 * bound, color=colour, linestyle="--", linewidth=1, label=label)
    axes.plot(tuned.options.threshold, 100 * tuned.fitted.miss, "o", color="black", label="tuned")
    axes.set(title="Errors by threshold", xlabel="threshold", ylabel="share of the time, %")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, format=suffix.removeprefix("."), dpi=120)
