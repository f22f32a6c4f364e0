"""`vad export`, from a checkout: python scripts/export.py RUN --name NAME [--output DIR] ..."""

import sys

from vad.cli import main

if __name__ == "__main__":
    sys.exit(main(["export", *sys.argv[1:]]))
