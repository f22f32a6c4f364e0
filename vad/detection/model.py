"""A trained network: a .tflite or .onnx file and its card, run a frame or a chunk of frames at a time.

LiteRT runs the one, onnxruntime the other. The graph has two signatures over the same weights, `step` (one frame) and
`chunk` (`chunk_frames` of them). Both take `samples` and the states, and give `probability` and the states after it.
A .tflite file may have a third one, `gain`: from a chunk of samples and the state of gain control to its next state.
State is a dictionary of arrays that no call changes in place: copy it to keep it, and pass it again to resume. All
zeros is the beginning of a recording. Output t is the probability of frame ``t - delay_frames``; `ProbabilityStream`
removes this delay.

A network may have a lookahead output beside this low-latency one. Output t of it is about frame
``t - lookahead_frames``, and more accurate. Cards and graphs call it `late_frames` and `late_probability`.

LiteRT's signature runner takes 57 us per step with 11 states, 34 of them for the network. Indexed tensors would save
10 us, but LiteRT has no public call for them.
"""

import functools
import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.detection.card import check_card
from vad.detection.model_files import model_names, read_model
from vad.detection.runtimes import RUNTIMES, Signature
from vad.detection.threads import fork_safe_lock
from vad.errors import AudioError, ModelError, shown

__all__ = ["Model", "State", "model_names"]  # `model_names` for programs that import it from `vad.runtime`

State: TypeAlias = dict[str, npt.NDArray[np.float32]]

_EXPORT_AGAIN = "Export it again with `vad export`."


