"""The options of a training run, from defaults, a TOML file and the command line, in that order."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vad.errors import ConfigError, did_you_mean, require
from vad.training.data.scene_config import SceneConfig
from vad.training.networks import ARCHITECTURES, LogMelCnn, NetworkConfig, current_name, network_from_dict
from vad.training.options import option_types, read_options, typed

__all__ = ["TrainConfig", "load_config"]

_ABOVE_0 = (
    *("hours", "dev_hours", "base_hours", "epochs", "epoch_hours", "batch_size", "learning_rate", "jobs"),
)


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        network: The architecture and its sizes.
        mixing: How scenes are made.
        corpus: A manifest or a folder, as `vad.corpus.manifest.read_corpus` takes it.
        data: Where the decoded corpus and the rendered scenes are kept; runs can share it.
        init: Weights to fine-tune: a model's name, a run's folder, a ``.keras`` or ``.tflite`` file; "" for none.
        warm_start: Weights of another network, named likewise, for the layers of the same name and shape. Unlike
            ``init`` it is followed by plain training, without weight interpolation.
        teacher: Weights of a trained network, named likewise, whose probabilities are the targets in scenes with talk
            (`vad.training.teacher`); "" for none.
        base: Another corpus to mix in, so that nothing is forgotten; "" is none.
        base_hours: Rendered scenes of it.
        hours: Rendered training scenes.
        dev_hours: Rendered validation scenes, of other speakers and other noise.
        epochs: Passes of ``epoch_hours`` each.
        epoch_hours: Audio between two validations.
        batch_size: Scenes a step.
        excerpt_s: Seconds of a scene that a step uses, from any place on: a network whose state is zeroed within a
            recording learns to start anywhere. 0 uses whole scenes.
        learning_rate: Of AdamW; a short warm-up, a plateau, then cosine down to a hundredth.
        decay_from: Share of the epochs after which the rate falls.
        patience: Epochs without a better validation after which it ends; 0, or a teacher, goes on to the last.
        weight_decay: Of AdamW.
        pause_prior: The speech probability of pauses, as in `vad.training.data.batches.targets`; 0 for a corpus whose
            recordings are used unmodified (``mixing.recorded``).
        seed: Decides scenes, order, levels and first weights.
        jobs: Processes for decoding and rendering.

    Raises:
        ConfigError: A value out of its range.
    """

    network: NetworkConfig = field(default_factory=LogMelCnn)
    mixing: SceneConfig = field(default_factory=SceneConfig)
    corpus: str = ""
    data: str = "runs/data"
    init: str = ""
    warm_start: str = ""
    teacher: str = ""
    base: str = ""
    base_hours: float = 4.0
    hours: float = 80.0
    dev_hours: float = 1.0
    epochs: int = 40
    epoch_hours: float = 10.0
    batch_size: int = 16
    excerpt_s: float = 0.0
    learning_rate: float = 2e-3
    decay_from: float = 0.5
    patience: int = 0
    weight_decay: float = 0.01
    pause_prior: float = 0.33
    seed: int = 0
    jobs: int = 2

    def __post_init__(self) -> None:
        for name in _ABOVE_0:
            value = getattr(self, name)
            require(0 < value < math.inf, f"{name} must be finite and above 0", **{name: value})
        require(0 <= self.decay_from < 1, "decay_from must be 0 to below 1", decay_from=self.decay_from)
        require(
            0 <= self.weight_decay < 1, "weight_decay must be 0 to below 1", weight_decay=self.weight_decay
        )
        require(
            0 <= self.pause_prior <= 1, "pause_prior must be between 0 and 1", pause_prior=self.pause_prior
        )
        require(
            not (self.init and self.warm_start),
            "a run must start from init or from warm_start, not both",
            warm_start=self.warm_start,
        )
        require(0 <= self.excerpt_s < math.inf, "excerpt_s must be 0 or more", excerpt_s=self.excerpt_s)
        require(self.patience >= 0, "patience must be 0 or more", patience=self.patience)
        require(self.seed >= 0, "seed must be 0 or more", seed=self.seed)

    @property
    def interpolates(self) -> bool:
        """Whether the run ends with weights between those of its start and its best epoch.

        With a teacher it does not: that keeps what the start knew.
        """
        return bool(self.init) and not self.teacher

    @property
    def batches_per_epoch(self) -> int:
        """Steps between two validations."""
        seconds = min(self.excerpt_s or self.mixing.scene_s, self.mixing.scene_s)
        return max(1, round(self.epoch_hours * 3600 / seconds / self.batch_size))

    def to_json(self) -> str:
        """The text of ``config.json``."""
        return json.dumps(asdict(self), indent=1)


def load_config(
    path: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    defaults: Mapping[str, Any] | None = None,
) -> TrainConfig:
    """Resolves defaults < file < settings.

    Args:
        path: A TOML (or stored JSON) file with the fields of `TrainConfig`, ``[network]`` and ``[mixing]`` as tables.
        settings: Values by dotted name, such as ``{"network.frame_ms": 30}``.
        defaults: In place of those of `TrainConfig`, likewise.

    Raises:
        ConfigError: The file cannot be read, or an option does not exist, is of the wrong type or out of its range.
    """
    values = dict(_dotted(defaults or {}))
    values |= dict(_dotted(read_options(path))) if path is not None else {}
    values |= _dotted(settings or {})
    groups: dict[str, dict[str, Any]] = {"": {}, "network": {}, "mixing": {}}
    for name, value in values.items():
        if name not in _OPTIONS:
            near = did_you_mean(name, _OPTIONS)
            raise ConfigError(f"a training run has no option {name}. Received: {name}={value!r}.{near}")
        table, _, last = name.rpartition(".")
        groups[table][last] = value if table == "network" else typed(value, _OPTIONS[name], name)
    network, mixing = network_from_dict(groups["network"]), SceneConfig(**groups["mixing"])
    return TrainConfig(network=network, mixing=mixing, **groups[""])


def _dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Tables as dotted names, old ones as those of today."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            table, dot, option = f"{prefix}{name}".rpartition(".")
            yield table + dot + (current_name(option) if table == "network" else option), value


def _under(prefix: str, types: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{name}": hint for name, hint in types.items()}


_RUN = {name: hint for name, hint in option_types(TrainConfig).items() if name not in ("network", "mixing")}
_MIXING = option_types(SceneConfig)
# Those of any architecture; `network_from_dict` checks that the run's has them.
_NETWORK = {"architecture": str} | {
    name: hint for kind in ARCHITECTURES.values() for name, hint in option_types(kind).items()
}
_OPTIONS = {**_RUN, **_under("network", _NETWORK), **_under("mixing", _MIXING)}
