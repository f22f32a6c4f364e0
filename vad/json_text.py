"""Write JSON, with null for the numbers that JSON does not have (nan, infinity). Read JSON and TOML of any origin."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vad.errors import VadError

__all__ = ["json_text", "parse_json", "parse_toml", "read_json"]

_MAX_DIGITS = 300  # more than that is no float, and thousands take Python long


def json_text(value: Any, *, digits: int | None = None, **settings: Any) -> str:
    """Write a value as JSON.

    Args:
        value: As for `json.dumps`.
        digits: Decimals to round to; None keeps all.
        settings: Of `json.dumps`.
    """
    return json.dumps(_finite(value, digits), allow_nan=False, **settings)


def _finite(value: Any, digits: int | None) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one, digits) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one, digits) for one in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else round(value, digits)
    return value


def parse_json(text: str) -> Any:
    """Read JSON. Its whole numbers have at most 300 digits, so each is a float too.

    Raises:
        ValueError: It is not well-formed, nested too deeply, or has a longer number.
    """
    return _parse(lambda: json.loads(text, parse_int=_whole_number))


def parse_toml(text: str) -> dict[str, Any]:
    """Read TOML.

    Raises:
        ValueError: It is not well-formed, nested too deeply, or has a number of thousands of digits.
    """
    import tomllib  # here: most commands need none

    values: dict[str, Any] = _parse(lambda: tomllib.loads(text))
    return values


def read_json(path: Path, error: type[VadError], remedy: str) -> Any:
    """Read a JSON file, or raise this error, whose message ends with the remedy."""
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as caught:
        reason = getattr(caught, "strerror", None) or caught
        raise error(f"cannot read {path}: {reason}. {remedy}") from caught


def _parse(parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply") from error


def _whole_number(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)