class Model:
    """A trained network, ready to run on one thread.

    Any number of streams and threads may share a model, and so may copies of streams. The state belongs to the caller,
    and calls take turns. A pickle has the whole network.

    Attributes:
        card: The content of `<name>.json`.
        name: The name in the card, or the file's where the card has none.
        sample_rate: In Hz.
        frame_length: Samples per frame.
        frame_duration: Seconds per frame.
        delay_frames: Frames between a frame and the output about it.
        lookahead_frames: The same for the lookahead output; 0 where there is none.
        chunk_frames: Frames per `chunk` call.
    """

    def __init__(self, content: bytes, card: Mapping[str, Any], *, source: str):
        """Build the model from the content of its two files; `Model.load` reads them.

        Args:
            content: The .tflite or .onnx file.
            card: The fields of the card.
            source: Name of the model in error messages.

        Raises:
            ModelError: The card is incomplete, or does not match the file.
            MissingDependencyError: LiteRT or onnxruntime is not installed.
        """
        self.card = check_card(card, source)
        digest = hashlib.sha256(content).hexdigest()
        if digest != card["sha256"]:
            raise _mismatch(source, f"the sha256 is {digest[:12]}", card["sha256"][:12])
        self.name: str = card.get("name", source)
        self.sample_rate: int = card["sample_rate"]
        self.frame_length: int = card["frame_length"]
        self.delay_frames: int = card["delay_frames"]
        self.lookahead_frames: int = card.get("late_frames", 0)
        self.chunk_frames: int = card["chunk_frames"]
        self.frame_duration = self.frame_length / self.sample_rate
        self._outputs = ("probability", "late_probability")[: 2 if self.lookahead_frames else 1]
        self._state_shapes = {name: tuple(shape) for name, shape in card["states"].items()}
        self._content = content
        self._lock = fork_safe_lock()
        runtime = RUNTIMES[card.get("format", "tflite")]
        try:
            signatures = runtime.load(content)
            self._runners = {key: self._runner(signatures, key, source) for key in ("step", "chunk")}
            self._gain = signatures.get("gain")
            self._warm_up(source)
        except ModelError:
            raise
        except (ValueError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ModelError(f"{runtime.name} cannot run {source}: {reason}. {_EXPORT_AGAIN}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the content of the two files, so that equal models have equal pickles."""
        return _unpickled, (self._content, json.dumps(self.card), self.name)

    def copy(self) -> "Model":
        """Load the network again, so that two threads can run it at a time. The two give equal results."""
        return Model(self._content, self.card, source=self.name)

    def __deepcopy__(self, _memo: object) -> "Model":
        """The model itself: nothing changes it."""
        return self

    def __repr__(self) -> str:
        return f"Model(name={self.name!r}, frame_duration={self.frame_duration})"

    @property
    def late_frames(self) -> int:
        """Deprecated: `lookahead_frames`."""
        warnings.warn("Model.late_frames is now Model.lookahead_frames", DeprecationWarning, stacklevel=2)
        return self.lookahead_frames

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str] = "default") -> "Model":
        """Load a model of the package, or one of your own.

        Args:
            name_or_path: A name in `model_names()`, or the path of a .tflite or .onnx file with its card beside it.

        Raises:
            ModelError: There is no such model, its card is missing, or the two do not match.
            MissingDependencyError: LiteRT or onnxruntime is not installed.
        """
        graph, content, card = read_model(name_or_path)
        return cls(content, card, source=str(graph))

    def initial_state(self) -> State:
        """The state at the beginning of a recording: zeros."""
        return {name: np.zeros(shape, np.float32) for name, shape in self._state_shapes.items()}

    def step(
        self, samples: npt.NDArray[np.float32], state: State, *, lookahead: bool = False
    ) -> tuple[float, State]:
        """Process one frame.

        Args:
            samples: Mono float32 in [-1, 1]. [shape=(frame_length,)]
            state: From `initial_state` or the previous call; it is not changed.
            lookahead: Give the lookahead output, of a network that has one.

        Returns:
            The probability, 0 to 1, of speech `delay_frames` (lookahead: `lookahead_frames`) frames before this one;
            and the new state.

        Raises:
            AudioError: `samples` is not one frame.
            ModelError: The state is of another model, or there is no lookahead output.
        """
        probability, state = self._run("step", samples, state, lookahead)
        return float(probability[0]), state

    def chunk(
        self, samples: npt.NDArray[np.float32], state: State, *, lookahead: bool = False
    ) -> tuple[npt.NDArray[np.float32], State]:
        """Process `chunk_frames` frames at once: much faster than as many steps, and equal within rounding.

        Args:
            samples: Mono float32 in [-1, 1]. [shape=(chunk_frames * frame_length,)]
            state: As for `step`.
            lookahead: As for `step`.

        Returns:
            The probabilities, as `step` gives them, and the new state. [shape=(chunk_frames,)]

        Raises:
            AudioError: `samples` is not one chunk.
            ModelError: As for `step`.
        """
        return self._run("chunk", samples, state, lookahead)

    @property
    def has_gain(self) -> bool:
        """Whether the file has the signature of `gain`."""
        return self._gain is not None

    def gain(self, samples: npt.NDArray[np.float32], state: State) -> State:
        """Process one chunk by gain control alone, in a twentieth of the time of `chunk`.

        Args:
            samples: As for `chunk`.
            state: As for `chunk`. Only that of gain control counts.

        Returns:
            A copy of the state, with that of gain control after the chunk.

        Raises:
            ModelError: The file has no such signature.
        """
        if self._gain is None:
            raise ModelError(f"{self.name} has no signature gain. {_EXPORT_AGAIN}")
        past = {name: state[name] for name in self._gain.inputs if name != "samples"}
        with self._lock:
            return state | self._gain.run(samples=samples[np.newaxis], **past)

    def _length(self, key: str) -> int:
        """Frames that a signature takes."""
        return 1 if key == "step" else self.chunk_frames

    def _run(
        self, key: str, samples: npt.NDArray[np.float32], state: State, lookahead: bool
    ) -> tuple[npt.NDArray[np.float32], State]:
        # A runner would reshape the graph to arrays of another size, so both are checked here.
        expected = (self._length(key) * self.frame_length,)
        if not isinstance(samples, np.ndarray) or samples.shape != expected:
            received = getattr(samples, "shape", shown(samples))
            raise AudioError(f"{key} takes an array of shape {expected}. Received: {received}.")
        if not isinstance(state, dict):
            raise ModelError(f"state must be a dict. Received: {shown(state)}. Start from initial_state().")
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
        outputs = [after.pop(name)[0] for name in self._outputs]
        return outputs[lookahead], after

    def _runner(self, signatures: Mapping[str, Signature], key: str, source: str) -> Any:
        """Signature `key` of the graph, after a check that it matches the card."""
        if key not in signatures:
            raise ModelError(f"{source} has no signature {key}. {_EXPORT_AGAIN}")
        frames = self._length(key)
        for side, shapes, arrays in (
            ("input", signatures[key].inputs, {"samples": (1, frames * self.frame_length)}),
            ("output", signatures[key].outputs, dict.fromkeys(self._outputs, (1, frames))),
        ):
            expected = self._state_shapes | arrays
            for name in sorted(shapes.keys() | expected.keys()):
                if not _fits(shapes.get(name), expected.get(name)):
                    what = f"the shape of {key}'s {side} {name!r} is {shapes.get(name)}"
                    raise _mismatch(source, what, expected.get(name))
        return signatures[key].run

    def _warm_up(self, source: str) -> None:
        """Run both signatures once: LiteRT allocates memory at the first call, which must not delay a stream."""
        for key, runner in self._runners.items():
            silence = np.zeros((1, self._length(key) * self.frame_length), np.float32)
            outputs = runner(samples=silence, **self.initial_state())
            for name in self._outputs:
                if not np.isfinite(outputs[name]).all():
                    raise ModelError(
                        f"{key} of {source} gives {outputs[name][0, 0]} for silence, no probability. {_EXPORT_AGAIN}"
                    )


def _fits(shape: tuple[int | None, ...] | None, expected: tuple[int, ...] | None) -> bool:
    if shape is None or expected is None:
        return shape is expected
    return len(shape) == len(expected) and all(
        n in (None, length) for n, length in zip(shape, expected, strict=True)
    )


def _mismatch(source: str, fact: str, expected: object) -> ModelError:
    return ModelError(
        f"{source} does not match its card: {fact}, the card says {expected}. "
        "Restore both files from the same export."
    )


@functools.lru_cache(maxsize=2)
def _last_unpickled(content: bytes, card: str, name: str) -> Model:
    """Load a model, unless it is one of the last: a worker unpickles it for every task, and loading takes 0.1 s."""
    return Model(content, json.loads(card), source=name)


def _unpickled(content: bytes, card: str, name: str) -> Model:
    """What a pickle calls. dill would copy a cached function, with an empty cache."""
    return _last_unpickled(content, card, name)
