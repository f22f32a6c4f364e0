"""Several workers: the share of each, and what is refused. tests/acceptance/test_training_over_workers.py trains."""

import numpy as np
import pytest
from support.tiny_run import SETTINGS, write_corpus

from vad.errors import ConfigError
from vad.training.config import load_config
from vad.training.data.batches import Batches
from vad.training.data.decoded import decode_corpus
from vad.training.data.rendering import render_scenes
from vad.training.workers import Workers, join_workers


def test_the_shares_of_all_workers_are_the_batch(tmp_path):
    config = load_config(None, SETTINGS)
    corpus = decode_corpus(write_corpus(tmp_path), tmp_path / "decoded", 1)
    scenes = render_scenes(corpus, "train", tmp_path / "train", config.mixing, hours=0.005, seed=0, jobs=1)
    batches = Batches(scenes, config.network, batch_size=4, seed=0)
    shares = [next(batches.forever(5, Workers(index=index, count=2).share(4))) for index in range(2)]
    for whole, parts in zip(batches[5], zip(*shares, strict=True), strict=True):
        assert [len(part) for part in parts] == [2, 2]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_batch_that_workers_cannot_share_is_refused():
    with pytest.raises(ConfigError, match="batch_size"):
        Workers(index=0, count=3).share(4)


@pytest.mark.parametrize(
    "text",
    [
        "worker 0",
        "[]",
        '{"cluster": {"worker": ["a:1", "b:1"]}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
    ],
    ids=["no JSON", "a list", "no task", "a task too many"],
)
def test_a_wrong_variable_is_refused(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match="TF_CONFIG"):
        join_workers.__wrapped__()


def test_one_worker_is_alone_and_the_chief(monkeypatch):
    monkeypatch.setenv(
        "TF_CONFIG", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'
    )
    assert join_workers.__wrapped__().is_chief
