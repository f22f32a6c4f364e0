"""`vad benchmark`, from a checkout: python scripts/benchmark.py PATH [--models NAME ...] [--corpus PATH] ..."""

import sys

from vad.cli import main

if __name__ == "__main__":
    sys.exit(main(["benchmark", *sys.argv[1:]]))
