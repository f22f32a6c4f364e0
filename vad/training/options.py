"""Values from a file or a command line, checked against the types of a dataclass's fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from vad.errors import ConfigError, require_number
from vad.json_text import parse_json, parse_toml

__all__ = ["option_types", "parse_setting", "read_options", "typed"]

_TYPES: dict[type, tuple[str, tuple[type, ...]]] = {
    bool: ("true or false", (bool,)),
    str: ("a string", (str,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
}


def option_types(cls: type) -> dict[str, Any]:
    """The types of a dataclass's init fields, by name."""
    hints = get_type_hints(cls)
    return {one.name: hints[one.name] for one in fields(cls) if one.init}


def typed(value: Any, hint: Any, name: str) -> Any:
    """Converts a value to its field's type: lists to tuples, whole numbers to floats where a float is meant.

    Args:
        value: The value.
        hint: The field's type: bool, str, int, float or a tuple of these.
        name: The option's name in messages.

    Raises:
        ConfigError: The value is of another type.
    """
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        length = None if kinds[-1] is Ellipsis else len(kinds)
        if not isinstance(value, list | tuple) or length not in (None, len(value)):
            numbers = "numbers" if length is None else f"{length} numbers"
            raise ConfigError(f"{name} must be a list of {numbers}. Received: {name}={value!r}.")
        return tuple(typed(item, kinds[0], f"{name}[{place}]") for place, item in enumerate(value))
    described, accepted = _TYPES[hint]
    if not isinstance(value, accepted) or isinstance(value, bool) != (hint is bool):
        raise ConfigError(f"{name} must be {described}. Received: {name}={value!r}.")
    return require_number(name, value) if hint is float else hint(value)


def parse_setting(text: str) -> tuple[str, Any]:
    """Reads ``name=value`` with a TOML value; a bare word is a string.

    Raises:
        ConfigError: There is no ``=``.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set must be name=value, such as network.frame_ms=30. Received: {text!r}.")
    try:
        return name.strip(), parse_toml(f"value = {value}")["value"]
    except ValueError:
        return name.strip(), value.strip()


def read_options(path: Path) -> Mapping[str, Any]:
    """Reads a TOML file, or a run's config.json, with its tables as they are.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = parse_json(text) if path.suffix == ".json" else parse_toml(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"cannot read the configuration {path}: {reason}. It must be a TOML file."
        ) from error
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"A configuration must hold names and values. Received: {path}, a {type(values).__name__}."
        )
    return values
