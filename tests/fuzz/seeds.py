"""What the campaigns begin with: small whole files of each kind, made when they are needed."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path

import av
import numpy as np
import soundfile
from support import label_texts, tiny_model, tiny_onnx
from support.places import MODELS
from support.sounds import encode_container, noise

from vad.detection.segments import Segment
from vad.labels import dumps

TALK = [Segment(0.32, 1.24), Segment(1.5, 2.0)]
RATE = 8000
SOUND = noise(RATE // 4, 2)

_LIBSNDFILE = {
    "wav": ("WAV/PCM_16", "WAV/PCM_U8", "WAV/PCM_24", "WAV/FLOAT", "WAV/IMA_ADPCM", "WAVEX/PCM_16", "RF64/PCM_16"),
    "flac": ("FLAC/PCM_16", "FLAC/PCM_24"),
    "ogg": ("OGG/VORBIS", "OGG/OPUS"),
    "mp3": ("MP3/MPEG_LAYER_III",),
    "libsndfile": ("AIFF/PCM_16", "AU/PCM_16", "CAF/PCM_16", "CAF/ALAC_16", "W64/PCM_16", "VOC/PCM_16", "NIST/PCM_16"),
}  # fmt: skip
_PYAV = {
    "m4a": ("a.m4a aac", "a.mp4 aac", "a.mov pcm_s16le", "a.m4a alac"),
    "aac": ("a.aac aac",),
    "media": ("a.mkv libopus", "a.webm libvorbis", "a.avi mp2", "a.wma wmav2", "a.ts aac", "a.flv aac", "a.ac3 ac3"),
    "mp3": ("a.mp2 mp2",),
}  # fmt: skip


def recordings(kind: str) -> list[bytes]:
    """A quarter of a second of noise in each of the kind's formats."""
    made = []
    for words in _LIBSNDFILE.get(kind, ()):
        container, subtype = words.split("/")
        content = io.BytesIO()
        soundfile.write(content, SOUND, RATE, format=container, subtype=subtype)
        made.append(content.getvalue())
    with tempfile.TemporaryDirectory() as folder:
        for words in _PYAV.get(kind, ()):
            name, codec = words.split()
            path = Path(folder) / name
            try:
                encode_container(path, codec, noise(2 * RATE), 48000)
            except (av.FFmpegError, ValueError):
                continue  # this FFmpeg has no such encoder
            made.append(path.read_bytes())
    if kind in ("ogg", "mp3"):
        made.append(made[0] + made[-1])  # joined files
    return made


def raw_samples() -> list[bytes]:
    """The first byte chooses their format; see `targets`."""
    return [bytes([number]) + np.float32(SOUND[:504]).tobytes() for number in range(7)]


def packed(contents: list[bytes]) -> list[bytes]:
    """The same, packed by gzip."""
    return [gzip.compress(content) for content in contents]


def labels(name: str) -> list[bytes]:
    """Files of a label format, as other programs and `vad` write them."""
    full = json.dumps([label_texts.FULL])
    texts = {
        "json": [full],
        "labelstudio": [full, json.dumps([label_texts.MINIMAL])],
        "jsonl": [label_texts.LHOTSE],
        "nemo": [label_texts.NEMO],
        "csv": [
            "Name\tStart\tDuration\tTime Format\tType\tDescription\nM\t1:02:03.5\t0:01.5\tdecimal\tCue\t\n"
        ],
        "textgrid": [label_texts.SHORT_TEXTGRID],
        "elan": [label_texts.EAF.format(text="x", end="ts2")],
        "kaldi": ["u1 a 0 1\nu2 a 1 -1\n"],
        "ctm": [label_texts.CTM],
        "stm": [label_texts.STM],
        "htk": [label_texts.HTK, label_texts.MLF],
        "svl": [label_texts.SVL],
    }.get(name, [])
    if name not in ("ctm", "stm", "htk", "svl"):
        texts.append(dumps(TALK, name, uri="a", duration=3.0))
    made = [text.encode() for text in texts]
    return made + [label_texts.BINARY_TEXTGRID] * (name == "textgrid")


def manifest() -> list[bytes]:
    """Rows with every key."""
    row = {
        "audio_filepath": "a.wav", "kind": "speech", "segments": [[0.5, 1.0], [2, 3.5]], "duration": 4.0,
        "speaker": "x", "split": "dev", "language": "en", "source": "s", "snr_db": 12.5, "range_db": 30.0, "class": "c",
    }  # fmt: skip
    others = [{"audio_filepath": "b.wav", "kind": "noise"}, {"audio_filepath": "ü/c.wav", "kind": "music"}]
    return ["\n".join(map(json.dumps, [row, *others])).encode()]


def journals() -> list[bytes]:
    """What a job wrote of two recordings."""
    rows = [
        {
            "recording": f"{name}.wav",
            "size": 1,
            "version": "2",
            "sha256": None,
            "duration": 3.5,
            "problem": None,
        }
        | {"channels": {"": [[0.5, 1.0], [2.0, 3.0]]}}
        for name in "ab"
    ]
    return ["".join(f"{json.dumps(row)}\n" for row in [{"options": {"model": "tiny"}}, *rows]).encode()]


def training_options() -> list[bytes]:
    """The configurations of the models that ship."""
    import vad.training.config  # noqa: F401 - TensorFlow takes long to load, which is no hang

    return [path.read_bytes() for path in sorted(MODELS.glob("*.toml"))]


def detection_options() -> list[bytes]:
    """A file for `--config` of `vad detect`."""
    names = 'model = "tiny"\noperating_point = "precise"\n'
    return [f"{names}threshold = 0.4\nspeech_pad_ms = 30\nmin_speech_duration_ms = 90\n".encode()]


def cards() -> list[bytes]:
    """Cards of the tiny model, with and without a lookahead output."""
    contents = (tiny_model.graph_bytes(lookahead=lookahead) for lookahead in (False, True))
    return [json.dumps(tiny_model.card(one, n > 0)).encode() for n, one in enumerate(contents)]


def litert_graphs() -> list[bytes]:
    """Networks for LiteRT."""
    return [tiny_model.graph_bytes()]


def onnx_graphs() -> list[bytes]:
    """Networks for onnxruntime."""
    return [tiny_onnx.graph_bytes()]


def keras_files() -> list[bytes]:
    """Trained weights."""
    from support.small_networks import small_network

    made = []
    with tempfile.TemporaryDirectory() as folder:
        for architecture in ("logmel-cnn", "waveform-tcn"):
            path = Path(folder) / "a.keras"
            small_network(architecture)[1].save(path)
            made.append(path.read_bytes())
    return made
