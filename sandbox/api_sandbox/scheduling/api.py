"""The scheduling API: a bearer token, a version for each endpoint in a header, bookings by skip and take.

It knows the versions of the open-source server, which are older than the hosted service's newest.

The rows: ``data["scheduling"]`` has ``me`` (one row), ``teams``, ``event_types``, ``schedules``,
``connections`` (calendar accounts), ``calendars``, ``conferencing`` and ``bookings`` as lists, ``deleted``,
the ids of bookings that have a place in their page and are not sent, and the tables of ``extras``.
"""

from __future__ import annotations

import random
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api_sandbox.api import SANDBOX_KEY, Api
from api_sandbox.scheduling.answers import NOW, error, later_event_type, success
from api_sandbox.scheduling.data import generate
from api_sandbox.scheduling.organization import ROUTES as ORGANIZATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.datastructures import Headers

    from api_sandbox.api import Call, Reply

Row = dict[str, Any]

_OLDEST = "2024-04-15"
_GROUPED = {_OLDEST, "2024-06-11"}
_VERSIONS = {_OLDEST, "2024-06-11", "2024-06-14", "2024-08-13", "2024-09-04"}
_TAKE, _MOST = 100, 250
_STRICT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)")

_SORTS = {"sortStart": "start", "sortEnd": "end", "sortCreated": "createdAt", "sortUpdatedAt": "updatedAt"}
"""By the order in which they count: only the first that is sent does."""

_BOUNDS: dict[str, tuple[str, bool, bool]] = {
    "afterStart": ("start", True, True),
    "beforeEnd": ("end", False, True),
    "afterUpdatedAt": ("updatedAt", True, False),
    "beforeUpdatedAt": ("updatedAt", False, False),
    "afterCreatedAt": ("createdAt", True, False),
    "beforeCreatedAt": ("createdAt", False, False),
}
"""Parameter -> field, whether it is a lower bound, whether the total knows of it."""

_STATUSES: dict[str, Callable[[Row], bool]] = {
    "upcoming": lambda row: row["end"] >= NOW and row["status"] == "accepted",
    "recurring": lambda row: row["end"] >= NOW and "recurringBookingUid" in row,
    "past": lambda row: row["end"] < NOW and row["status"] not in {"cancelled", "rejected"},
    "cancelled": lambda row: row["status"] in {"cancelled", "rejected"},
    "unconfirmed": lambda row: row["status"] == "pending",
}


def _authorized(headers: Headers) -> bool:
    return headers.get("authorization") == f"Bearer {SANDBOX_KEY}"


def _version(call: Call) -> str:
    """The version that is asked for; one that the server does not know is the oldest."""
    version = call.request.headers.get("cal-api-version", "")
    return version if version in _VERSIONS else _OLDEST


def _no_route(call: Call) -> Reply:
    """A path has no route in the other versions."""
    return error(404, f"Cannot GET {call.request.url.path}")


def _event_types(call: Call) -> Reply:
    """In groups, the user's own first; or in later versions those of the user, in another shape."""
    rows, version = call.tables["event_types"], _version(call)
    if version == "2024-06-14":
        return success([_public(row, call.tables["me"][0]) for row in rows if row["teamId"] is None])
    if version not in _GROUPED:
        return _no_route(call)
    groups = [
        {"teamId": team, "eventTypes": [row for row in rows if row["teamId"] == team]}
        for team in (None, *(team["id"] for team in call.tables["teams"]))
    ]
    return success({"eventTypeGroups": groups, "profiles": [], "allUsersAcrossAllEventTypes": {}})


def _public(row: Row, user: Row) -> Row:
    """An event type as later versions have it."""
    return {
        **later_event_type(row),
        "ownerId": user["id"],
        "bookingUrl": "",
        "users": [{**{name: user[name] for name in ("id", "name", "username", "weekStart")}, "metadata": {}}],
        "bookingWindow": {"disabled": True},
    }


def _me(call: Call) -> Reply:
    return success(call.tables["me"][0])


def _schedules(call: Call) -> Reply:
    version = _version(call)
    if version == _OLDEST:
        shown = ("id", "name", "timeZone", "isDefault")
        return success([{name: row[name] for name in shown} for row in call.tables["schedules"]])
    if version not in {"2024-06-11", "2024-06-14"}:
        return _no_route(call)
    return success(call.tables["schedules"])


def _calendars(call: Call) -> Reply:
    """By the account that they are of; one that is broken has no list."""
    connections = []
    for connection in call.tables["connections"]:
        credential = connection["credentialId"]
        calendars = [row for row in call.tables["calendars"] if row["credentialId"] == credential]
        connections.append(connection if "error" in connection else {**connection, "calendars": calendars})
    return success({"connectedCalendars": connections, "destinationCalendar": {}})


def _conferencing(call: Call) -> Reply:
    return success(call.tables["conferencing"])


def _bookings(call: Call) -> Reply:
    """A page of bookings; without the right version the answer has another shape."""
    if _version(call) == "2024-09-04":
        return _no_route(call)
    if _version(call) != "2024-08-13":
        rows = [row for row in call.tables["bookings"] if _STATUSES["upcoming"](row)]
        return success({"bookings": rows[:10], "recurringInfo": [], "totalCount": len(rows)})
    if refusal := _refusal(call):
        return error(400, refusal)
    return _page_of_bookings(call, call.tables["bookings"])


