"""Looking into networks: first layers are shown, sick filters are named, and the page stands alone."""

import re
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import soundfile
from support.browser import run_in_page
from support.pages import Page
from support.small_networks import small_network
from support.sounds import RATE, tone

from vad.cli import main
from vad.training.config import TrainConfig
from vad.training.history import read_rows
from vad.training.inspection import gradients, weights
from vad.training.inspection.embedding import principal_plane
from vad.training.inspection.filter_health import layer_health
from vad.training.inspection.network import InspectedAudio, InspectedNetwork, load_inspected_network, stages
from vad.training.inspection.pictures import write
from vad.training.inspection.probe import analyse
from vad.training.inspection.views import AUDIO_VIEWS, look
from vad.training.inspection.weights import kernel_parts
from vad.training.networks.kernels import kernels
from vad.training.update_ratios import UpdateRatios, update_ratios


def small_inspected(architecture, **options):
    config, model = small_network(architecture, **options)
    return InspectedNetwork("small", model, config, Path("nowhere"))


@pytest.fixture(scope="module")
def default():
    return load_inspected_network("default")


def assert_healthy(layers, structure, sick):
    """Every layer has so much structure at least, and so large a share of its filters is sick at most."""
    health = [layer_health(stage) for stage in layers]
    for stage, one in zip(layers, health, strict=True):
        assert np.isnan(one.structure) or one.structure > (0.1 if stage.recurrent else structure), one.name
    assert not any("hardly trained" in line for one in health for line in one.words())
    found = sum(len(one.dead) + len(one.saturated) + len(one.noisy) for one in health)
    assert found < sick * sum(len(one.norms) for one in health)


# Small networks have a third of the weights of large ones: more of them still look like random numbers.
def test_shipped_networks_are_in_good_health(default):
    assert_healthy(stages(default.model), structure=0.25, sick=0.01)
    assert_healthy(stages(load_inspected_network("waveform").model), structure=0.25, sick=0.01)
    assert_healthy(stages(load_inspected_network("tiny").model), structure=0.15, sick=0.13)


def words_about(model):
    return "\n".join(line for stage in stages(model) for line in layer_health(stage).words())


@pytest.mark.parametrize("architecture", ["logmel-cnn", "waveform-tcn", "two-branch"])
def test_dead_and_saturated_filters_are_named(architecture):
    _, model = small_network(architecture)
    assert not re.search("dead|saturated", words_about(model))
    norm = model.get_layer("conv2_norm")
    beta = np.array(norm.beta)
    beta[[2, 5]], beta[4] = -9.0, 9.0
    norm.beta.assign(beta)
    kernel = np.array(model.get_layer("join").kernel)
    kernel[..., 7] = 0
    model.get_layer("join").kernel.assign(kernel)
    words = words_about(model)
    assert "conv2: 2 of 8 filters (2, 5) are each dead" in words
    assert "conv2: filter 4 is saturated" in words
    assert "join: filter 7 is dead" in words
    assert len(re.findall("dead|saturated", words)) == 3


def test_a_noisy_filter_on_the_waveform_is_named():
    _, model = small_network("waveform-tcn")
    assert "filters: " not in words_about(model)
    kernel = np.array(model.get_layer("filters").kernel)
    kernel[..., 11] = np.random.default_rng(0).normal(0, kernel.std(), kernel.shape[:-1])
    model.get_layer("filters").kernel.assign(kernel)
    assert "filters: filter 11 is noise" in words_about(model)


def test_noise_is_told_from_what_was_learned(default):
    rng = np.random.default_rng(1)
    (learned,) = [stage for stage in stages(default.model) if stage.name == "conv3"]
    kernel = learned.kernel.copy()
    kernel[..., [3, 40]] = rng.normal(0, kernel.std(), (*kernel.shape[:-1], 2))
    sick = type(learned)(learned.name, kernel, learned.norm, learned.relu)
    (line,) = layer_health(sick).words()
    assert "conv3: 2 of 64 filters (3, 40) are each noise" in line
    untrained = type(learned)("conv3", rng.normal(0, 0.1, kernel.shape), None, None)
    (line,) = layer_health(untrained).words()
    assert line.startswith("conv3: ")
    assert "hardly trained" in line


