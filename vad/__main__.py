"""`python -m vad` is the `vad` program."""

import sys

from vad.cli import main

if __name__ == "__main__":
    sys.exit(main())
