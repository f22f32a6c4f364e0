"""The corpora of a run, read once: its own, and the base corpus mixed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from vad.corpus.manifest import CorpusItem, read_corpus
from vad.errors import ConfigError

__all__ = ["Corpora", "CorpusPaths", "read_corpora", "require_splits"]

Corpora = Mapping[Path, list[CorpusItem]]
"""The items by the path of their corpus, the run's own first."""


class CorpusPaths(Protocol):
    """The fields of `vad.training.config.TrainConfig` that name data."""

    @property
    def corpus(self) -> str:
        """The run's own corpus."""

    @property
    def base(self) -> str:
        """The corpus mixed in; "" is none."""

    @property
    def data(self) -> str:
        """The cache."""


def read_corpora(config: CorpusPaths, note: Callable[[str], object] | None = None) -> Corpora:
    """Reads the corpora of a run; ``note`` gets remarks on its own corpus.

    Raises:
        ConfigError: The corpus is not named.
        LabelError: A corpus breaks its rules.
    """
    if not config.corpus:
        meant = f" Did you mean --corpus {config.data}?" if Path(config.data).is_file() else ""
        raise ConfigError(f"no corpus was given. Give --corpus, a manifest or a folder.{meant}")
    own = {Path(config.corpus): read_corpus(config.corpus, note)}
    return own | ({Path(config.base): read_corpus(config.base)} if config.base else {})


def require_splits(corpus: str, items: list[CorpusItem]) -> None:
    """Requires speech to train on and to validate on.

    Raises:
        ConfigError: A corpus lacks either.
    """
    speech = {item.split for item in items if item.kind == "speech"}
    if not speech >= {"train", "dev"}:
        raise ConfigError(
            "a corpus must have speech in both splits, train and dev. "
            f"Received: {corpus}, with speech in {', '.join(sorted(speech)) or 'neither'}."
        )
