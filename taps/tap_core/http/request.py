"""A request before it is sent: what is asked for, and what tells it apart from others."""

from __future__ import annotations

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


def segment(value: Any) -> str:
    """A value as one segment of a path.

    Raises:
        ApiError: It makes none.
    """
    text = quote(str(value), safe="")
    if text in {"", ".", ".."}:
        msg = f"The API sent {str(value)!r} as an id, which makes no path"
        raise ApiError(msg)
    return text
