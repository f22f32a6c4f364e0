"""What runs a network: LiteRT a .tflite file, onnxruntime an .onnx file, each on one thread.

Both give signatures: functions from named arrays to named arrays. A package is loaded with the first file that needs
it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vad.errors import MissingDependencyError, install_hint

__all__ = ["RUNTIMES", "Runtime", "Signature", "onnx_session"]

Arrays = dict[str, npt.NDArray[np.float32]]
Shape = tuple[int | None, ...]

# The names in .onnx files, where they differ from those in .tflite files and cards.
_ONNX_NAMES = {"lookahead_probability": "late_probability", "state_out": "state"}


class Signature(NamedTuple):
    """A function of a network.

    Attributes:
        run: The function, with a keyword for each input.
        inputs: Their shapes; None is any length.
        outputs: The same of the outputs.
    """

    run: Callable[..., Arrays]
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]


class Runtime(NamedTuple):
    """A package that runs networks.

    Attributes:
        name: In error messages.
        load: From the content of a file to its signatures. Raises ValueError or RuntimeError for what it cannot load.
    """

    name: str
    load: Callable[[bytes], dict[str, Signature]]


def _load_litert(content: bytes) -> dict[str, Signature]:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        reason = str(error).partition("\n")[0]
        raise MissingDependencyError(
            f"cannot load LiteRT: {reason}. Without it, take the model default, or one that `vad export --format onnx` "
            f"wrote, such as vad.Detector('mine.onnx'), and onnxruntime. {install_hint('onnx')}"
        ) from error

    interpreter = Interpreter(model_content=content, num_threads=1)
    signatures = {}
    for key in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(key)
        inputs, outputs = (
            {name: tuple(int(n) for n in tensor["shape"]) for name, tensor in details.items()}
            for details in (runner.get_input_details(), runner.get_output_details())
        )
        signatures[key] = Signature(runner, inputs, outputs)
    return signatures


def _load_onnx(content: bytes) -> dict[str, Signature]:
    """Give the signatures `step` and `chunk`: one graph, which takes any number of frames."""
    session = onnx_session(content)
    inputs, outputs = (
        {
            _ONNX_NAMES.get(one.name, one.name): tuple(n if isinstance(n, int) else None for n in one.shape)
            for one in side
        }
        for side in (session.get_inputs(), session.get_outputs())
    )

    def run(**arrays: npt.NDArray[np.float32]) -> Arrays:
        try:
            return dict(zip(outputs, session.run(None, arrays), strict=True))
        except Exception as error:
            raise _readable(error) from error

    signature = Signature(run, inputs, outputs)
    return {"step": signature, "chunk": signature}


def onnx_session(content: bytes) -> Any:
    """Open the content of an .onnx file on one thread.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        ValueError: It is no .onnx file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(f"an .onnx model needs onnxruntime. {install_hint('onnx')}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # it raises its errors, and its warnings are for who converts a network
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _readable(error) from error


def _readable(error: Exception) -> ValueError:
    """An error of onnxruntime, which have no base but Exception, without its codes."""
    return ValueError(str(error).partition("\n")[0].rpartition(" : ")[2].rstrip("."))


RUNTIMES = {"tflite": Runtime("LiteRT", _load_litert), "onnx": Runtime("onnxruntime", _load_onnx)}
"""By the field `format` of a card."""
