"""The corpora of a run, read once: its own, and the base corpus mixed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from vad.corpus.manifest import CorpusItem, read_corpus
from vad.errors import ConfigError
from vad.training.config import TrainConfig

__all__ = ["Corpora", "read_corpora"]

Corpora = Mapping[Path, list[CorpusItem]]
"""The items by the path of their corpus, the run's own first."""


def read_corpora(config: TrainConfig, note: Callable[[str], object] | None = None) -> Corpora:
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
