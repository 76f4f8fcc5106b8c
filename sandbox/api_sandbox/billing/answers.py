"""What answers of the billing API have in common: pages, orders, bounds on the site's clock, complaints."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from api_sandbox.api import Reply
from api_sandbox.billing.data import SITE_ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from api_sandbox.api import Call

    Row = dict[str, Any]

_MAX_PER_PAGE = 200
_SORTS = {
    "subscriptions": {
        "id": "id",
        "signup_date": "created_at",
        **{name: name for name in ("created_at", "updated_at")},
    },
    "invoices": {
        "number": "sequence_number",
        **{name: name for name in ("status", "created_at", "updated_at", "issue_date", "due_date")},
    },
    "subscription_components": {"id": "id", "updated_at": "updated_at"},
    "statements": {name: name for name in ("closed_at", "created_at", "opened_at", "settled_at")},
}
_DATE_FIELDS = {
    "customers": ("created_at", "updated_at"),
    "subscriptions": ("created_at", "updated_at", "activated_at", "canceled_at", "expires_at"),
    "invoices": ("created_at", "updated_at", "due_date", "issue_date", "paid_date"),
    "coupons": ("created_at", "updated_at"),
    "subscription_components": ("updated_at",),
    "events": ("created_at",),
}
_UNAUTHORIZED, _TOO_MANY = 401, 429


def error(status: int, message: str) -> Reply:
    """The usual shape of an error, and plain text where the API has that."""
    plain = {_UNAUTHORIZED: "HTTP Basic: Access denied.\n", _TOO_MANY: f"{message} Reference: sandbox"}
    if status in plain:
        return Reply(plain[status].encode(), status, {"content-type": "text/plain"})
    return Reply({"errors": [message]}, status)


def moment(text: str, edge: time) -> datetime:
    """A date or a time as a moment; on the site's clock if it names no zone.

    Raises:
        ValueError: It is neither.
    """
    if len(text) == len("2026-01-31"):
        return datetime.combine(date.fromisoformat(text), edge, SITE_ZONE)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=SITE_ZONE)


def in_window(rows: Sequence[Row], field: str, start: str | None, end: str | None) -> list[Row]:
    """The rows between two times, both included; a row without a time is not between any."""
    kept = list(rows)
    if start:
        since = moment(start, time.min)
        kept = [row for row in kept if row.get(field) and moment(row[field], time.min) >= since]
    if end:
        until = moment(end, time.max)
        kept = [row for row in kept if row.get(field) and moment(row[field], time.min) <= until]
    return kept


def filtered(call: Call, name: str, rows: Sequence[Row]) -> list[Row]:
    """The rows that the date filter leaves; an unknown field is ignored, and the filter with it.

    Raises:
        ValueError: A bound is no date, or a time where only a date may be.
    """
    form = "filter[{}]" if name == "coupons" else "{}"
    asked = {key: call.query.get(form.format(key)) for key in ("date_field", "start_date", "end_date")}
    times = [call.query.get(form.format(key)) for key in ("start_datetime", "end_datetime")]
    field = asked["date_field"] or ("due_date" if name == "invoices" else None)
    if field not in _DATE_FIELDS[name]:
        return list(rows)
    if any(times) and not field.endswith("_at"):
        raise ValueError(f"a time cannot bound {field}")
    return in_window(rows, field, times[0] or asked["start_date"], times[1] or asked["end_date"])


def ordered(call: Call, name: str, rows: Sequence[Row]) -> list[Row]:
    """The rows in the order that was asked for, if the list knows it; else in order of creation."""
    sort = _SORTS.get(name, {}).get(call.query.get("sort", "number"), "created_at")
    direction = call.query.get("direction", "desc" if name == "invoices" else "asc")

    def place(row: Row) -> tuple[bool, Any, Any]:
        value = row.get(sort)
        if isinstance(value, str) and sort.endswith("_at"):
            value = moment(value, time.min).timestamp()
        return (value is None, 0 if value is None else value, row["id"])

    return sorted(rows, key=place, reverse=direction == "desc")


def page(call: Call, rows: Sequence[Row], default: int) -> Sequence[Row]:
    """One page; a size above the maximum is lowered in silence."""
    size = call.integer("per_page", default, least=1, most=_MAX_PER_PAGE)
    return call.paging.by_number(rows, call.integer("page", 1, least=1), size).rows


def wrapped(name: str, rows: Sequence[Row]) -> Reply:
    """An array of wrapped rows."""
    return Reply([{name: row} for row in rows])


def guarded(handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """A handler whose complaints are answered as the API does."""

    def guarded(call: Call) -> Reply:
        try:
            return handler(call)
        except ValueError as complaint:
            return error(422, str(complaint))

    return guarded
