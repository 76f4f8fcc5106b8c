"""How the event-management API authenticates, pages and says that a list is empty."""

from __future__ import annotations

import re

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_core import ApiSchema, ApiStream, Offset
from tap_events import schemas

PAGE_SIZE = 100
"""The most records that the API puts into a page."""

_NONE_FOUND = re.compile(r"no (\w+) (was |were |have been )?found\W*", re.IGNORECASE)


class EventsStream(ApiStream):
    """The event API: JSON under the resource's name, `{"pagination": [{"total": 2, …}], "events": […]}`."""

    schema = ApiSchema(SchemaDirectory(schemas))
    # How a list with nothing in it is answered is not documented but for the error below.
    null_is_empty = True
    also_called: tuple[str, ...] = ()
    """What messages may call the records besides the stream's name."""

    @property
    @override
    def records_jsonpath(self) -> str:
        """Records are under the name of the stream."""
        return f"$.{self.name}[*]"

    @override
    def get_new_paginator(self) -> Offset:
        """Offset paging; lists that the API sends whole ignore it and are recognised by that.

        `pagination` is a list of one object. Attendees, tickets and categories come without it.
        """
        return Offset(size=PAGE_SIZE, total="$.pagination[*].total")

    @override
    def is_empty_list(self, status: int, message: str) -> bool:
        """An empty list is an error with a message such as `No events found`.

        The resource's own name is in it, or that of what is above all others: "No user found" can be said of
        a key, "No HTTP resource was found" of a wrong address.
        """
        found = _NONE_FOUND.fullmatch(message)
        return status in {400, 404} and found is not None and found[1].lower() in self._own_names

    @property
    def _own_names(self) -> set[str]:
        names = {self.name, self.name.removesuffix("s"), *self.also_called}
        return {*names, "events", "event", "records", "record", "results"}
