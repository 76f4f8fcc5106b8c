"""The endpoints of the scheduling API."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core import Page
from tap_core.paging.places import ByOffset
from tap_core.paging.walk import Walk
from tap_core.records import jsonpath
from tap_core.records.codec import is_missing
from tap_scheduling.client import PAGE_SIZE, SchedulingStream, pages, strict

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tap_core import Offset

_MARKED_WITHIN = timedelta(days=14)
"""A guest is marked absent once the meeting has begun: by Cal Video at its end, by people some time later."""


class EventTypes(SchedulingStream):
    """One row per kind of meeting that can be booked with the user or with one of the user's teams."""

    name = "event_types"
    path = "/event-types"
    records_jsonpath = "$.data.eventTypeGroups[*].eventTypes[*]"
    # Only this version has the event types of teams too, and the settings that the later ones leave out.
    dated = "2024-04-15"

    @override
    def get_new_paginator(self) -> Offset:
        """Guarded against servers that page it."""
        return pages()

    @override
    def check_place(self, page: Page) -> None:
        """See that there are groups, or the plain list of later versions."""
        if not isinstance(jsonpath.place(page.document, "$.data[*]")[1], list):
            super().check_place(page)

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The event types, in groups as asked for, or in the plain list of later versions."""
        page = super().read_page(response)
        if jsonpath.find(page.document, "$.data[0]"):
            return Page(page.document, "$.data[*]", self.key_of)
        return page


class MyProfile(SchedulingStream):
    """One row: the user that the key belongs to."""

    name = "my_profile"
    path = "/me"


class Schedules(SchedulingStream):
    """One row per schedule: the hours of a week when the user can be booked, and the exceptions."""

    name = "schedules"
    path = "/schedules"
    dated = "2024-06-11"

    @override
    def get_new_paginator(self) -> Offset:
        """Guarded against servers that page it."""
        return pages()


class Calendars(SchedulingStream):
    """One row per calendar of each connected calendar account.

    A calendar that is connected through two accounts has two rows. `primary` is true or null.
    """

    name = "calendars"
    path = "/calendars"
    primary_keys = ("credentialId", "externalId")
    records_jsonpath = "$.data.connectedCalendars[*].calendars[*]"

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The calendars; an account that can't be reached has an `error` in their place.

        A calendar without `credentialId` has that of its account, one level above.
        """
        page = super().read_page(response)
        accounts = jsonpath.find(page.document, "$.data.connectedCalendars[*]")
        page.replace_records([calendar for account in accounts for calendar in _calendars(account)])
        if broken := jsonpath.find(page.document, "$.data.connectedCalendars[*].error.message"):
            self.logger.warning(
                "calendars: %d connected accounts can't be reached, and their calendars are missing: "
                "connect them again in the account's settings",
                len(broken),
            )
        return page


class Bookings(SchedulingStream):
    """One row per booking, whatever its status; `duration` is in minutes.

    Seated bookings have their form's answers with each of the attendees. `updatedAt` can be null; such
    rows have no place in time, and come only where all bookings are read, on a first run without
    `start_date`, and when their meeting has been. Changes of a booking move `updatedAt`, but for one: that a
    guest did not come (`attendees[].absent`) is seen if it is marked within two weeks of the meeting.
    """

    name = "bookings"
    path = "/bookings"
    replication_key = "updatedAt"
    dated = "2024-08-13"
    # `updatedAt` is set when a change begins, and is seen by others when it is done.
    lookback = 60
    # Bookings keep their places in this order when they are changed during the run.
    params = {"sortCreated": "asc"}

    @override
    def since(self, start: datetime) -> dict[str, Any]:
        """Changed bookings by the time of the change; of two orders, only the other would count."""
        return {"afterUpdatedAt": strict(start), "sortUpdatedAt": "asc", "sortCreated": None}

    @override
    def late_changes(self, start: datetime) -> Iterator[Walk]:
        """The meetings since the last run and those not long before it: guests may be marked absent."""
        since, until = start - _MARKED_WITHIN, datetime.now(timezone.utc)
        held = {"afterStart": strict(since), "beforeEnd": strict(until), "sortStart": "asc"}
        # Of two orders only the first would count.
        changed = dict.fromkeys(("afterUpdatedAt", "sortUpdatedAt", "sortCreated"))
        yield Walk(ByOffset("skip", "take", {**changed, **held}), size=PAGE_SIZE, order="start")

    @override
    def check_place(self, page: Page) -> None:
        """See that it is not an answer of the newest version, which pages by cursor and ignores `skip`."""
        if page.find("$.pagination.nextCursor"):
            raise self.another_version("pagination.nextCursor")
        super().check_place(page)

    @override
    def get_new_paginator(self) -> Offset:
        """The total tells how many bookings there are, whatever the filter: it ends only the whole list."""
        if self.lower_bound:
            return pages(order="updatedAt")
        return pages(order="createdAt", total="$.pagination.totalItems")


class Conferencing(SchedulingStream):
    """One row per video app that the user has connected; the built-in one is not among them."""

    name = "conferencing"
    path = "/conferencing"
    secrets = ("key",)
    """Older servers send the app's credentials in it."""


def _calendars(account: Any) -> Iterator[Any]:
    credential = jsonpath.first(account, "$.credentialId")
    for calendar in jsonpath.find(account, "$.calendars[*]"):
        if credential is None or not is_missing(jsonpath.first(calendar, "$.credentialId")):
            yield calendar
        else:
            row = jsonpath.decode(calendar)
            yield {**row, "credentialId": credential} if isinstance(row, dict) else row
