"""A very small model that honours the artifact contract, written straight into the .tflite format.

It needs no TensorFlow and takes milliseconds, so a test can also ask for a graph that breaks its contract.

The network: a frame's mean square, smoothed by an exponential average, is a probability two frames later. One that
has a lookahead output gives it again, with another bias, five frames later.

    x       = [samples**2, average, delayed]                  one row
    average = smoothing of the frames' mean squares           a matrix product with x
    probability = sigmoid(GAIN * delayed average + BIAS)      a matrix product with x
    delayed = the averages that have not been spoken of yet   a matrix product with x
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FRAME_LENGTH = 320
DELAY_FRAMES = 2
LOOKAHEAD_FRAMES = 5
CHUNK_FRAMES = 8
SMOOTHING = 0.8
GAIN = 400.0
BIAS = -4.0
LOOKAHEAD_BIAS = -2.5
STATES = {"average": [1, 1], "delayed": [1, DELAY_FRAMES]}
LOOKAHEAD_STATES = STATES | {"delayed": [1, LOOKAHEAD_FRAMES]}


@dataclass
class Graph:
    """One signature's subgraph and the model-wide buffers it adds to."""

    buffers: list[Any]
    tensors: list[Any] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)

    def tensor(self, name: str, shape: list[int], values: np.ndarray | None = None) -> int:
        buffer = 0
        if values is not None:
            buffer = len(self.buffers)
            self.buffers.append(schema.BufferT(data=np.frombuffer(values.astype("<f4").tobytes(), np.uint8)))
        self.tensors.append(
            schema.TensorT(
                shape=shape, type=schema.TensorType.FLOAT32, buffer=buffer, name=name, hasRank=True
            )
        )
        return len(self.tensors) - 1

    def operator(self, kind: str, inputs: list[int], output: int, options: Any = None) -> int:
        self.operators.append(
            schema.OperatorT(
                opcodeIndex=OPERATORS.index(kind),
                inputs=inputs,
                outputs=[output],
                builtinOptionsType=0 if options is None else OPTIONS[kind],
                builtinOptions=options,
            )
        )
        return output

    def matmul(self, name: str, x: int, matrix: np.ndarray, bias: float = 0.0) -> int:
        rows = matrix.shape[0]
        inputs = [
            x,
            self.tensor(f"{name}/weights", list(matrix.shape), matrix),
            self.tensor(f"{name}/bias", [rows], np.full(rows, bias)),
        ]
        output = self.tensor(name, [1, rows])
        return self.operator("FULLY_CONNECTED", inputs, output, schema.FullyConnectedOptionsT())


OPERATORS = ["MUL", "CONCATENATION", "FULLY_CONNECTED", "LOGISTIC"]
OPTIONS = {
    "MUL": schema.BuiltinOptions.MulOptions,
    "CONCATENATION": schema.BuiltinOptions.ConcatenationOptions,
    "FULLY_CONNECTED": schema.BuiltinOptions.FullyConnectedOptions,
}


def _averages(frames: int, waiting: int) -> np.ndarray:
    """Rows over x = [squares, average, delayed]: the average after each frame."""
    rows = np.zeros((frames, frames * FRAME_LENGTH + 1 + waiting))
    for t in range(frames):
        rows[t, frames * FRAME_LENGTH] = SMOOTHING ** (t + 1)
        for u in range(t + 1):
            weight = (1 - SMOOTHING) * SMOOTHING ** (t - u) / FRAME_LENGTH
            rows[t, u * FRAME_LENGTH : (u + 1) * FRAME_LENGTH] = weight
    return rows


