"""MPEG audio is taken apart into its frames, at every bit rate that an encoder writes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from support.sounds import noise

from vad.audio.mpeg_frames import Frame, Gap, MpegFrames

LOW = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def encoded(codec: str, kbit_s: int, sample_rate: int) -> tuple[list[bytes], int]:
    """The frames of 1 s of noise by FFmpeg's encoder, and the samples in each."""
    av = pytest.importorskip("av")
    stream = av.CodecContext.create(codec, "w")
    stream.sample_rate, stream.layout, stream.format = (
        sample_rate,
        "mono",
        "s16p" if "mp3" in codec else "s16",
    )
    stream.bit_rate = 1000 * kbit_s
    stream.options = {"reservoir": "0"} if "mp3" in codec else {}
    stream.open()
    samples = np.round(noise(sample_rate) * 3000).astype(np.int16)[np.newaxis]
    packets: list[bytes] = []
    for start in range(0, sample_rate - stream.frame_size, stream.frame_size):
        frame = av.AudioFrame.from_ndarray(
            samples[:, start : start + stream.frame_size], format=stream.format.name, layout="mono"
        )
        frame.sample_rate, frame.pts = sample_rate, start
        packets += map(bytes, stream.encode(frame))
    return [*packets, *map(bytes, stream.encode(None))], stream.frame_size


@pytest.mark.parametrize(
    ("codec", "sample_rate", "rates"),
    [
        ("libmp3lame", 48_000, (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)),
        ("libmp3lame", 24_000, LOW),
        ("libmp3lame", 8_000, LOW[:8]),
        ("mp2", 44_100, (32, 48, 56, 64, 80, 96, 112, 128, 160, 192)),
        ("mp2", 22_050, LOW),
    ],
)
def test_frames_of_every_bit_rate_are_found(codec: str, sample_rate: int, rates: tuple[int, ...]) -> None:
    for rate in rates:
        packets, samples = encoded(codec, rate, sample_rate)
        found = [*MpegFrames(io.BytesIO(b"".join(packets)).read)]
        frames = [one for one in found if isinstance(one, Frame)]
        assert [one.content for one in frames] == packets, rate
        assert len(packets) >= sample_rate // samples
        assert {one.header.sample_rate for one in frames} == {sample_rate}
        assert {one.header.samples for one in frames} == {samples}


@pytest.mark.parametrize("at", [0, 5])
def test_what_is_between_frames_is_a_gap_of_its_size(at: int) -> None:
    packets, _ = encoded("mp2", 64, 44_100)
    content = b"".join([*packets[:at], b"junk" * 10, *packets[at:]])
    found = [*MpegFrames(io.BytesIO(content).read)]
    (gap,) = (one for one in found if isinstance(one, Gap))
    sizes = [one.size if isinstance(one, Gap) else len(one.content) for one in found]
    assert sum(sizes) == len(content)
    assert gap.size == 40 + (
        len(packets[at - 1]) if at else 0
    )  # nothing shows where a frame before junk ends


def test_a_frame_of_free_format_before_half_a_header_is_a_gap() -> None:
    content = b"\xff\xfb\x00\x00" + bytes(96)
    for cut in range(4):
        found = [*MpegFrames(io.BytesIO(content + content[:cut]).read)]
        assert found == [Gap(100 + cut)], cut
