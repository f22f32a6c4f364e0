"""JSON and TOML from strangers: only a ValueError comes out, whatever the nesting and the numbers."""

from pathlib import Path

import pytest

from vad.corpus.manifest import read_corpus
from vad.detection.model import Model
from vad.errors import LabelError, ModelError, VadError
from vad.json_text import parse_json, parse_toml, read_json
from vad.labels import loads

HOSTILE = ["1" * 400, "1" * 5000, "[" * 100_000, '{"a":' * 100_000]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits|nested"):
        parse_json(text)


def test_hostile_options_are_a_value_error() -> None:
    with pytest.raises(ValueError, match="digits"):
        parse_toml(f"a = {HOSTILE[1]}")
    with pytest.raises(ValueError, match="nested"):
        parse_toml(f"a = {HOSTILE[2]}")


@pytest.mark.parametrize("value", HOSTILE)
def test_each_reader_has_one_line_about_it(tmp_path: Path, value: str) -> None:
    row = f'{{"audio_filepath": "a.wav", "kind": "speech", "duration": {value}}}'
    (tmp_path / "manifest.jsonl").write_text(row)
    with pytest.raises(LabelError, match=r"manifest\.jsonl:1"):
        read_corpus(tmp_path)
    for name in ("json", "jsonl"):
        with pytest.raises(LabelError):
            loads(f'{{"duration": {value}, "segments": [{{"start": 0, "end": 1}}]}}', name)
    (tmp_path / "model.tflite").touch()
    (tmp_path / "model.json").write_text(value if value[0] in "[{" else f'{{"delay_frames": {value}}}')
    with pytest.raises(ModelError, match="is not JSON"):
        Model.load(tmp_path / "model.tflite")
    with pytest.raises(VadError, match=r"cannot read .*model\.json.*Again\."):
        read_json(tmp_path / "model.json", ModelError, "Again.")
