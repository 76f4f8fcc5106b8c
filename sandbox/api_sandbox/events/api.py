"""The events API: an API key in a header, offset and limit, errors in the place of empty lists.

The rows: ``data["events"]`` has ``events``, ``categories`` and ``users`` as lists, and ``attendees``,
``tickets``, ``donations`` and ``transactions`` as lists by the event's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_sandbox.api import SANDBOX_KEY, Api, Reply
from api_sandbox.events.data import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.datastructures import Headers

    from api_sandbox.api import Call

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100


def _error(status: int, message: str) -> Reply:
    return Reply({"message": message}, status)


def _authorized(headers: Headers) -> bool:
    return SANDBOX_KEY in {headers.get("x-api-key"), headers.get("api_key")}


def _nothing(name: str) -> Reply:
    """An empty list, and an offset past a list's end, are an error."""
    return _error(404, f"No {name} found")


def _paged(call: Call, name: str, rows: Sequence[dict[str, Any]], *, pagination: bool = True) -> Reply:
    """One page of a list; a limit above the maximum is lowered in silence."""
    start = call.integer("offset", 0)
    page = call.paging.by_offset(rows, start, call.integer("limit", _DEFAULT_LIMIT, least=1, most=_MAX_LIMIT))
    if not page.rows and not page.emptied:
        return _nothing(name)
    body: dict[str, Any] = {name: page.rows}
    if pagination:
        # One object inside of a list: so it is recorded from the real service.
        body = {"pagination": [{"offset": page.start, "limit": page.size, "total": page.total}], **body}
    return Reply(body)


def _events(call: Call) -> Reply:
    """All events, or those of a status (lower case) or a category."""
    rows = call.tables["events"]
    status, category = call.query.get("status"), call.query.get("category")
    if status:
        rows = [row for row in rows if (row["status"] or "").lower() == status]
    if category:
        rows = [row for row in rows if category in (row["categories"] or "").split(",")]
    return _paged(call, "events", rows)


def _users(call: Call) -> Reply:
    return _paged(call, "users", call.tables["users"])


def _categories(call: Call) -> Reply:
    """The whole list, whatever page is asked for."""
    return Reply({"categories": call.tables["categories"]})


def _of_event(handler: Callable[[Call, int], Reply]) -> Callable[[Call], Reply]:
    """A handler of a path below an event, which must exist."""

    def checked(call: Call) -> Reply:
        event_id = call.path["event_id"]
        if not any(str(event["id"]) == event_id for event in call.tables["events"]):
            return _error(404, f"Event {event_id} does not exist")
        return handler(call, int(event_id))

    return checked


@_of_event
def _event(call: Call, event_id: int) -> Reply:
    return Reply({"events": [event for event in call.tables["events"] if event["id"] == event_id]})


@_of_event
def _attendees(call: Call, event_id: int) -> Reply:
    """Pages without a word about pagination."""
    return _paged(call, "attendees", call.tables["attendees"].get(event_id, []), pagination=False)


@_of_event
def _tickets(call: Call, event_id: int) -> Reply:
    """The whole list, whatever page is asked for, and the event's donations beside it."""
    tickets, donations = (call.tables[name].get(event_id, []) for name in ("tickets", "donations"))
    if not tickets and not donations:
        return _nothing("tickets")
    return Reply({"tickets": tickets, "donation": donations})


@_of_event
def _transactions(call: Call, event_id: int) -> Reply:
    return _paged(call, "transactions", call.tables["transactions"].get(event_id, []))


def _user(call: Call) -> Reply:
    user = [row for row in call.tables["users"] if str(row["id"]) == call.path["user_id"]]
    return Reply({"user": user}) if user else _error(404, "No user found")


_ROUTES = {
    "/events": _events,
    "/events/{event_id}": _event,
    "/events/{event_id}/attendees": _attendees,
    "/events/{event_id}/tickets": _tickets,
    "/events/{event_id}/transactions": _transactions,
    "/categories": _categories,
    "/users": _users,
    "/users/{user_id}": _user,
}

API = Api(
    name="events",
    generate=generate,
    # The brief calls it v1, the vendor v2.
    routes={f"/{version}{path}": handler for version in ("v1", "v2") for path, handler in _ROUTES.items()},
    authorized=_authorized,
    error=_error,
)
