"""JSON as this package writes it: what has no number in JSON (nan, infinity) is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["json_text"]


def json_text(value: Any, *, digits: int | None = None, **settings: Any) -> str:
    """Writes JSON that every reader takes.

    Args:
        value: What `json.dumps` takes.
        digits: Decimals that numbers are rounded to; None keeps all.
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
