"""The model: what it computes, and that neither threads nor calls disturb each other."""

import threading

import numpy as np
import pytest
from support import tiny_model

from vad.detection.model import Model, State
from vad.detection.model_files import model_names
from vad.errors import AudioError, ModelError

STEP = tiny_model.FRAME_LENGTH
CHUNK = tiny_model.CHUNK_FRAMES * STEP


def noise(frames: int, seed: int = 0) -> np.ndarray:
    """Noise whose level changes from frame to frame, so that every frame has its own probability."""
    random = np.random.default_rng(seed)
    level = np.repeat(random.uniform(0, 0.3, frames), STEP)
    return (level * random.standard_normal(frames * STEP)).astype(np.float32)


def stepped(model: Model, samples: np.ndarray, state: State | None = None) -> tuple[np.ndarray, State]:
    state = model.initial_state() if state is None else state
    probabilities = []
    for frame in samples.reshape(-1, STEP):
        probability, state = model.step(frame, state)
        probabilities.append(probability)
    return np.array(probabilities), state


def test_step_is_the_network_delayed(model: Model) -> None:
    samples = noise(40)
    probabilities, _ = stepped(model, samples)
    expected = tiny_model.reference_probabilities(samples)
    np.testing.assert_allclose(
        probabilities[model.delay_frames :], expected[: -model.delay_frames], atol=1e-5
    )


def test_chunk_equals_steps_and_both_leave_the_same_state(model: Model) -> None:
    samples = noise(3 * model.chunk_frames)
    expected, after_steps = stepped(model, samples)
    state = model.initial_state()
    probabilities = []
    for block in samples.reshape(-1, CHUNK):
        chunk, state = model.chunk(block, state)
        probabilities.append(chunk)
    np.testing.assert_allclose(np.concatenate(probabilities), expected, atol=1e-5)
    for name in state:
        np.testing.assert_allclose(state[name], after_steps[name], atol=1e-6)


def test_a_call_leaves_the_state_it_was_given_unchanged(model: Model) -> None:
    _, state = stepped(model, noise(5))
    kept = {name: array.copy() for name, array in state.items()}
    first = model.step(noise(1, seed=1), state)[0]
    model.chunk(noise(model.chunk_frames), state)
    assert all(np.array_equal(state[name], kept[name]) for name in kept)
    assert model.step(noise(1, seed=1), state)[0] == first


def test_a_result_is_not_overwritten_by_the_next_call(model: Model) -> None:
    first, state = model.chunk(noise(model.chunk_frames, seed=1), model.initial_state())
    kept, kept_average = first.copy(), state["average"].copy()
    model.chunk(noise(model.chunk_frames, seed=2), state)
    assert np.array_equal(first, kept)
    assert np.array_equal(state["average"], kept_average)


def test_threads_give_the_results_of_one_thread(model: Model) -> None:
    recordings = [noise(60, seed) for seed in range(6)]
    alone = [stepped(model, samples)[0] for samples in recordings]
    together: list[np.ndarray | None] = [None] * len(recordings)

    def process(index: int) -> None:
        together[index] = stepped(model, recordings[index])[0]

    threads = [threading.Thread(target=process, args=(index,)) for index in range(len(recordings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_the_card_is_read(model: Model) -> None:
    assert (model.name, model.sample_rate, model.frame_length) == ("tiny", 16000, 320)
    assert (model.delay_frames, model.chunk_frames) == (2, 8)
    assert model.frame_duration == pytest.approx(0.02)
    assert model.card["segment_options"]["precise"]["threshold"] == 0.8


@pytest.mark.parametrize("length", [0, STEP - 1, STEP + 1])
def test_step_takes_one_frame_only(model: Model, length: int) -> None:
    with pytest.raises(AudioError, match=rf"step.*\(320,\).*\({length},\)"):
        model.step(np.zeros(length, np.float32), model.initial_state())


def test_a_wrong_call_does_not_reshape_the_graph(model: Model) -> None:
    before = model.step(noise(1), model.initial_state())[0]
    with pytest.raises(AudioError):
        model.chunk(np.zeros(STEP, np.float32), model.initial_state())
    with pytest.raises(ModelError, match=r"state.*model's"):
        model.step(
            noise(1), {"average": np.zeros((1, 3), np.float32), "delayed": np.zeros((1, 2), np.float32)}
        )
    with pytest.raises(ModelError, match=r"\['average'\]"):
        model.step(noise(1), {"average": np.zeros((1, 1), np.float32)})
    assert model.step(noise(1), model.initial_state())[0] == before


def test_every_model_of_the_package_loads() -> None:
    names = model_names()
    if not names:
        pytest.skip("no trained model is in models/ yet")
    for name in names:
        model = Model.load(name)
        probability, _ = model.step(np.zeros(model.frame_length, np.float32), model.initial_state())
        assert 0 <= probability < 0.5, "silence is no speech"
