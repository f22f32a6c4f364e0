"""The files of interchange in the programs that load silero_vad.onnx, each where it is installed.

VAD_WEIGHTS names another network, to be exported, such as the folder of a fine-tuning. docs/silero-clients.md has the
commands, and the versions that passed.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.browser import opened, served
from support.places import EXAMPLES, ROOT

from vad.audio.reading import read_audio
from vad.training.weights import weights_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the clients' own imports

WEIGHTS = weights_of(os.environ.get("VAD_WEIGHTS", "interchange"))
RATE, WINDOW = 16_000, 512
PACKAGES = ROOT / "web" / "node_modules"

Samples = npt.NDArray[np.float32]


def needs(package: str) -> pytest.MarkDecorator:
    """Skips a test where a client is not installed, before anything is exported for it."""
    try:
        found = importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # of a package around it
        found = False
    return pytest.mark.skipif(not found, reason=f"needs {package}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that ship, or those of another network, exported."""
    if "VAD_WEIGHTS" not in os.environ:
        return ROOT / "models"
    pytest.importorskip("tf2onnx")
    from vad.training.provenance import network_of
    from vad.training.release.silero import export_silero

    exported = tmp_path_factory.mktemp("exported")
    export_silero(WEIGHTS, network_of(WEIGHTS), "interchange", exported)
    return exported


@pytest.fixture(scope="module")
def file(folder: Path) -> str:
    return str(folder / "interchange.silero.onnx")


@pytest.fixture(scope="module")
def samples() -> Samples:
    whole: Samples = read_audio(EXAMPLES / "clip.wav", sample_rate=RATE)
    return whole[: len(whole) // WINDOW * WINDOW]


@pytest.fixture(scope="module")
def expected(samples: Samples) -> Samples:
    """What Keras gives of the same weights."""
    from vad.training.provenance import load_network

    found: Samples = load_network(WEIGHTS).predict_on_batch(samples[np.newaxis])[0]
    return found


@needs("silero_vad")
def test_silero_vads_wrapper_and_timestamps(file: str, samples: Samples, expected: Samples) -> None:
    import torch
    from silero_vad import get_speech_timestamps
    from silero_vad.utils_vad import OnnxWrapper

    model, audio = OnnxWrapper(file, force_onnx_cpu=True), torch.from_numpy(samples)
    np.testing.assert_allclose(model.audio_forward(audio, RATE)[0], expected, atol=1e-4)
    both = model.audio_forward(torch.stack([0.1 * audio, audio]), RATE)
    np.testing.assert_allclose(both[1], expected, atol=1e-4)
    found = get_speech_timestamps(audio, model, return_seconds=True)
    speech = sum(one["end"] - one["start"] for one in found)
    assert speech / (WINDOW / RATE) == pytest.approx((expected > 0.5).sum(), rel=0.25)
    low = model.audio_forward(audio[::2], 8_000)[0]
    assert np.corrcoef(low, expected)[0, 1] > 0.8


@needs("sherpa_onnx")
def test_sherpa_onnx(file: str, samples: Samples, expected: Samples) -> None:
    import sherpa_onnx

    config = sherpa_onnx.VadModelConfig()
    config.silero_vad.model, config.silero_vad.threshold = file, 0.5
    vad = sherpa_onnx.VoiceActivityDetector(config, buffer_size_in_seconds=60)
    for window in samples.reshape(-1, WINDOW):
        vad.accept_waveform(window)
    vad.flush()
    speech = 0
    while not vad.empty():
        speech += len(vad.front.samples)
        vad.pop()
    assert speech / WINDOW == pytest.approx((expected > 0.5).sum(), rel=0.25)


@needs("pipecat")
def test_pipecat(file: str, samples: Samples, expected: Samples) -> None:
    from pipecat.audio.vad.silero import SileroOnnxModel

    model = SileroOnnxModel(file)
    found = [model(window, RATE).item() for window in samples.reshape(-1, WINDOW)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@needs("livekit.plugins.silero")
def test_livekit(file: str, samples: Samples) -> None:
    from livekit import rtc
    from livekit.agents.vad import VADEventType
    from livekit.plugins import silero

    async def events() -> list[tuple[VADEventType, float]]:
        stream = silero.VAD.load(onnx_file_path=file).stream()
        for window in np.round(samples * 32_767).astype(np.int16).reshape(-1, WINDOW):
            stream.push_frame(rtc.AudioFrame(window.tobytes(), RATE, 1, WINDOW))
        stream.end_input()
        return [(event.type, event.probability) async for event in stream]

    found = asyncio.run(events())
    probabilities = [value for kind, value in found if kind == VADEventType.INFERENCE_DONE]
    assert {VADEventType.START_OF_SPEECH, VADEventType.END_OF_SPEECH} <= {kind for kind, _ in found}
    assert max(probabilities) > 0.9


@needs("faster_whisper")
def test_faster_whisper(
    folder: Path, samples: Samples, expected: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faster_whisper import vad

    shutil.copy(folder / "interchange.silero-sequence.onnx", tmp_path / "silero_vad_v6.onnx")
    monkeypatch.setattr(vad, "get_assets_path", lambda: str(tmp_path))
    vad.get_vad_model.cache_clear()
    try:
        found = vad.get_vad_model()(samples.copy())
        # It clears the last 64 samples of a recording.
        np.testing.assert_allclose(np.ravel(found)[:-1], expected[:-1], atol=1e-4)
        assert vad.get_speech_timestamps(samples.copy())
    finally:
        vad.get_vad_model.cache_clear()


@needs("RealtimeSTT")
def test_realtimestt(file: str, samples: Samples, expected: Samples) -> None:
    from RealtimeSTT.core.silero_vad import create_silero_vad_model

    model = create_silero_vad_model(onnx_model_path=file)
    found = [float(model(window, RATE)) for window in samples.reshape(-1, WINDOW)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.skipif(
    not (PACKAGES / "@ricky0123" / "vad-web").is_dir(), reason="needs @ricky0123/vad-web in web/"
)
def test_vad_web_in_a_browser(file: str, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    for path in (
        *(PACKAGES / "onnxruntime-web" / "dist").glob("ort-wasm-simd-threaded.[mw]*"),
        PACKAGES / "onnxruntime-web" / "dist" / "ort.wasm.min.js",
        *(PACKAGES / "@ricky0123" / "vad-web" / "dist").glob("*bundle.min.js"),
    ):
        shutil.copy(path, page)
    shutil.copy(file, page / "silero_vad_v5.onnx")
    scripts = "".join(f'<script src="{name}"></script>' for name in ("ort.wasm.min.js", "bundle.min.js"))
    (page / "index.html").write_text(f"<!doctype html><link rel=icon href=data:,>{scripts}", encoding="utf-8")
    microphone = (
        *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
        f"--use-file-for-fake-audio-capture={EXAMPLES / 'clip.wav'}",
    )
    with (
        served(page) as address,
        opened(f"{address}/index.html", tmp_path / "profile", flags=microphone) as tab,
    ):
        seen = tab.run("""
            console.log = () => {};  // it tells of each step
            const probabilities = [];
            await new Promise(async (done) => {
                const microphone = await vad.MicVAD.new({
                    model: "v5", baseAssetPath: "./", onnxWASMBasePath: "./", startOnLoad: true,
                    onFrameProcessed: ({ isSpeech }) => { probabilities.push(isSpeech); },
                    onSpeechEnd: (audio) => done(),
                });
                await microphone.start();
            });
            return [Math.min(...probabilities), Math.max(...probabilities)];
        """)
    assert seen[0] < 0.3
    assert seen[1] > 0.9
