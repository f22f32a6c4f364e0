"""Recordings by other programs, and broken ones. Each is made if its program is installed."""

import functools
import shutil
import struct
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

SECONDS = 3.1
RATE = 44100

# By file name: the options of ffmpeg.
FFMPEG = {
    "u8.wav": "-c:a pcm_u8",
    "s24.wav": "-c:a pcm_s24le",
    "s32.wav": "-c:a pcm_s32le",
    "f32.wav": "-c:a pcm_f32le",
    "f64.wav": "-c:a pcm_f64le",
    "alaw.wav": "-c:a pcm_alaw -ar 8000",
    "mulaw.wav": "-c:a pcm_mulaw -ar 8000",
    "ima8.wav": "-c:a adpcm_ima_wav -ar 8000",
    "ima16.wav": "-c:a adpcm_ima_wav -ar 16000",
    "ms8.wav": "-c:a adpcm_ms -ar 8000",
    "ms16.wav": "-c:a adpcm_ms -ar 16000",
    "gsm.wav": "-c:a libgsm_ms -ar 8000 -ac 1",
    "g726.wav": "-c:a g726 -ar 8000 -ac 1",
    "mp3.wav": "-c:a libmp3lame",
    "bext.wav": "-c:a pcm_s16le -write_bext 1 -metadata description=interview",
    "forced.wav": "-c:a pcm_s16le -rf64 always",
    "six.wav": "-c:a pcm_s16le -ac 6",
    "sony.w64": "-c:a pcm_s16le",
    "apple.aiff": "-c:a pcm_s16be",
    "apple.caf": "-c:a pcm_s16le",
    "sun.au": "-c:a pcm_s16be",
    "creative.voc": "-c:a pcm_u8 -ar 16000 -ac 1",
    "plain.flac": "-c:a flac",
    "vorbis.ogg": "-c:a libvorbis",
    "flac.ogg": "-c:a flac -f ogg",
    "speex.ogg": "-c:a libspeex -ar 16000 -ac 1 -f ogg",
    "plain.opus": "-c:a libopus",
    "cbr.mp3": "-c:a libmp3lame -b:a 96k",
    "unstated.mp3": "-c:a libmp3lame -b:a 96k -write_xing 0",
    "unstated_vbr.mp3": "-c:a libmp3lame -q:a 4 -write_xing 0",
    "tagged.mp3": "-c:a libmp3lame -q:a 4 -write_id3v1 1 -write_apetag 1 -metadata title=interview",
    "layer2.mp2": "-c:a mp2 -b:a 128k",
    "phone.m4a": "-c:a aac",
    "lossless.m4a": "-c:a alac",
    "fast.m4a": "-c:a aac -movflags +faststart",
    "film.mp4": "-c:a aac -ar 48000",
    "safari.mp4": "-c:a aac -movflags frag_keyframe+empty_moov",
    "quicktime.mov": "-c:a pcm_s16le",
    "adts.aac": "-c:a aac",
    "chrome.webm": "-c:a libopus -f webm -live 1",
    "vorbis.webm": "-c:a libvorbis",
    "flac.mka": "-c:a flac",
    "opus.mkv": "-c:a libopus",
    "windows.wma": "-c:a wmav2",
    "windows.asf": "-c:a wmav2",
    "mp3.avi": "-c:a libmp3lame",
    "pcm.avi": "-c:a pcm_s16le",
    "flash.flv": "-c:a aac",
    "television.ts": "-c:a aac",
    "mp2.ts": "-c:a mp2",
    "radio.ts": "-c:a mp2 -ar 16000 -ac 1",
    "radio.avi": "-c:a mp2 -ar 16000 -ac 1",
    "radio.flv": "-c:a libmp3lame -ar 22050 -ac 1",
    "film.mpg": "-c:a mp2",
    "dolby.ac3": "-c:a ac3",
    "dolby.eac3": "-c:a eac3",
    "phone.gsm": "-c:a libgsm -ar 8000 -ac 1",
    "true.tta": "-c:a tta",
    "pack.wv": "-c:a wavpack",
}
# By file name: the options of sox.
SOX = {
    "sox_ima.wav": "-e ima-adpcm",
    "sox_ms.wav": "-e ms-adpcm",
    "sox_gsm.wav": "-r 8000 -c 1 -e gsm-full-rate",
    "sox_float.wav": "-e floating-point -b 32",
    "sox_24.wav": "-b 24",
    "sox.aiff": "",
    "sox.au": "",
    "sox.flac": "",
    "sox.ogg": "",
    "sox.sph": "-c 1",
    "sox.w64": "",
}
# By file name: a command that reads IN and writes OUT, or standard output, which is a pipe.
WRITTEN = {
    "lame.mp3": "lame --quiet -V4 IN OUT",
    "lame_free.mp3": "lame --quiet --freeformat -b 400 IN OUT",
    "ffmpeg_pipe.wav": "ffmpeg -nostdin -v error -i IN -f wav -",
    "ffmpeg_pipe.flac": "ffmpeg -nostdin -v error -i IN -f flac -",
    "ffmpeg_pipe.mp3": "ffmpeg -nostdin -v error -i IN -q:a 4 -f mp3 -",
    "ffmpeg_pipe.aiff": "ffmpeg -nostdin -v error -i IN -f aiff -",
    "sox_pipe.wav": "sox IN -t wav -",
    "sox_pipe.au": "sox IN -t au -",
    "lame_pipe.mp3": "lame --quiet -V4 IN -",
    "lame_t.mp3": "lame --quiet -V4 -t IN -",
    "lame_t_cbr.mp3": "lame --quiet -b 96 -t IN -",
    "lame_abr.mp3": "lame --quiet --abr 80 IN -",
    "lame_tagged.mp3": "lame --quiet -V2 --tt interview --add-id3v2 IN -",
    "lame_low.mp3": "lame --quiet -V6 --resample 16 -m m IN -",
    "lame_8k.mp3": "lame --quiet -b 16 --resample 8 -m m IN -",
    "opusenc.opus": "opusenc --quiet IN -",
    "opusenc_60ms.opus": "opusenc --quiet --framesize 60 --bitrate 16 IN -",
}
# By file name: the elements of a gstreamer pipeline.
GSTREAMER = {
    "gst.wav": "wavenc",
    "gst.flac": "flacenc",
    "gst.mp3": "lamemp3enc",
    "gst_vorbis.ogg": "audioconvert ! vorbisenc ! oggmux",
    "gst_opus.ogg": "audioresample ! opusenc ! oggmux",
    "gst.webm": "audioresample ! opusenc ! webmmux streamable=true",
    "gst.mkv": "audioresample ! opusenc ! matroskamux",
    "gst.wv": "wavpackenc",
}