def test_connections_have_a_scale():
    pictures = {one.name: one for one in weights.inspect(small_inspected("two-branch")).pictures}
    panels = [axes for axes in pictures["connections"].figure.axes if axes.get_xlabel() == "filter"]
    assert len(panels) == 7
    for panel in panels:
        assert panel.images[0].colorbar.ax.get_ylabel() == "norm of the weights"


def test_kernels_are_parted_into_what_they_ask_for():
    time, frequency = np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], indexing="ij")
    kernels = np.stack([np.ones((3, 3)), time, frequency, time * frequency], axis=-1)
    energies = np.square(kernels).sum(axis=(0, 1))
    np.testing.assert_allclose(kernel_parts(kernels), np.diag(energies), atol=1e-12)
    mixed = np.random.default_rng(0).standard_normal((3, 5, 7))
    np.testing.assert_allclose(sum(kernel_parts(mixed)), np.square(mixed).sum(axis=(0, 1)))


@pytest.mark.parametrize("architecture", ["logmel-cnn", "logmel-crnn"])
def test_update_ratios_are_those_of_the_last_step(architecture, tmp_path):
    config, model = small_network(architecture)
    optimizer = keras.optimizers.AdamW(2e-3, weight_decay=0.01, clipnorm=1.0)
    model.compile(optimizer, "binary_crossentropy", run_eagerly=True)
    rng = np.random.default_rng(0)
    names = [stage.name for stage in stages(model)]
    for _ in range(3):
        before = kernels(model)
        samples = 0.1 * rng.standard_normal((2, 20 * config.frame_length))
        model.train_on_batch(samples, rng.integers(0, 2, (2, 20)).astype(float))
    found = update_ratios(model)
    assert list(found) == names
    for name in names:
        step = kernels(model)[name] - before[name]
        assert found[name] == pytest.approx(np.linalg.norm(step) / np.linalg.norm(before[name]), rel=0.02)
    record = UpdateRatios(tmp_path / "updates.csv")
    record.set_model(model)
    (tmp_path / "updates.csv").write_text("epoch,conv1\n1,0.002\n")  # of a version that knew fewer kernels
    record.on_epoch_end(1)
    older, newer = read_rows(tmp_path / "updates.csv")
    assert older["conv1"] == 0.002
    assert np.isnan(older["speech"])
    assert newer == {"epoch": 2, **found}


def test_the_principal_plane_keeps_what_lies_in_a_plane():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 9)) + 3
    found, shares = principal_plane(points)
    distances = [np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (points, found)]
    np.testing.assert_allclose(*distances, atol=1e-9)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] > shares[1]


def make_run(folder, architecture, **options):
    """A run with a network as small as can be."""
    config, model = small_network(architecture, dilations=(1,), **options)
    folder.mkdir()
    model.save(folder / "best.keras")
    (folder / "config.json").write_text(TrainConfig(network=config).to_json())
    (folder / "updates.csv").write_text("epoch,conv1,speech\n1,0.002,0.001\n2,0.001,0.0005\n")
    return folder


