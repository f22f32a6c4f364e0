"""The program: `vad`, or `python -m vad`."""

import gc
import sys

from vad.cli import main

__all__ = ["program"]


def program() -> int:
    """Run `main`, and end the process fast: at its exit, Python would search all modules for garbage."""
    code = main()
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(program())
