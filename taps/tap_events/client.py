"""How the event-management API authenticates, pages and says that a list is empty."""

from __future__ import annotations

import re

from singer_sdk.schema.source import SchemaDirectory

from tap_core.paging.offset import Offset
from tap_core.stream import ApiSchema, ApiStream
from tap_events import schemas

PAGE_SIZE = 100
"""The most records that the API puts into a page."""

_EMPTY = re.compile(r"\bno\b.*\bfound\b", re.IGNORECASE)


class EventsStream(ApiStream):
    """The event API: JSON under the resource's name, `{"pagination": [{"total": 2, …}], "events": […]}`."""

    schema = ApiSchema(SchemaDirectory(schemas))

    @property
    def records_jsonpath(self) -> str:
        """Records are under the name of the stream."""
        return f"$.{self.name}[*]"

    def get_new_paginator(self) -> Offset:
        """Offset paging; lists that the API sends whole ignore it and are recognised by that.

        `pagination` is a list of one object. Attendees, tickets and categories come without it.
        """
        return Offset(size=PAGE_SIZE, total="$.pagination[*].total")

    def is_empty_list(self, status: int, message: str) -> bool:
        """An empty list is an error with a message such as `No events found`."""
        return status in {400, 404} and _EMPTY.search(message) is not None