def material(folder: Path) -> Path:
    """Write their common content: stereo, loud and soft in turn, so that variable bitrates vary."""
    times = np.arange(round(SECONDS * RATE)) / RATE
    loudness = np.where(times % 1.0 < 0.4, 0.3, 0.001)
    hiss = np.random.default_rng(0).normal(0.0, 0.3, (len(times), 2))
    values = loudness[:, np.newaxis] * (np.sin(2 * np.pi * 300 * times)[:, np.newaxis] + hiss)
    soundfile.write(folder / "IN.wav", np.clip(values, -1, 1), RATE)
    return folder / "IN.wav"


def make_all(folder: Path) -> None:
    """Make all files whose program is installed."""
    source = material(folder)
    if shutil.which("ffmpeg"):
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source)]
        for name, options in FFMPEG.items():
            if has_encoder(options):
                command += ["-map", "0:a", *options.split(), str(folder / name)]
        subprocess.run(command, check=True, timeout=60)
    if shutil.which("sox"):
        for name, options in SOX.items():
            subprocess.run(
                ["sox", "-R", "-D", source, *options.split(), folder / name], check=False, timeout=60
            )
    for name, line in WRITTEN.items():
        paths = {"IN": str(source), "OUT": str(folder / name)}
        words = [paths.get(word, word) for word in line.split()]
        if shutil.which(words[0]):
            written = subprocess.run(words, capture_output=True, check=True, timeout=60)
            if "OUT" not in line:
                (folder / name).write_bytes(written.stdout)
    if shutil.which("gst-launch-1.0"):
        for name, elements in GSTREAMER.items():
            ends = f"filesrc location={source} ! wavparse ! audioconvert ! {elements} ! fdsink fd=1"
            piped = subprocess.run(["gst-launch-1.0", "-q", *ends.split()], capture_output=True, timeout=60)
            if piped.stdout:
                (folder / name).write_bytes(piped.stdout)
    for name, make in BROKEN.items():
        try:
            (folder / name).write_bytes(make(folder))
        except FileNotFoundError:
            continue  # its original was not made


def has_encoder(options: str) -> bool:
    words = options.split()
    return f" {words[words.index('-c:a') + 1]} " in _encoders()


@functools.cache
def _encoders() -> str:
    return subprocess.run(["ffmpeg", "-v", "error", "-encoders"], capture_output=True, text=True).stdout


def wav(size: int | None = None, riff: int | None = None) -> Callable[[Path], bytes]:
    """The common content, with other sizes in its header."""

    def make(folder: Path) -> bytes:
        content = bytearray((folder / "IN.wav").read_bytes())
        if size is not None:
            content[40:44] = struct.pack("<I", size)
        if riff is not None:
            content[4:8] = struct.pack("<I", riff)
        return bytes(content)

    return make


def killed(folder: Path) -> bytes:
    """A killed recorder that used Python's wave module: the header states the size of the first block."""
    path = folder / "killed"
    with soundfile.SoundFile(folder / "IN.wav") as source, open(path, "wb") as file:
        writer = wave.open(file, "wb")  # noqa: SIM115
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        for block in source.blocks(4410, dtype="int16"):
            writer.writeframesraw(block.tobytes())
        file.flush()
        content = path.read_bytes()
        writer.close()
    path.unlink()
    return content


