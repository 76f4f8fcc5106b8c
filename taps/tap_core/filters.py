"""The setting `filters`: the API's own filters that users set for a stream."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import typing as th

from tap_core.redaction import brief

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def filters_setting() -> th.Property[Any]:
    """The setting."""
    return th.Property(
        "filters",
        th.ObjectType(),
        title="Filters",
        description="Query parameters, per stream, that the API uses to leave rows out; the tap's page lists "
        "them. Filtered streams and their children never report deleted rows. Changing a filter re-reads the "
        "stream from the start.",
    )


def filter_errors(given: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is wrong with the setting; no line quotes a value, which can be personal data.

    Args:
        given: The setting, an object.
        known: The parameters that each stream of the tap can be given.
    """
    filtered = ", ".join(sorted(name for name, names in known.items() if names)) or "none"
    for stream, params in given.items():
        names = known.get(stream, ())
        if not names:
            yield f"filters: `{brief(stream)}` is no stream that can be filtered: there are {filtered}"
        elif not isinstance(params, dict):
            yield f"filters.{stream} must be an object of the API's parameters: there are {', '.join(names)}"
        else:
            yield from _param_errors(stream, params, names)


def _param_errors(stream: str, params: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    for name, value in params.items():
        values = value if isinstance(value, list) and value else [value]
        if name not in names:
            yield f"filters.{stream}: `{brief(name)}` can't be set: there are {', '.join(names)}"
        elif not all(isinstance(one, (str, int, float)) for one in values):
            yield f"filters.{stream}.{name} must be a text, a number, true or false, or a list of these"


def as_params(given: Mapping[str, Any]) -> dict[str, Any]:
    """The filters of a stream as its query has them: lists with commas, or repeated for a name with `[]`."""
    params: dict[str, Any] = {}
    for name, value in given.items():
        texts = [_text(one) for one in (value if isinstance(value, list) else [value])]
        params[name] = texts if name.endswith("[]") else ",".join(texts)
    return params


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def digest(filters: Mapping[str, Any]) -> str | None:
    """What tells the filters of some streams apart from others; None for no filter."""
    text = msgspec.json.encode(filters, order="sorted")
    return hashlib.sha256(text).hexdigest()[:16] if filters else None
