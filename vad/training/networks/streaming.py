"""One network for whole recordings and for streams: its memory lies in the layers with a ``state_shape``.

A causal convolution needs the steps before its input. Offline these are zeros; in a stream they are the last steps of
the block before. So every network is written once, with a `History` before each convolution, and becomes its own
streaming version when called inside `streaming`. A `Recurrent` layer goes on from its last output in the same way::

    probability = model(recording)                      # zeros before the beginning
    with streaming(states) as new_states:               # states: new_states of the call before
        probability = model(block)

Zero states are the beginning of a recording, so offline and streaming agree exactly. kws_streaming (Rybakov et
al., "Streaming keyword spotting on mobile devices", 2020) has the same idea in a heavier form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from vad.training.backend import keras, ops

__all__ = ["History", "Recurrent", "memory_of", "remember", "state_shapes", "streaming"]


@dataclass
class _Stream:
    past: Mapping[str, Any]
    present: dict[str, Any] = field(default_factory=dict)


_stream: ContextVar[_Stream | None] = ContextVar("stream", default=None)


@contextmanager
def streaming(states: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Within it, every layer with a memory goes on from ``states`` and leaves its new state in the yielded dict."""
    stream = _Stream(states)
    token = _stream.set(stream)
    try:
        yield stream.present
    finally:
        _stream.reset(token)


def state_shapes(model: keras.Model) -> dict[str, tuple[int, ...]]:
    """The model's states by name, with shapes for a batch of one."""
    return {layer.name: (1, *layer.state_shape) for layer in model.layers if hasattr(layer, "state_shape")}


def memory_of(layer: keras.Layer) -> Any | None:
    """The layer's state after the call before; None outside of a stream."""
    stream = _stream.get()
    return None if stream is None else stream.past[layer.name]


def remember(layer: keras.Layer, state: Any) -> None:
    """Keeps the layer's state for the next call of a stream; does nothing outside of one."""
    stream = _stream.get()
    if stream is not None:
        stream.present[layer.name] = state


@keras.saving.register_keras_serializable("vad")
class History(keras.layers.Layer):
    """Puts the ``length`` steps before its input in front of it, along axis 1.

    Args:
        length: Steps to remember.
    """

    def __init__(self, length: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.length = length

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Sets the shape of one recording's state."""
        self.state_shape = (self.length, *(int(size or 0) for size in input_shape[2:]))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns [shape=(batch, length + steps, ...)]."""
        past = memory_of(self)
        if past is None:
            return ops.pad(inputs, [(0, 0), (self.length, 0)] + [(0, 0)] * (len(inputs.shape) - 2))
        joined = ops.concatenate([past, inputs], axis=1)
        remember(self, joined[:, -self.length :])
        return joined

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's shape with ``length`` more steps."""
        steps = None if input_shape[1] is None else input_shape[1] + self.length
        return (input_shape[0], steps, *input_shape[2:])

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        return {**super().get_config(), "length": self.length}


@keras.saving.register_keras_serializable("vad")
class Recurrent(keras.layers.GRU):
    """A gated recurrent unit (Cho et al., 2014) that gives the output of every step; the last is its state.

    LiteRT has no operation for it. In a stream, which is what is exported, its steps are unrolled where their number is
    known: the graph of a chunk has as many copies of the cell as frames.

    Args:
        units: Width of output and state.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, **(kwargs | {"return_sequences": True}))
        self.state_shape = (units,)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """Maps [shape=(batch, steps, features)] to [shape=(batch, steps, units)]."""
        state = memory_of(self)
        if state is None:
            return super().call(sequences, initial_state, mask, training)
        if sequences.shape[1] is None:
            outputs = super().call(sequences, state, mask, training)
            remember(self, outputs[:, -1])
            return outputs
        outputs = []
        for step in range(sequences.shape[1]):
            state, _ = self.cell(sequences[:, step], [state])
            outputs.append(state)
        remember(self, state)
        return ops.stack(outputs, axis=1)
