"""A training run as small as can be: its options, its corpus, and what it wrote of itself."""

import csv
import json

import numpy as np
import soundfile

from vad.training.release.probe_signals import probe_signals

SAMPLE_RATE = 16_000
SETTINGS = {
    "hours": 0.01,
    "dev_hours": 0.02,
    "epochs": 4,
    "epoch_hours": 0.05,
    "batch_size": 4,
    "jobs": 1,
    "learning_rate": 5e-3,
    "mixing.scene_s": 2.0,
    **{f"mixing.{part}": 0.0 for part in ("events", "background", "babble", "handling", "telephone", "room")},
    "mixing.snr_db": [10.0, 35.0],
    "network.n_mels": 16,
    "network.conv_channels": [4, 8],
    "network.channels": 8,
    "network.dilations": [1, 2],
    "network.delay_frames": 1,
}


def write_corpus(folder):
    """Two talkers a split and one noise a split, made of the probe signals; gives the folder back."""
    signals = probe_signals()
    rows = []
    for split, first in (("train", 0), ("dev", 2)):
        for talker in range(first, first + 2):
            samples = signals["speech"][talker * 2 * SAMPLE_RATE :][: 2 * SAMPLE_RATE]
            soundfile.write(folder / f"talker{talker}.wav", samples, SAMPLE_RATE)
            cells = np.abs(samples.reshape(-1, 160)).max(axis=1) > 1e-3
            edges = np.flatnonzero(np.diff(np.concatenate([[0], cells, [0]])))
            segments = [[a / 100, b / 100] for a, b in edges.reshape(-1, 2).tolist()]
            rows.append({"audio_filepath": f"talker{talker}.wav", "kind": "speech", "split": split})
            rows[-1] |= {
                "segments": segments,
                "speaker": f"t{talker}",
                "duration": 2.0,
                "source": "synthesis",
            }
        soundfile.write(folder / f"{split}.wav", signals["noise"][: 2 * SAMPLE_RATE], SAMPLE_RATE)
        rows.append({"audio_filepath": f"{split}.wav", "kind": "noise", "split": split, "duration": 2.0})
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def history(run):
    """The rows of its epochs."""
    with (run / "history.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