def _subgraph(
    buffers: list[Any], name: str, frames: int, average_name: str, lookahead: bool
) -> tuple[Any, Any]:
    graph = Graph(buffers)
    states = LOOKAHEAD_STATES if lookahead else STATES
    longest = LOOKAHEAD_FRAMES if lookahead else DELAY_FRAMES
    samples = graph.tensor("samples", [1, frames * FRAME_LENGTH])
    average, delayed = (graph.tensor(f"{name}_before", shape) for name, shape in states.items())
    squares = graph.tensor("squares", [1, frames * FRAME_LENGTH])
    graph.operator("MUL", [samples, samples], squares, schema.MulOptionsT())
    averages = _averages(frames, longest)
    x = graph.tensor("x", [1, averages.shape[1]])
    graph.operator("CONCATENATION", [squares, average, delayed], x, schema.ConcatenationOptionsT(axis=1))
    waiting = np.eye(longest, averages.shape[1], k=averages.shape[1] - longest)
    line = np.concatenate([waiting, averages])  # the averages in order, those of earlier calls first
    decisions = {}
    for decision, delay, bias in (
        ("probability", DELAY_FRAMES, BIAS),
        ("late_probability", LOOKAHEAD_FRAMES, LOOKAHEAD_BIAS),
    )[: 1 + lookahead]:
        rows = line[longest - delay :][:frames]
        logits = graph.matmul(f"{decision}_logits", x, GAIN * rows, bias=bias)
        decisions[decision] = graph.operator("LOGISTIC", [logits], graph.tensor(decision, [1, frames]))
    average_after = graph.matmul("average_after", x, averages[-1:])
    delayed_after = graph.matmul("delayed_after", x, line[frames:])
    entry = {"samples": samples, average_name: average, "delayed": delayed}
    result = decisions | {average_name: average_after, "delayed": delayed_after}
    subgraph = schema.SubGraphT(
        tensors=graph.tensors,
        inputs=list(entry.values()),
        outputs=list(result.values()),
        operators=graph.operators,
        name=name,
    )
    maps = [[schema.TensorMapT(name=n, tensorIndex=i) for n, i in side.items()] for side in (entry, result)]
    return subgraph, schema.SignatureDefT(inputs=maps[0], outputs=maps[1], signatureKey=name)


def graph_bytes(
    signatures: tuple[str, ...] = ("step", "chunk"), average_name: str = "average", lookahead: bool = False
) -> bytes:
    """The content of a .tflite file, with a lookahead output or without; the others make wrong graphs."""
    buffers = [schema.BufferT()]
    subgraphs, definitions = [], []
    for index, name in enumerate(signatures):
        frames = 1 if name == "step" else CHUNK_FRAMES
        subgraph, definition = _subgraph(buffers, name, frames, average_name, lookahead)
        definition.subgraphIndex = index
        subgraphs.append(subgraph)
        definitions.append(definition)
    codes = [getattr(schema.BuiltinOperator, kind) for kind in OPERATORS]
    operator_codes = [schema.OperatorCodeT(deprecatedBuiltinCode=c, builtinCode=c, version=1) for c in codes]
    model = schema.ModelT(
        version=3,
        operatorCodes=operator_codes,
        subgraphs=subgraphs,
        description="tiny",
        buffers=buffers,
        signatureDefs=definitions,
    )
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def card(content: bytes, lookahead: bool = False) -> dict[str, Any]:
    """The card of ``content``."""
    durations = {"min_speech_duration_ms": 60, "min_silence_duration_ms": 80, "speech_pad_ms": 20}
    return {
        "format_version": 1,
        "name": "tiny",
        "architecture": "logmel-cnn",
        "sample_rate": 16000,
        "frame_length": FRAME_LENGTH,
        "delay_frames": DELAY_FRAMES,
        "chunk_frames": CHUNK_FRAMES,
        "states": LOOKAHEAD_STATES if lookahead else STATES,
        **({"late_frames": LOOKAHEAD_FRAMES} if lookahead else {}),
        "segment_options": {
            "balanced": durations | {"threshold": 0.5},
            "precise": durations | {"threshold": 0.8},
            "eager": durations | {"threshold": 0.2},
        },
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def write(folder: Path, content: bytes | None = None, lookahead: bool = False, **changes: Any) -> Path:
    """Writes ``tiny.tflite`` and its card, ``changes`` over the card's fields (None removes one)."""
    content = graph_bytes(lookahead=lookahead) if content is None else content
    path = folder / "tiny.tflite"
    path.write_bytes(content)
    fields = {key: value for key, value in (card(content, lookahead) | changes).items() if value is not None}
    path.with_suffix(".json").write_text(json.dumps(fields), encoding="utf-8")
    return path


def reference_probabilities(samples: np.ndarray, bias: float = BIAS) -> np.ndarray:
    """The network's output in plain Python floats; with LOOKAHEAD_BIAS the lookahead output."""
    frames = -(-len(samples) // FRAME_LENGTH)
    padded = np.zeros(frames * FRAME_LENGTH)
    padded[: len(samples)] = samples
    average, logits = 0.0, []
    for frame in padded.reshape(frames, FRAME_LENGTH):
        average = SMOOTHING * average + (1 - SMOOTHING) * float(np.mean(frame**2))
        logits.append(GAIN * average + bias)
    return 1 / (1 + np.exp(-np.array(logits)))
