"""The model: a .tflite file and its card, run a frame or a block at a time. The one room that knows LiteRT.

The graph has two signatures over the same weights, `step` (one frame) and `chunk` (`chunk_frames` of them).
Both take `samples` and the states, and give `probability` and the states after it. State is a dictionary of
arrays that no call changes in place: to keep it is to copy it, to hand it back is to resume. All zeros is the
beginning of a recording. Output t speaks of frame ``t - delay_frames``; who wants probabilities on the
recording's own clock uses `vad.Detector`.

A network may have a lookahead output beside this low-latency one: `late_probability`, which speaks of frame
``t - lookahead_frames`` and is more accurate. Card and graph call it late.

A signature runner is used as it is. Measured with 11 states: 57 us a step, of which 34 are the network's.
Setting and reading tensors by index would save 10, but for signatures these calls are not public.
"""

import hashlib
import json
import os
import threading
import warnings
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from vad.detection.card import check_card
from vad.errors import AudioError, ModelError, did_you_mean, shown

__all__ = ["Model", "State", "find_model", "model_names"]

State: TypeAlias = dict[str, npt.NDArray[np.float32]]


class Model:
    """A trained network, ready to run on one thread.

    One model may serve any number of streams and threads: a stream's own is its state, and calls take turns.

    Attributes:
        card: The model card, as `<name>.json` has it.
        name: The card's name, or the file's where the card has none.
        sample_rate: Samples a second that the network hears.
        frame_length: Samples a frame.
        frame_duration: Seconds a frame.
        delay_frames: Frames the network hears past the one it speaks of.
        lookahead_frames: Likewise of its lookahead output; 0 where it has none.
        chunk_frames: Frames that one `chunk` call takes.
    """

    def __init__(self, content: bytes, card: Mapping[str, Any], *, source: str):
        """Build the model from what its two files hold; `Model.load` reads them.

        Args:
            content: The .tflite file.
            card: The card's fields.
            source: What error messages call the model.

        Raises:
            ModelError: The card lacks something, is of another file, or says other than the graph.
        """
        self.card = check_card(card, source)
        digest = hashlib.sha256(content).hexdigest()
        if digest != card["sha256"]:
            raise ModelError(
                f"a model must be the file its card describes. Received: {source} with sha256 {digest[:12]}, "
                f"its card says {card['sha256'][:12]}. Restore both files from the same export."
            )
        self.name: str = card.get("name", source)
        self.sample_rate: int = card["sample_rate"]
        self.frame_length: int = card["frame_length"]
        self.delay_frames: int = card["delay_frames"]
        self.lookahead_frames: int = card.get("late_frames", 0)
        self.chunk_frames: int = card["chunk_frames"]
        self.frame_duration = self.frame_length / self.sample_rate
        self._state_shapes = {name: tuple(shape) for name, shape in card["states"].items()}
        self._lock = threading.Lock()
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._runners = {key: self._runner(key, source) for key in ("step", "chunk")}
            self._warm_up(source)
        except ModelError:
            raise
        except (ValueError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ModelError(
                f"a model must be a .tflite file that LiteRT can run. Received: {source} ({reason}). "
                "Export it again with `vad export`."
            ) from error

    def __repr__(self) -> str:
        return f"Model(name={self.name!r}, frame_duration={self.frame_duration})"

    @property
    def late_frames(self) -> int:
        """Deprecated: `lookahead_frames`."""
        warnings.warn("Model.late_frames is now Model.lookahead_frames", DeprecationWarning, stacklevel=2)
        return self.lookahead_frames

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str] = "default") -> "Model":
        """Load a model that comes with the package, or one of your own.

        Args:
            name_or_path: A name in `model_names()`, or the path of a .tflite file with its card beside it.

        Raises:
            ModelError: There is no such model, its card is missing, or the two do not agree.
        """
        if not isinstance(name_or_path, str | os.PathLike):
            raise ModelError(
                f"model must be a name, a path or a loaded Model. Received: model={shown(name_or_path)}."
            )
        graph, card = find_model(name_or_path)
        try:
            content = graph.read_bytes()
        except OSError as error:
            raise ModelError(
                f"a model file must be readable. Received: {graph} ({error.strerror}). "
                f"Give the path of a .tflite file or one of {', '.join(model_names())}."
            ) from error
        try:
            fields = json.loads(card.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(
                f"a model needs its card beside it. Received: {graph} without {card.name}. "
                "Copy the card that was exported with it."
            ) from None
        except (OSError, ValueError) as error:
            raise ModelError(
                f"a model card must be readable JSON. Received: {card} ({error}). Restore it from the export."
            ) from error
        return cls(content, fields, source=str(graph))

    def initial_state(self) -> State:
        """The state at the beginning of a recording: zeros."""
        return {name: np.zeros(shape, np.float32) for name, shape in self._state_shapes.items()}

    def step(
        self, samples: npt.NDArray[np.float32], state: State, *, lookahead: bool = False
    ) -> tuple[float, State]:
        """Hear one frame.

        Args:
            samples: Mono float32 in [-1, 1]. [shape=(frame_length,)]
            state: From `initial_state` or the call before; it is not changed.
            lookahead: Give the lookahead output, of a network that has one.

        Returns:
            The probability, in [0, 1], of speech `delay_frames` (lookahead: `lookahead_frames`) frames before this
            one; and the new state.

        Raises:
            AudioError: There are more or fewer samples than one frame.
            ModelError: The state is not one of this model's, or it has no lookahead output.
        """
        probability, state = self._run("step", 1, samples, state, lookahead)
        return float(probability[0]), state

    def chunk(
        self, samples: npt.NDArray[np.float32], state: State, *, lookahead: bool = False
    ) -> tuple[npt.NDArray[np.float32], State]:
        """Hear `chunk_frames` frames at once; far cheaper than as many steps and the same within rounding.

        Args:
            samples: Mono float32 in [-1, 1]. [shape=(chunk_frames * frame_length,)]
            state: From `initial_state` or the call before; it is not changed.
            lookahead: Give the lookahead output, of a network that has one.

        Returns:
            The probabilities, in [0, 1], each of the frame `delay_frames` (lookahead: `lookahead_frames`) before it;
            and the new state. [shape=(chunk_frames,)]

        Raises:
            AudioError: There are more or fewer samples than one chunk.
            ModelError: The state is not one of this model's, or it has no lookahead output.
        """
        return self._run("chunk", self.chunk_frames, samples, state, lookahead)

    def _run(
        self, key: str, frames: int, samples: npt.NDArray[np.float32], state: State, lookahead: bool
    ) -> tuple[npt.NDArray[np.float32], State]:
        # A runner takes arrays of any size and would reshape the graph to them: both must be checked before.
        expected = (frames * self.frame_length,)
        if samples.shape != expected:
            raise AudioError(f"{key} takes samples of shape {expected}. Received: shape={samples.shape}.")
        if {name: array.shape for name, array in state.items()} != self._state_shapes:
            raise ModelError(
                f"state must have this model's names and shapes. Received: {sorted(state)}, the model has "
                f"{sorted(self._state_shapes)}. Start from initial_state()."
            )
        if lookahead and not self.lookahead_frames:
            raise ModelError(
                f"lookahead must be False for a model without lookahead output. Received: True for {self.name}."
            )
        with self._lock:
            after = self._runners[key](samples=samples.astype(np.float32, copy=False)[np.newaxis], **state)
        given = {name: after.pop(name)[0] for name in self._decisions}
        return given["late_probability" if lookahead else "probability"], after

    @property
    def _decisions(self) -> tuple[str, ...]:
        return ("probability", "late_probability") if self.lookahead_frames else ("probability",)

    def _runner(self, key: str, source: str) -> Any:
        """Signature `key` of the graph, once it is known to be what the card says."""
        if key not in self._interpreter.get_signature_list():
            raise ModelError(
                f"a model must have the signatures step and chunk. Received: {source} without {key}. "
                "Export it again with `vad export`."
            )
        runner = self._interpreter.get_signature_runner(key)
        frames = 1 if key == "step" else self.chunk_frames
        sides = (
            ("input", runner.get_input_details(), {"samples": (1, frames * self.frame_length)}),
            ("output", runner.get_output_details(), dict.fromkeys(self._decisions, (1, frames))),
        )
        for side, details, own in sides:
            found = {name: tuple(int(n) for n in tensor["shape"]) for name, tensor in details.items()}
            expected = self._state_shapes | own
            if found != expected:
                names = sorted(found.keys() | expected.keys())
                name = next(name for name in names if found.get(name) != expected.get(name))
                raise ModelError(
                    f"a model must agree with its card. Received: {source} with {found.get(name)} "
                    f"as the shape of {key}'s {side} {name!r}, its card says {expected.get(name)}. "
                    "Restore both files from the same export."
                )
        return runner

    def _warm_up(self, source: str) -> None:
        """Run both signatures once: LiteRT plans memory at the first call, which must not be a stream's."""
        for key, frames in (("step", 1), ("chunk", self.chunk_frames)):
            silence = np.zeros(frames * self.frame_length, np.float32)
            for lookahead in {False, self.lookahead_frames > 0}:
                probability, _ = self._run(key, frames, silence, self.initial_state(), lookahead)
                if not np.isfinite(probability).all():
                    raise ModelError(
                        f"a model must give finite probabilities. Received: {source}, whose {key} gives "
                        f"{probability[0]} for silence. Export it again with `vad export`."
                    )


def model_names() -> list[str]:
    """The names of the models that come with the package."""
    files = resources.files("vad.models").iterdir()
    return sorted(file.name.removesuffix(".tflite") for file in files if file.name.endswith(".tflite"))


def find_model(name_or_path: str | os.PathLike[str]) -> tuple[Traversable, Traversable]:
    """The .tflite file and the card that `name_or_path` means; whether they are there shows when they are read.

    Raises:
        ModelError: It is neither a model's name nor a .tflite file's path.
    """
    path = Path(name_or_path)
    if path.suffix == ".tflite":
        return path, path.with_suffix(".json")
    if isinstance(name_or_path, str) and name_or_path in model_names():
        folder = resources.files("vad.models")
        return folder / f"{name_or_path}.tflite", folder / f"{name_or_path}.json"
    raise ModelError(
        f"model must be one of {', '.join(model_names())}, or the path of a .tflite file. "
        f"Received: model={str(name_or_path)!r}." + did_you_mean(str(name_or_path), model_names())
    )
