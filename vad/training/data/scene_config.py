"""The options of training scenes: how often and how loud the parts are."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from vad.errors import require

__all__ = ["SceneConfig"]

_SHORTEST_RT60_S = 0.05  # room for the early reflections of `vad.audio.acoustics.room_response`


@dataclass(frozen=True)
class SceneConfig:
    """How often parts occur and how loud they are. Shares are probabilities per scene, levels dB against the talk.

    Attributes:
        scene_s: Length of a scene, seconds, at least 1.
        recorded: Scenes that are excerpts of speech recordings with nothing but a channel on top; the shares below are
            of the others. For conversations, whose noise and pauses are to be learned too.
        speech_free: Scenes without foreground talk.
        speed: Playing speed of speech, above 0.5, which changes its pitch too: more speakers out of few.
        sound_speed: Likewise of noise and music.
        room: Scenes in a room; the others are dry.
        drr_db: Direct-to-reverberant ratio of foreground talkers.
        rt60_s: Reverberation time, at least 0.05.
        noise: Scenes with a noise bed; two of five beds are synthetic.
        snr_db: Talk over the noise bed.
        events: Scenes with sudden sounds.
        event_db: Events over the talk.
        bangs: Scenes with beeps and bangs shorter than a word, far louder than the talk.
        bangs_db: These over the talk.
        bars: Scenes with bars of music here and there.
        bars_db: Bars over the talk.
        music: Scenes with music throughout.
        music_snr_db: Talk over the music.
        background: Scenes with faint talkers behind.
        background_db: How far behind.
        background_snr_db: These over the noise of a quiet place.
        crosstalk: Scenes without foreground in which nothing sounds but such talkers, as at the microphone of a person
            who listens; a share of the scenes without foreground.
        crosstalk_snr_db: These over the noise of a quiet place.
        babble: Scenes with a crowd.
        babble_snr_db: Talk over the crowd.
        hiss: Scenes with microphone noise.
        hiss_db: Talk over the microphone noise.
        handling: Scenes with thumps and breaths at the microphone.
        handling_db: Talk over these.
        tunes: Scenes with synthetic instruments.
        tunes_db: Talk over these.
        tones: Scenes with the tones of a machine.
        tones_db: Talk over these.
        part_band_limit: Parts of a scene but the talk that come through a band limit of their own. Talk in front does
            not: muffled talk in open noise is far away.
        telephone: Scenes through a telephone.
        band_limit: Scenes through a codec-like low-pass or a high-pass.
        equalise: Scenes through a coloured microphone.
        clipping: Scenes with clipping.
        digital_silence: Scenes with passages of exact zeros.

    Raises:
        ConfigError: A value out of its range.
    """

    scene_s: float = 16.0
    recorded: float = 0.0
    speech_free: float = 0.2
    speed: tuple[float, float] = (0.88, 1.14)
    sound_speed: tuple[float, float] = (1.0, 1.0)
    room: float = 0.65
    drr_db: tuple[float, float] = (-12.0, 15.0)
    rt60_s: tuple[float, float] = (0.15, 1.2)
    noise: float = 0.65
    snr_db: tuple[float, float] = (-5.0, 35.0)
    events: float = 0.45
    event_db: tuple[float, float] = (-15.0, 12.0)
    bangs: float = 0.12
    bangs_db: tuple[float, float] = (5.0, 45.0)
    bars: float = 0.15
    bars_db: tuple[float, float] = (-15.0, 12.0)
    music: float = 0.25
    music_snr_db: tuple[float, float] = (-3.0, 25.0)
    background: float = 0.5
    background_db: tuple[float, float] = (20.0, 45.0)
    background_snr_db: tuple[float, float] = (-5.0, 20.0)
    crosstalk: float = 0.0
    crosstalk_snr_db: tuple[float, float] = (12.0, 30.0)
    babble: float = 0.08
    babble_snr_db: tuple[float, float] = (3.0, 25.0)
    hiss: float = 0.85
    hiss_db: tuple[float, float] = (25.0, 75.0)
    handling: float = 0.3
    handling_db: tuple[float, float] = (-3.0, 30.0)
    tunes: float = 0.0
    tunes_db: tuple[float, float] = (-8.0, 25.0)
    tones: float = 0.07
    tones_db: tuple[float, float] = (-5.0, 30.0)
    part_band_limit: float = 0.3
    telephone: float = 0.12
    band_limit: float = 0.25
    equalise: float = 0.6
    clipping: float = 0.04
    digital_silence: float = 0.08

    def unmodified(self) -> Self:
        """The config of validation scenes for ``recorded``: the recordings alone, without any channel."""
        channels = ("equalise", "part_band_limit", "telephone", "band_limit", "clipping", "digital_silence")
        no_channel: dict[str, Any] = dict.fromkeys(channels, 0.0)
        return replace(self, recorded=1.0, speed=(1.0, 1.0), **no_channel)

    def __post_init__(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if isinstance(value, tuple):
                holds = -math.inf < value[0] <= value[1] < math.inf
                require(holds, f"{name} must be two finite numbers, the lower one first", **{name: value})
            elif name != "scene_s":
                require(0 <= value <= 1, f"{name} must be between 0 and 1", **{name: value})
        require(1 <= self.scene_s < math.inf, "scene_s must be at least 1 second", scene_s=self.scene_s)
        for name in ("speed", "sound_speed"):
            speed = getattr(self, name)
            require(speed[0] > 0.5, f"{name} must be above 0.5", **{name: speed})
        require(
            self.rt60_s[0] >= _SHORTEST_RT60_S,
            f"rt60_s must be at least {_SHORTEST_RT60_S} seconds",
            rt60_s=self.rt60_s,
        )