def test_all_views_make_one_page_that_stands_alone(tmp_path, capsys):
    run, out = make_run(tmp_path / "run", "logmel-cnn"), tmp_path / "out"
    speech, labels = tmp_path / "speech.wav", tmp_path / "speech.rttm"
    soundfile.write(speech, np.concatenate([np.zeros(RATE // 2), tone(0.5), np.zeros(RATE // 4)]), RATE)
    labels.write_text("SPEAKER speech 1 0.5 0.5 <NA> <NA> a <NA> <NA>\n")
    words = [str(run), str(speech), "--labels", str(labels), "--output", str(out)]
    assert main(["inspect", "all", *words, "--duration", "1.1"]) == 0
    written = capsys.readouterr()
    assert written.out == f"{out / 'all.html'}\n"
    assert "binary cross-entropy towards the reference labels" in written.err
    page = Page(out / "all.html")
    assert page.urls == []
    assert page.addresses == ["data:,"]
    pictures = {path.name for path in out.glob("*.png")}
    shown = [picture for section in page.data["sections"] for picture in section["pictures"]]
    assert len(shown) == len(pictures)
    assert all(one["address"].startswith("data:image/png;base64,") for one in shown)
    captions = [one["caption"] for one in shown]
    assert all(len(re.findall(r"\.(?= [A-Z]|$)", caption)) >= 2 for caption in captions), captions
    assert {
        "gradients-updates.png",
        "weights-conv2-strongest.png",
        "activations-conv1-filters.png",
    } <= pictures
    with np.load(out / "saliency.npz") as arrays:
        assert arrays["seconds"].shape == (110, 40)
    found = run_in_page(
        out / "all.html",
        """
        await Promise.all([...document.images].map((image) => image.decode()));
        return {
          widths: [...document.images].map((image) => image.naturalWidth),
          heading: document.querySelector("h1").textContent,
          lines: document.querySelectorAll("li").length,
        };
        """,
        tmp_path / "profile",
    )
    assert len(found["widths"]) == len(pictures)
    assert min(found["widths"]) > 1000
    assert found["heading"] == page.title
    assert found["lines"] == sum(len(section["findings"]) for section in page.data["sections"]) > 0


def test_the_low_latency_output_is_inspected(tmp_path):
    network = load_inspected_network(str(make_run(tmp_path / "run", "logmel-cnn", lookahead_frames=6)))
    clip = InspectedAudio("hum", np.concatenate([np.zeros(RATE // 2), tone(0.5)]).astype(np.float32))
    analysis = analyse(network, clip)
    whole = keras.models.load_model(tmp_path / "run" / "best.keras")(
        clip.whole_frames(network.config)[np.newaxis]
    )
    np.testing.assert_allclose(
        analysis.probability, np.asarray(whole)[0, network.config.delay_frames :, 0], atol=1e-3
    )
    assert not [stage.name for stage in stages(network.model) if stage.name.startswith("late")]
    assert gradients.inspect(analysis).pictures


def test_silence_is_looked_into_too(tmp_path):
    network = small_inspected("two-branch", dilations=(1,))
    views = look(
        network, ["weights", *AUDIO_VIEWS], InspectedAudio("silence", np.zeros(RATE // 2, np.float32))
    )
    assert [view.name for view in views] == ["weights", *AUDIO_VIEWS]
    for view in views:
        assert view.arrays
        for name in view.arrays.keys() - {"structure"}:  # which small layers do not have
            assert np.isfinite(view.arrays[name]).all(), name
    first = {"first-layer", "first-layer-in-time", "first-layer-responses"}
    for view in views[:2]:
        assert first <= {one.name for one in view.pictures}, "of both branches"
    (picture,) = [one for one in views[1].pictures if one.name == "first-layer-responses"]
    page = write([replace(views[1], pictures=[picture])], tmp_path, name="all", title="svg", format="svg")
    assert "data:image/svg+xml;base64," in page.read_text()
    assert (tmp_path / "gradients-first-layer-responses.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["saliency", "default"], 2, "the view saliency needs a recording"),
        (["weights", "defualt"], 2, "Received: defualt. Did you mean default?"),
        (["weights", "."], 2, "a folder without best.keras"),
        (["weights", "default", "--labels", "a.rttm"], 2, "--labels needs a recording"),
        (["occlusion", "default", "clip.wav", "--duration", "0"], 2, "duration must be above 0 seconds."),
        (["occlusion", "default", "clip.wav", "--output", "clip.wav/x"], 2, "cannot write clip.wav/x"),
        (["occlusion", "default", "none.wav"], 1, "there is no such file"),
        (["occlusion", "default", "clip.wav", "--labels", "none.rttm"], 1, "cannot read none.rttm"),
        (["occlusion", "default", "clip.wav", "--start", "7"], 1, "an excerpt must hold a frame of 20 ms."),
    ],
)
def test_what_cannot_be_looked_into_is_one_line(words, code, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    soundfile.write("clip.wav", tone(0.5), RATE)
    assert main(["inspect", *words]) == code
    written = capsys.readouterr()
    assert written.out == ""
    assert message in written.err
    assert written.err.count("\n") == 1
