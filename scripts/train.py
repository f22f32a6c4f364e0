"""`vad train`, from a checkout: python scripts/train.py RUN --corpus PATH [--config TOML] ..."""

import sys

from vad.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