def _page_of_bookings(call: Call, rows: list[Row]) -> Reply:
    counted = [row for row in rows if _matches(call, row, counted=True)]
    found = [row for row in counted if _matches(call, row, counted=False)]
    skip, take = int(call.query.get("skip", 0)), int(call.query.get("take", _TAKE))
    page = call.paging.by_offset(_sorted(call, found), skip, take)
    # As in the server's code: filters by creation and change are no part of the count.
    total = len(counted) + page.total - len(found)
    deleted = set(call.tables["deleted"])
    return success(
        [row for row in page.rows if row["id"] not in deleted],
        pagination={
            "totalItems": total,
            "remainingItems": max(0, total - page.start - page.size),
            "returnedItems": max(0, min(page.size, total - page.start)),
            "itemsPerPage": page.size,
            "currentPage": page.start // page.size + 1 if total and page.size else 0,
            "totalPages": -(-total // page.size) if page.size else 0,
            "hasNextPage": not call.paging.whole and page.start + page.size < total,
            "hasPreviousPage": page.start > 0,
        },
    )


def _organization_bookings(call: Call) -> Reply:
    """All users' bookings, of which the sandbox has those of one."""
    if call.path["org_id"] != str(call.tables["me"][0]["organizationId"]):
        return error(403, "You are no admin of this organization")
    return _bookings(call)


def _team_bookings(call: Call) -> Reply:
    """The bookings of a team; the list knows no filter by creation or change."""
    if _version(call) != "2024-08-13":
        return _no_route(call)
    team = [row["id"] for row in call.tables["event_types"] if str(row["teamId"]) == call.path["team_id"]]
    return _page_of_bookings(call, [row for row in call.tables["bookings"] if row["eventTypeId"] in team])


def _attendees(call: Call) -> Reply:
    """Who attends a booking, each with an id."""
    uid = call.path["uid"]
    booking = next((row for row in call.tables["bookings"] if row["uid"] == uid), None)
    if _version(call) != "2024-08-13":
        return _no_route(call)
    if booking is None:
        return error(404, f"Booking with uid={uid} was not found in the database")
    return success(attendees(booking))


def attendees(booking: Row) -> list[Row]:
    """The attendees of a booking as their own list has them."""
    shown = ("name", "email", "displayEmail", "timeZone", "language", "absent", "phoneNumber")
    return [
        {
            "id": booking["id"] * 10 + place,
            "bookingId": booking["id"],
            **{name: row[name] for name in shown if name in row},
        }
        for place, row in enumerate(booking["attendees"])
    ]


def _refusal(call: Call) -> str:
    """What is wrong with the parameters."""
    for name, least, most in (("take", 1, _MOST), ("skip", 0, None)):
        value = call.query.get(name, str(least))
        if not value.isdigit() or int(value) < least or (most and int(value) > most):
            return f"{name} must be a number from {least} to {most or 'any'}"
    for name in _BOUNDS:
        if name in call.query and not _STRICT.fullmatch(call.query[name]):
            return f"{name} must be a valid ISO 8601 date string"
    unknown = set(filter(None, call.query.get("status", "").split(","))) - _STATUSES.keys()
    return f"status has no value {unknown.pop()}" if unknown else ""


def _matches(call: Call, row: Row, *, counted: bool) -> bool:
    """Whether a booking passes the filters that the total knows of, or those that it does not."""
    for name, (field, lower, known) in _BOUNDS.items():
        if (
            name in call.query
            and known == counted
            and not _bounded(row[field], call.query[name], lower=lower)
        ):
            return False
    statuses = [status for status in call.query.get("status", "").split(",") if status]
    return not statuses or any(_STATUSES[status](row) for status in statuses)


def _bounded(value: str | None, bound: str, *, lower: bool) -> bool:
    """Inclusive; null is neither before nor after anything."""
    if value is None:
        return False
    moment, limit = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (value, bound))
    return moment >= limit if lower else moment <= limit


def _sorted(call: Call, rows: list[Row]) -> list[Row]:
    """In the order asked for, nulls last; equal ones come in another order in every request."""
    name = next((name for name in _SORTS if name in call.query), "sortStart")
    field, chance = _SORTS[name], random.Random(str(call.query))  # noqa: S311
    rows = sorted(rows, key=lambda row: (row[field] is None, row[field] or "", chance.random()))
    return rows[::-1] if call.query.get(name) == "desc" else rows


_ROUTES = {
    "/event-types": _event_types,
    "/me": _me,
    "/schedules": _schedules,
    "/calendars": _calendars,
    "/bookings": _bookings,
    "/conferencing": _conferencing,
    "/bookings/{uid}/attendees": _attendees,
    "/teams/{team_id}/bookings": _team_bookings,
    "/organizations/{org_id}/bookings": _organization_bookings,
    **ORGANIZATION,
}

API = Api(
    name="scheduling",
    generate=generate,
    # The brief calls it v1, the vendor v2.
    routes={f"/{version}{path}": handler for version in ("v1", "v2") for path, handler in _ROUTES.items()},
    authorized=_authorized,
    error=error,
)
