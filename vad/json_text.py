"""Write JSON, with null for the numbers that JSON does not have (nan, infinity)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["json_text"]


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
