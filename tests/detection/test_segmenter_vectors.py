"""The shared vectors are what this segmenter gives. The browser's segmenter is tested with the same file."""

import json

from support import segmenter_vectors


def test_the_shared_vectors_are_those_of_this_segmenter() -> None:
    shared = json.loads(segmenter_vectors.VECTORS.read_text(encoding="utf-8"))
    assert shared == segmenter_vectors.vectors()
    kinds = {event[0] for case in shared["cases"] for event in case["events"]}
    assert kinds == {"start", "end", "rejected"}
