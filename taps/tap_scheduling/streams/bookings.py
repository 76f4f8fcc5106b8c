"""The endpoints of bookings: the user's, with who attends them, a team's, and the organization's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_core.paging.places import ByOffset
from tap_core.paging.walk import Walk
from tap_scheduling.client import (
    MILLISECOND,
    PAGE_SIZE,
    TOTAL,
    OrganizationStream,
    SchedulingStream,
    TeamStream,
    pages,
    utc_milliseconds,
)
from tap_scheduling.streams.teams import Teams
from tap_scheduling.streams.user import MyProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_core import Offset, Page

_MARKED_WITHIN = timedelta(days=14)
"""A guest is marked absent once the meeting has begun: by Cal Video at its end, by people some time later."""


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
    cal_api_version = "2024-08-13"
    # `updatedAt` is set when a change begins, and is seen by others when it is done.
    lookback = 60
    # Bookings keep their places in this order when they are changed during the run.
    params = {"sortCreated": "asc"}
    child_keys = {"bookingUid": "uid"}
    filters: ClassVar[Sequence[str]] = (
        *("status", "attendeeEmail", "attendeeName", "bookingUid"),
        *("eventTypeId", "eventTypeIds", "teamId", "teamsIds"),
        *("afterCreatedAt", "beforeCreatedAt"),
    )

    @override
    def since(self, start: datetime) -> dict[str, Any]:
        """Changed bookings by the time of the change; of two orders, only the other would count."""
        return {"afterUpdatedAt": utc_milliseconds(start), "sortUpdatedAt": "asc", "sortCreated": None}

    @override
    def until(self, end: datetime) -> dict[str, Any]:
        """Bookings that were changed no later; the bound is inclusive."""
        return {"beforeUpdatedAt": utc_milliseconds(end + MILLISECOND)}

    @override
    def late_changes(self, start: datetime) -> Iterator[Walk]:
        """The meetings since the last run and those not long before it: guests may be marked absent."""
        since, until = start - _MARKED_WITHIN, datetime.now(timezone.utc)
        held = {
            "afterStart": utc_milliseconds(since),
            "beforeEnd": utc_milliseconds(until),
            "sortStart": "asc",
        }
        # Of two orders only the first would count.
        changed = dict.fromkeys(("afterUpdatedAt", "beforeUpdatedAt", "sortUpdatedAt", "sortCreated"))
        yield Walk(ByOffset("skip", "take", {**changed, **held}), size=PAGE_SIZE, order="start")

    @override
    def check_envelope(self, page: Page) -> None:
        """See that it is not an answer of the newest version, which pages by cursor and ignores `skip`."""
        if page.find("$.pagination.nextCursor"):
            raise self.another_version("pagination.nextCursor")
        super().check_envelope(page)

    @override
    def get_new_paginator(self) -> Offset:
        """The total tells how many bookings there are, whatever the filter: it ends only the whole list."""
        start, end = self.bounds
        if start:
            return pages(order="updatedAt")
        return pages(order="createdAt", total=None if end else TOTAL)


class BookingAttendees(SchedulingStream):
    """One row per attendee of a booking, with an id: the one thing that `bookings.attendees` lacks.

    A request per booking; asked for the bookings that a run reads, those of late changes included.
    """

    name = "booking_attendees"
    path = "/bookings/{bookingUid}/attendees"
    cal_api_version = "2024-08-13"
    parent_stream_type = Bookings
    selected_by_default = False


class TeamBookings(TeamStream):
    """One row per booking of a team: the rows of `bookings`, and which team each is of.

    The list knows no filter by change, so it is read whole. It is for the team's administrators only.
    """

    name = "team_bookings"
    path = "/teams/{teamId}/bookings"
    primary_keys = ("teamId", "id")
    cal_api_version = "2024-08-13"
    params = {"sortCreated": "asc"}
    filters = (
        *("status", "attendeeEmail", "attendeeName", "bookingUid"),
        *("eventTypeId", "eventTypeIds", "afterStart", "beforeEnd"),
    )
    parent_stream_type = Teams
    selected_by_default = False
    total_counts_hidden = True
    """Bookings that were deleted since are left out of their pages, and counted."""

    @override
    def get_new_paginator(self) -> Offset:
        """The total counts all bookings of the team."""
        return pages(order="createdAt", total=TOTAL)


class OrganizationBookings(OrganizationStream, Bookings):
    """One row per booking of the organization, of all its users; in all else as `bookings`."""

    name = "organization_bookings"
    path = "/organizations/{orgId}/bookings"
    filters = (*Bookings.filters, "userIds")
    parent_stream_type = MyProfile
    child_keys: ClassVar[dict[str, str]] = {}  # attendees are asked for below `bookings` alone