def with_chunk(chunk: bytes, *, before: bytes) -> Callable[[Path], bytes]:
    """The common content, with bytes inserted before a chunk, or at its end."""

    def make(folder: Path) -> bytes:
        content = (folder / "IN.wav").read_bytes()
        at = content.index(before) if before else len(content)
        return content[:at] + chunk + content[at:]

    return make


def joined(*names: str) -> Callable[[Path], bytes]:
    return lambda folder: b"".join((folder / name).read_bytes() for name in names)


def cut(name: str, share: float = 0.6) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        content = (folder / name).read_bytes()
        return content[: int(len(content) * share)]

    return make


def with_hole(name: str, filling: bytes, share: float = 0.5) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        content = (folder / name).read_bytes()
        at = int(len(content) * share)
        return content[:at] + filling + content[at + len(filling) :]

    return make


def big_endian(folder: Path) -> bytes:
    samples, _ = soundfile.read(folder / "IN.wav", dtype="int16")
    content = samples.astype(">i2").tobytes()
    form = struct.pack(">HHIIHH", 1, 2, RATE, RATE * 4, 4, 16)
    return (
        b"RIFX"
        + struct.pack(">I", 36 + len(content))
        + b"WAVEfmt \0\0\0\x10"
        + form
        + b"data"
        + struct.pack(">I", len(content))
        + content
    )


def wrong_byte_rate(folder: Path) -> bytes:
    content = bytearray((folder / "IN.wav").read_bytes())
    content[28:32] = struct.pack("<I", 16000)
    return bytes(content)


JUNK = np.random.default_rng(1).integers(0, 256, 6000, dtype=np.uint8).tobytes()
ID3 = b"ID3\x04\0\0\0\0\x02\0" + bytes(256)
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf58.29.100\0"

BROKEN: dict[str, Callable[[Path], bytes]] = {
    "sizes_zero.wav": wav(0, 0),
    "size_zero.wav": wav(0),
    "size_ffff.wav": wav(0xFFFFFFFF, 0xFFFFFFFF),
    "size_7fff.wav": wav(0x7FFFFFFF),
    "size_arecord.wav": wav(2_000_000_000, 2_000_000_036),
    "size_round.wav": wav(1_999_999_964, 2_000_000_000),
    "size_beyond.wav": wav(700_000),
    "size_killed.wav": killed,
    "rate_wrong.wav": wrong_byte_rate,
    "id3_first.wav": with_chunk(ID3, before=b"RIFF"),
    "audacity.wav": with_chunk(LIST + b"id3 " + struct.pack("<I", 256) + bytes(256), before=b""),
    "list_first.wav": with_chunk(LIST, before=b"data"),
    "list_odd.wav": with_chunk(b"LIST" + struct.pack("<I", 5) + b"INFO\0", before=b"data"),
    "long_bext.wav": with_chunk(b"bext" + struct.pack("<I", 2_000_000) + bytes(2_000_000), before=b"fmt "),
    "big_endian.wav": big_endian,
    "joined.wav": joined("IN.wav", "IN.wav"),
    "joined_rates.wav": joined("IN.wav", "alaw.wav"),
    "joined.mp3": joined("lame_pipe.mp3", "cbr.mp3"),
    "joined_three.mp3": joined("lame_tagged.mp3", "lame_t.mp3", "tagged.mp3"),
    "joined_rates.mp3": joined("cbr.mp3", "lame_low.mp3"),
    "joined_vorbis.ogg": joined("vorbis.ogg", "vorbis.ogg"),
    "joined.opus": joined("plain.opus", "opusenc.opus", "plain.opus"),
    "joined_rates.ogg": joined("vorbis.ogg", "plain.opus"),
    "joined.aac": joined("adts.aac", "adts.aac"),
    "joined.flac": joined("plain.flac", "plain.flac"),
    "cut.wav": cut("IN.wav"),
    "cut_ima.wav": cut("ima16.wav"),
    "cut.aiff": cut("sox.aiff"),
    "cut.flac": cut("plain.flac"),
    "cut.mp3": cut("lame_pipe.mp3"),
    "cut_stated.mp3": cut("lame.mp3"),
    "cut_t.mp3": cut("lame_t.mp3"),
    "cut.ogg": cut("vorbis.ogg"),
    "cut.opus": cut("plain.opus"),
    "cut.m4a": cut("phone.m4a"),
    "cut_fast.m4a": cut("fast.m4a"),
    "cut.mkv": cut("opus.mkv"),
    "cut.webm": cut("chrome.webm"),
    "cut.aac": cut("adts.aac"),
    "cut.wma": cut("windows.wma"),
    "hole.mp3": with_hole("lame_pipe.mp3", JUNK),
    "hole.flac": with_hole("plain.flac", JUNK),
    "hole.ogg": with_hole("vorbis.ogg", JUNK),
    "hole.aac": with_hole("adts.aac", JUNK),
    "late_start.mp3": lambda folder: (folder / "lame_t.mp3").read_bytes()[7000:],
    "trailing_zeros.mp3": lambda folder: (folder / "lame_t.mp3").read_bytes() + bytes(5000),
    "trailing_junk.mp3": lambda folder: (folder / "lame_t.mp3").read_bytes() + JUNK,
}
