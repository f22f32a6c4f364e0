"""Training scenes with exact labels: a random mix of talk, rooms, noise, music and channels.

The policy the labels teach: *foreground* speech counts, near or far, loud or soft, in noise down to -5 dB. Talk far
under the foreground (20-45 dB, in another place) that hardly clears the noise of a quiet place, and the babble of a
crowd, are background and count as non-speech. So does talk of that level where nobody is in front, even if it stands
well above its noise.

Recordings that are scenes by themselves, such as conversations, can be used unmodified: ``recorded`` is their share.

Each part of scene i draws from its own generator, seeded by (seed, i, part): adding a noise file changes no speech.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from vad.audio import acoustics
from vad.audio.acoustics import CELL, SAMPLE_RATE, Samples
from vad.errors import ConfigError
from vad.training.data.clips import Excerpts, Labels
from vad.training.data.decoded import DecodedCorpus
from vad.training.data.scene_config import SceneConfig
from vad.training.data.scene_parts import SceneParts

__all__ = ["FAINTEST_DB", "LOUDEST_DB", "Mixer", "Scene"]

FAINTEST_DB = -60.0
LOUDEST_DB = -3.0
_LOUDEST_ABSENT_DB = -35.0


@dataclass(frozen=True)
class Scene:
    """A rendered example.

    Attributes:
        samples: Peak at 0.98 [shape=(samples,)].
        labels: Speech probability per 10 ms cell [shape=(cells,)].
        level_db: Level of talk in this scene, or what it would be, dBFS; before the channel, which may lower it.
        loudest_db: The highest level of that talk in training, dBFS. Without foreground, background talk differs from
            it by its level alone.
    """

    samples: Samples
    labels: Labels
    level_db: float
    loudest_db: float


class Mixer:
    """Renders scenes from decoded recordings.

    Args:
        corpus: The recordings.
        config: How to mix.
        seed: Decides a scene, together with its number.

    Raises:
        ConfigError: The corpus holds no speech in this split.
    """

    def __init__(self, corpus: DecodedCorpus, config: SceneConfig, seed: int):
        self._config, self._seed = config, seed
        self._n = int(config.scene_s * SAMPLE_RATE) // CELL * CELL
        excerpts = Excerpts(corpus, config.speed, config.sound_speed)
        if not excerpts.speakers:
            raise ConfigError(
                f"Both splits, train and dev, must hold speech. Received: {corpus.split} with none. Folders give "
                "about a tenth of the speakers to dev: add speakers, or write a manifest that names the splits."
            )
        self._parts = SceneParts(excerpts, config, self._n)

    def scene(self, index: int) -> Scene:
        """Renders scene ``index``: the same for the same corpus, config and seed."""
        config, parts = self._config, self._parts
        if config.recorded and self._rng(index, "recorded").random() < config.recorded:
            return self._recorded_scene(index)
        rng = self._rng(index, "plan")
        mix, labels = np.zeros(self._n, np.float32), np.zeros(self._n // CELL, np.float32)
        speech_free = rng.random() < config.speech_free
        if not speech_free:
            mix, labels = parts.foreground(self._rng(index, "speech"))
        # Without foreground talk, other sounds are more frequent; many of these scenes must hold no voice at all.
        boost = 2.0 if speech_free else 1.0
        # The names seed the generators: another name or order changes the scenes of a seed.
        present = {
            name: render
            for name, share, render in (
                ("_noise_bed", config.noise, parts.noise_bed),
                ("_events", config.events * boost, parts.events),
                ("_bangs", config.bangs, parts.bangs),
                ("_bars", config.bars * boost, parts.bars),
                ("_music_bed", config.music * boost, parts.music_bed),
                ("_background_talk", config.background, parts.background_talk),
                ("_babble", config.babble, parts.babble),
                ("_hiss", config.hiss, parts.hiss),
                ("_handling", config.handling * boost, parts.handling),
                ("_tones", config.tones * boost, parts.tones),
                ("_tunes", config.tunes * boost, parts.tunes),
            )
            if rng.random() < share
        }
        if speech_free and rng.random() < config.crosstalk:
            present = {"_crosstalk": parts.crosstalk}
        for name, render in present.items():
            mix += self._band_limited(index, name, render(self._rng(index, name)))
        mix, labels = self._channel(self._rng(index, "channel"), mix, labels)
        if speech_free and present.keys() & {"_background_talk", "_crosstalk"}:
            return _scaled(mix, labels, _LOUDEST_ABSENT_DB)
        return _scaled(mix, labels)

    def _recorded_scene(self, index: int) -> Scene:
        mix, labels = self._parts.as_recorded(self._rng(index, "as recorded"))
        return _scaled(*self._channel(self._rng(index, "channel"), mix, labels))

    def _rng(self, index: int, part: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, index, zlib.crc32(part.encode())])

    def _band_limited(self, index: int, part: str, samples: Samples) -> Samples:
        """A part through a narrow recording chain of its own at times, lest narrow mean speech."""
        rng = self._rng(index, f"{part} band")
        if rng.random() >= self._config.part_band_limit:
            return samples
        high_hz = float(np.exp(rng.uniform(np.log(3_000), np.log(7_800))))
        low_hz = rng.uniform(40, 300) if rng.random() < 0.3 else None
        return acoustics.band_limit(samples, low_hz, high_hz, order=int(rng.choice([4, 8])))

    def _channel(self, rng: np.random.Generator, mix: Samples, labels: Labels) -> tuple[Samples, Labels]:
        config = self._config
        if rng.random() < config.equalise:
            mix = acoustics.equalise(rng, mix)
        if rng.random() < config.telephone:
            mix = acoustics.telephone(rng, mix)
        elif rng.random() < config.band_limit:
            low = rng.uniform(40, 200) if rng.random() < 0.5 else None
            mix = acoustics.band_limit(mix, low, rng.uniform(3_400, 7_800), order=int(rng.choice([4, 8])))
        if rng.random() < config.clipping:
            mix = acoustics.clip_hard(rng, mix)
        if rng.random() < config.digital_silence:
            for _ in range(int(rng.integers(1, 4))):
                first = int(rng.integers(len(labels)))
                stop = first + int(rng.uniform(0.1, 3.0) * SAMPLE_RATE / CELL)
                mix[first * CELL : stop * CELL] = 0
                labels[first:stop] = 0
        return mix, labels


def _scaled(mix: Samples, labels: Labels, loudest_db: float = LOUDEST_DB) -> Scene:
    """The scene with its peak at 0.98, from a mix with talk at 0 dB."""
    peak = float(np.abs(mix).max())
    scale = 0.98 / peak if peak > 0 else 1.0
    return Scene(mix * np.float32(scale), labels, float(20 * np.log10(scale)), loudest_db)
