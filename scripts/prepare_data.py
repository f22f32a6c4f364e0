"""`vad prepare`, from a checkout: python scripts/prepare_data.py PATH ... --output JSONL ..."""

import sys

from vad.cli import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:]]))
