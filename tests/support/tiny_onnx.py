"""The network of `tiny_model` with a lookahead output, as an .onnx file: it needs neither TensorFlow nor tf2onnx."""

import json
from pathlib import Path
from typing import Any

import onnx.parser

from support import tiny_model

STATE = 1 + tiny_model.LOOKAHEAD_FRAMES  # the average, and the averages that have not been spoken of yet
_GRAPH = f"""
<ir_version: 8, opset_import: ["" : 17]>
tiny (float[streams, samples] samples, float[streams, {STATE}] state)
  => (float[streams, frames] probability, float[streams, frames] lookahead_probability,
      float[streams, {STATE}] state_out)
<int64[3] frame_shape = {{0, -1, {tiny_model.FRAME_LENGTH}}}, int64[2] sizes = {{1, {STATE - 1}}},
 float smoothing = {{{tiny_model.SMOOTHING}}}, float rest = {{{1 - tiny_model.SMOOTHING}}},
 float gain = {{{tiny_model.GAIN}}}, int64 zero = {{0}}, int64 one = {{1}}, float nothing = {{0}},
 int64[1] first = {{0}}, int64[1] axis = {{1}}, int64[1] last = {{-1}}, int64[1] end = {{9999}},
 int64[1] early = {{{tiny_model.LOOKAHEAD_FRAMES - tiny_model.DELAY_FRAMES}}},
 int64[1] short = {{{-tiny_model.DELAY_FRAMES}}}, int64[1] long = {{{-tiny_model.LOOKAHEAD_FRAMES}}},
 float bias = {{BIAS}}, float lookahead_bias = {{{tiny_model.LOOKAHEAD_BIAS}}}>
{{
  squares = Mul(samples, samples)
  framed = Reshape(squares, frame_shape)
  powers = ReduceMean <axes = [2], keepdims = 0> (framed)
  counted = Shape <start = 1, end = 2> (powers)
  count = Squeeze(counted)
  numbers = Range(zero, count, one)
  times = Cast <to = 1> (numbers)
  column = Unsqueeze(times, axis)
  ages = Sub(times, column)
  negative = Less(ages, nothing)
  faded = Pow(smoothing, ages)
  past = Where(negative, nothing, faded)
  weights = Mul(past, rest)
  heard = MatMul(powers, weights)
  before, delayed = Split <axis = 1> (state, sizes)
  fading = Pow(smoothing, times)
  fade = Mul(fading, smoothing)
  kept = Mul(before, fade)
  averages = Add(heard, kept)
  line = Concat <axis = 1> (delayed, averages)
  now = Slice(line, early, short, axis)
  then = Slice(line, first, long, axis)
  waiting = Slice(line, long, end, axis)
  average = Slice(averages, last, end, axis)
  scaled_now = Mul(now, gain)
  scaled_then = Mul(then, gain)
  logit_now = Add(scaled_now, bias)
  logit_then = Add(scaled_then, lookahead_bias)
  probability = Sigmoid(logit_now)
  lookahead_probability = Sigmoid(logit_then)
  state_out = Concat <axis = 1> (average, waiting)
}}
"""


def graph_bytes(bias: float = tiny_model.BIAS) -> bytes:
    """The content of the file; with another bias it is another network."""
    model = onnx.parser.parse_model(_GRAPH.replace("BIAS", str(bias)))
    return bytes(model.SerializeToString())


def write(folder: Path, content: bytes | None = None, **changes: Any) -> Path:
    """Writes ``tiny.onnx`` and its card, as `tiny_model.write` does."""
    content = graph_bytes() if content is None else content
    path = folder / "tiny.onnx"
    path.write_bytes(content)
    card = tiny_model.card(content, lookahead=True) | {"format": "onnx", "states": {"state": [1, STATE]}}
    fields = {key: value for key, value in (card | changes).items() if value is not None}
    path.with_name("tiny.onnx.json").write_text(json.dumps(fields), encoding="utf-8")
    return path
