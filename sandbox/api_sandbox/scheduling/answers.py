"""The envelopes of the scheduling API, and a shape that several of its lists share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_sandbox.api import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api_sandbox.api import Call

NOW = "2026-01-15T00:00:00.000Z"
_DEFAULT, _MOST = 250, 250


def error(status: int, message: str) -> Reply:
    """A refusal, with the name of an exception."""
    code = {400: "BadRequestException", 401: "UnauthorizedException", 404: "NotFoundException"}
    found = {"code": code.get(status, "INTERNAL_SERVER_ERROR"), "message": message}
    return Reply({"status": "error", "timestamp": NOW, "error": found}, status)


def success(data: Any, **more: Any) -> Reply:
    """What was asked for, and how much of the limit is left."""
    headers = {"x-ratelimit-limit-default": "120", "x-ratelimit-remaining-default": "119"}
    return Reply({"status": "success", "data": data, **more}, headers=headers)


def cut(call: Call, rows: Sequence[Any]) -> Reply:
    """A page of a list that says nothing of its length."""
    take = call.integer("take", _DEFAULT, least=1)
    if take > _MOST:
        return error(400, f"take must not be greater than {_MOST}")
    return success(call.paging.by_offset(rows, call.integer("skip", 0), take).rows)


_SAME = ("id", "title", "slug", "disableGuests", "slotInterval", "minimumBookingNotice", "hidden", "price")


def later_event_type(row: dict[str, Any]) -> dict[str, Any]:
    """What later versions say of an event type, whether it is the user's or a team's."""
    return {
        **{name: row[name] for name in _SAME},
        "description": row["description"] or "",
        "lengthInMinutes": row["length"],
        "locations": [{"type": "integration", "integration": "cal-video"}],
        "bookingFields": [{"type": "name", "slug": "name", "isDefault": True, "required": True}],
        "recurrence": None,
        "metadata": row["metadata"] or {},
        "disableCancelling": {"disabled": bool(row["disableCancelling"])},
        "disableRescheduling": {"disabled": False, "minutesBefore": 60},
    }
