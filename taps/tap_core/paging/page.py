"""One page of a list: what one response held."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_core.records import jsonpath

if TYPE_CHECKING:
    from collections.abc import Callable


class Page:
    """Undecoded records of one response, and the rest of its envelope.

    Args:
        document: The parsed response body; None for a list that the API says is empty.
        records_path: JSONPath of the records.
        key_of: Reads from a record what tells it apart from the others in its list.
    """

    def __init__(self, document: Any, records_path: str, key_of: Callable[[Any], Any]) -> None:
        self.records = jsonpath.find(document, records_path)
        self.time_extracted = datetime.now(timezone.utc)
        self.document = document
        """The whole envelope, undecoded."""
        self._key_of = key_of

    @cached_property
    def keys(self) -> list[Any]:
        """What tells each record apart, in the order of the records."""
        return [self._key_of(record) for record in self.records]

    def release(self) -> None:
        """Let go of the response body."""
        self.records = []
        self.document = None

    def find(self, path: str | None) -> Any:
        """The first value at a JSONPath of the envelope, or None."""
        return jsonpath.first(self.document, path) if path else None

    def total(self, path: str | None) -> int | None:
        """The number of records that the API says the whole list has, if it says so."""
        value = self.find(path)
        if isinstance(value, str) and value.isdigit():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None
