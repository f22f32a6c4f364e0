"""`vad evaluate`, from a checkout: python scripts/evaluate.py PATH [--model NAME] [--format text|json] ..."""

import sys

from vad.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
