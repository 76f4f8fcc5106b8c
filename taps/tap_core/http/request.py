"""A request before it is sent: what is asked for, and what tells it apart from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
