"""Gain for quiet recordings, before the network gets them.

The network's own gain control knows the past alone. To it, quiet talk in noise and crosstalk in a quiet room are alike:
both are faint, and little over their noise. What comes later tells them apart: in a quiet recording nothing is loud. So
a recording, which can be read ahead, is turned up by the loudest sounds of a minute.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vad.detection.model import Model

__all__ = ["LookaheadGain"]

Samples: TypeAlias = npt.NDArray[np.float32]

AHEAD_S = 60.0
TARGET_DBFS = -36.0
MOST_DB = 40.0
FALL_DB_PER_S = 0.1
_HOP_S = 0.02
_N_LOUD = 10  # hops: 0.2 s
_SILENCE = 1e-13  # power, as in the network's gain control


class LookaheadGain:
    """Turns a recording up where its loudest sounds are below -36 dBFS, by at most 40 dB.

    The gain changes from chunk to chunk, in a straight line. The level of a chunk is that of the loudest 0.2 s, added
    up, of a minute: a click does not set it, a word does. The minute ends with the latest chunk that came. So it begins
    with a chunk that waits for its gain, and is the past of a chunk that does not. From chunk to chunk the level falls
    by 0.1 dB/s at most: crosstalk in a long pause of a louder talker is not turned up.

    Chunks come back when later sound cannot change their gain: at once where the recording is loud, a minute later
    where it is quiet. Only the last one may be shorter, so that the network never takes single frames.

    Args:
        model: The network; a chunk of the gain is the least number of its chunks that is a second or more.
    """

    def __init__(self, model: Model):
        of_model = model.chunk_frames * model.frame_length
        self._chunk = of_model * math.ceil(model.sample_rate / of_model)
        self._hop = round(_HOP_S * model.sample_rate)
        chunk_s = self._chunk / model.sample_rate
        self._n_ahead = round(AHEAD_S / chunk_s)
        self._fall_db = FALL_DB_PER_S * chunk_s
        self._rest: Samples = np.zeros(0, np.float32)  # the beginning of a chunk
        self._waiting: deque[Samples] = deque()  # chunks whose gain is not certain
        # The powers of the hops of each chunk. Where nothing waits, the minute is the one before.
        self._powers: deque[Samples] = deque(maxlen=self._n_ahead + 1)
        self._level_dbfs = -np.inf
        self._gain_db: float | None = None

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples, and return those whose gain is certain.

        Args:
            samples: Any number. Those that are turned up are clipped to [-1, 1]. [shape=(samples,)]
        """
        self._rest = np.concatenate([self._rest, samples])
        n_whole = len(self._rest) // self._chunk * self._chunk
        chunks = self._rest[:n_whole].reshape(-1, self._chunk)
        ready = []
        for chunk, powers in zip(chunks, self._powers_of(chunks), strict=True):
            self._waiting.append(chunk)
            self._powers.append(powers)
            while self._waiting:
                level = self._level(_N_LOUD)
                if level < TARGET_DBFS and len(self._waiting) <= self._n_ahead:
                    break  # later sound may raise it
                ready.append(self._release(level))
        self._rest = self._rest[n_whole:].copy()
        return np.concatenate([self._rest[:0], *ready])

    def finish(self) -> Samples:
        """End the recording, and return all other samples."""
        if len(self._rest):
            self._waiting.append(self._rest)
            self._powers.append(self._powers_of(self._rest[None])[0])
        n_hops = sum(map(len, self._powers))
        n_loud = min(_N_LOUD, (n_hops + 1) // 2)  # a word may be all of a recording
        ready = [self._release(self._level(n_loud)) for _ in range(len(self._waiting))]
        return np.concatenate([self._rest[:0], *ready])

    def blocks(self, blocks: Iterable[Samples], length: int) -> Iterator[Samples]:
        """Turn up a recording in blocks. They come back with ``length`` samples; the last one may have fewer."""
        held: Samples = np.zeros(0, np.float32)
        for block in blocks:
            held = np.concatenate([held, self.feed(block)])
            while len(held) >= length:
                yield held[:length]
                held = held[length:]
        held = np.concatenate([held, self.finish()])
        for first in range(0, len(held), length):
            yield held[first : first + length]

    def _powers_of(self, chunks: Samples) -> Samples:
        """The power of each whole hop: [shape=(n, samples)] -> [shape=(n, hops)].

        An offset counts, because it is turned up too.
        """
        n_hops = chunks.shape[1] // self._hop
        hops = chunks[:, : n_hops * self._hop].reshape(len(chunks), n_hops, self._hop)
        powers: Samples = np.einsum("nhs,nhs->nh", hops, hops) / self._hop
        return powers

    def _level(self, n_loud: int) -> float:
        """The level that so many hops exceed, or that of the chunk before, less its fall."""
        powers = np.concatenate(self._powers)
        level = -np.inf if n_loud else TARGET_DBFS  # of less than a hop, nothing is known
        if 0 < n_loud <= len(powers):
            level = 10 * np.log10(max(np.partition(powers, -n_loud)[-n_loud], _SILENCE))
        return max(level, self._level_dbfs - self._fall_db)

    def _release(self, level_dbfs: float) -> Samples:
        """Turn up the first chunk that waits, in a straight line from the gain before."""
        self._level_dbfs = level_dbfs
        chunk = self._waiting.popleft()
        after = float(np.clip(TARGET_DBFS - level_dbfs, 0.0, MOST_DB))
        before = after if self._gain_db is None else self._gain_db
        self._gain_db = after
        if before == after == 0:
            return chunk
        gain_db = before + (after - before) * np.arange(1, len(chunk) + 1) / self._chunk
        return np.clip(chunk * 10 ** (gain_db / 20), -1, 1).astype(np.float32)
