"""A request before it is sent: what is asked for, and what tells it apart from others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from tap_core.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping


class Request(NamedTuple):
    """A GET; two that are equal have one answer, whichever stream asks."""

    url: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def key(self) -> Hashable:
        """What tells the request apart: URL, query and headers."""
        params = tuple(sorted((name, str(value)) for name, value in self.params.items()))
        return self.url, params, tuple(sorted(self.headers.items()))


def fill_path(path: str, values: Mapping[str, Any], stream: str) -> str:
    """A path with each `{name}` filled in.

    Args:
        path: As the stream has it.
        values: The ids of its parents, by name.
        stream: The stream's name, for messages.

    Raises:
        ApiError: There is no value for a name, or one that makes no path.
    """
    for name in re.findall(r"\{(\w+)\}", path):
        if name not in values:
            raise ApiError(f"{stream}: nothing gives `{name}` of its path {path}")
        path = path.replace(f"{{{name}}}", segment(values[name]))
    return path


def segment(value: Any) -> str:
    """A value as one segment of a path; it is quoted, so that it can't lead elsewhere.

    Raises:
        ApiError: It makes none.
    """
    try:
        text = quote(str(value), safe="")
    except UnicodeEncodeError:  # half a character
        text = ""
    if text in {"", ".", ".."}:
        msg = f"The API sent {str(value)!r} as an id, which makes no path"
        raise ApiError(msg)
    return text
