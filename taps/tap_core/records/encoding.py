"""Records as JSON, with every digit, and nested as deep as they could be read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.json import serialize_json

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEVELS = 100
_encoder = msgspec.json.Encoder(decimal_format="number")


def json_lines(values: Iterable[Any]) -> bytes:
    """A line of JSON for each value: dicts, structs, and what is in them.

    Raises:
        UnicodeEncodeError: A text holds half a character, which JSON can have as an escape and UTF-8 cannot.
    """
    try:
        return _encoder.encode_lines(values)
    except RecursionError:  # nested as deep as could just be read, and one level deeper here
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + _LEVELS)
        try:
            return _encoder.encode_lines(values)
        finally:
            sys.setrecursionlimit(limit)


def as_json(value: Any) -> str:
    """A value as JSON; half a character is written as its escape."""
    try:
        return json_lines([value]).decode().rstrip()
    except UnicodeEncodeError:
        return serialize_json(value)
