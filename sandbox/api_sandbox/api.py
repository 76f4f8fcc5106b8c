"""The parts that an API module is made of: a table of routes over a table of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from starlette.datastructures import Headers, QueryParams
    from starlette.requests import Request

    from api_sandbox.paging import Paging

SANDBOX_KEY = "sandbox-key"
"""The one key that every API of the sandbox accepts."""

# A Decimal in a row is sent as the number with exactly its digits; msgspec.Raw is sent byte for byte.
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Reply:
    """What a handler answers: an object to be sent as JSON, or bytes to be sent as they are."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The body as it goes over the wire."""
        return self.body if isinstance(self.body, bytes) else _encoder.encode(self.body)


@dataclass(frozen=True)
class Call:
    """One authorised request to one API, as its handler sees it."""

    request: Request
    tables: Any
    """The rows of this API, by resource."""
    paging: Paging
    """Cuts pages out of lists; injected faults may make it cut wrongly."""

    @property
    def path(self) -> Mapping[str, str]:
        """The variable parts of the path, decoded."""
        return self.request.path_params

    @property
    def query(self) -> QueryParams:
        """The query's parameters; ``getlist`` gives those that were sent more than once."""
        return self.request.query_params

    def integer(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """A query parameter as a number, silently clamped; the default where there is none."""
        try:
            number = max(least, int(self.query[name]))
        except (KeyError, ValueError):
            return default
        return number if most is None else min(number, most)


@dataclass(frozen=True, eq=False)
class Api:
    """One API: served under its name, with its own rows, routes, credentials and shape of errors."""

    name: str
    generate: Callable[[Random], Any]
    """Makes the rows by chance: resource -> rows, or resource -> parent's key -> rows."""
    routes: Mapping[str, Callable[[Call], Reply]]
    """Path below the name -> handler."""
    authorized: Callable[[Headers], bool]
    error: Callable[[int, str], Reply]
    """Puts a status and a text into this API's shape of an error."""

    @property
    def prefix(self) -> str:
        """Where the API is mounted."""
        return f"/{self.name}"
