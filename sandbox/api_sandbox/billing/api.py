"""The billing API: basic auth with the key as the user, wrapped records, page numbers, the site's clock.

The rows: ``data["billing"]`` has ``customers``, ``subscriptions``, ``invoices``, ``coupons`` and
``transactions`` as lists, and ``site``, whose ``relationship_invoicing_enabled`` makes it a legacy site if
it is false. Lists are served in an order of their own, whatever the order of the rows.
"""

from __future__ import annotations

import base64
from datetime import date, datetime, time
from functools import partial
from typing import TYPE_CHECKING, Any

from api_sandbox.api import SANDBOX_KEY, Api, Reply
from api_sandbox.billing.data import SITE_ZONE, generate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.datastructures import Headers

    from api_sandbox.api import Call

    Row = dict[str, Any]

_MAX_PER_PAGE = 200
_PARTS = ("line_items", "discounts", "taxes", "credits", "payments", "refunds", "custom_fields")
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
}
_DATE_FIELDS = {
    "customers": ("created_at", "updated_at"),
    "subscriptions": ("created_at", "updated_at", "activated_at", "canceled_at", "expires_at"),
    "invoices": ("created_at", "updated_at", "due_date", "issue_date", "paid_date"),
    "coupons": ("created_at", "updated_at"),
}
_CREDENTIAL = base64.b64encode(f"{SANDBOX_KEY}:x".encode()).decode()
_UNAUTHORIZED, _TOO_MANY = 401, 429


def _error(status: int, message: str) -> Reply:
    """The usual shape of an error, and plain text where the API has that."""
    plain = {_UNAUTHORIZED: "HTTP Basic: Access denied.\n", _TOO_MANY: f"{message} Reference: sandbox"}
    if status in plain:
        return Reply(plain[status].encode(), status, {"content-type": "text/plain"})
    return Reply({"errors": [message]}, status)


def _authorized(headers: Headers) -> bool:
    return headers.get("authorization") == f"Basic {_CREDENTIAL}"


def _moment(text: str, edge: time) -> datetime:
    """A date or a time as a moment; on the site's clock if it names no zone.

    Raises:
        ValueError: It is neither.
    """
    if len(text) == len("2026-01-31"):
        return datetime.combine(date.fromisoformat(text), edge, SITE_ZONE)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=SITE_ZONE)


def _in_window(rows: Sequence[Row], field: str, start: str | None, end: str | None) -> list[Row]:
    """The rows between two times, both included; a row without a time is not between any."""
    kept = list(rows)
    if start:
        since = _moment(start, time.min)
        kept = [row for row in kept if row.get(field) and _moment(row[field], time.min) >= since]
    if end:
        until = _moment(end, time.max)
        kept = [row for row in kept if row.get(field) and _moment(row[field], time.min) <= until]
    return kept


def _filtered(call: Call, name: str, rows: Sequence[Row]) -> list[Row]:
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
    return _in_window(rows, field, times[0] or asked["start_date"], times[1] or asked["end_date"])


def _ordered(call: Call, name: str, rows: Sequence[Row]) -> list[Row]:
    sort = _SORTS.get(name, {}).get(call.query.get("sort", "number"), "created_at")
    direction = call.query.get("direction", "desc" if name == "invoices" else "asc")

    def place(row: Row) -> tuple[bool, Any, Any]:
        value = row.get(sort)
        if isinstance(value, str) and sort.endswith("_at"):
            value = _moment(value, time.min).timestamp()
        return (value is None, 0 if value is None else value, row["id"])

    return sorted(rows, key=place, reverse=direction == "desc")


def _page(call: Call, rows: Sequence[Row], default: int) -> Sequence[Row]:
    """One page; a size above the maximum is lowered in silence."""
    size = call.integer("per_page", default, least=1, most=_MAX_PER_PAGE)
    return call.paging.by_number(rows, call.integer("page", 1, least=1), size).rows


def _wrapped(name: str, rows: Sequence[Row]) -> Reply:
    return Reply([{name: row} for row in rows])


def _guarded(handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """A handler whose complaints are answered as the API does."""

    def guarded(call: Call) -> Reply:
        try:
            return handler(call)
        except ValueError as error:
            return _error(422, str(error))

    return guarded


def _list(name: str, default: int, call: Call) -> Reply:
    """Customers, in order of creation, or subscriptions."""
    rows = _ordered(call, name, _filtered(call, name, call.tables[name]))
    return _wrapped(name.removesuffix("s"), _page(call, rows, default))


def _invoices(call: Call) -> Reply:
    """By number, the last first; parts only if asked for with the lower-case word."""
    if not call.tables["site"]["relationship_invoicing_enabled"]:
        return _legacy_invoices(call)
    rows = _filtered(call, "invoices", call.tables["invoices"])
    hidden = {part for part in _PARTS if call.query.get(part) != "true"}
    page = _page(call, _ordered(call, "invoices", rows), 20)
    return Reply({"invoices": [{k: v for k, v in row.items() if k not in hidden} for row in page]})


def _legacy_invoices(call: Call) -> Reply:
    """Invoices of statement billing: other fields, and no `uid`."""
    rows = [
        {"id": row["sequence_number"], "state": row["status"], "site_id": row["site_id"], "charges": []}
        for row in call.tables["invoices"]
    ]
    return _wrapped("invoice", _page(call, rows, 20))


def _coupons(call: Call) -> Reply:
    """In no order that is documented; archived ones and prices in other currencies only if asked for."""
    rows = _filtered(call, "coupons", call.tables["coupons"])
    if call.query.get("filter[include_archived]") != "true":
        rows = [row for row in rows if row["archived_at"] is None]
    hidden = set() if call.query.get("currency_prices") == "true" else {"currency_prices"}
    page = _page(call, rows, 30)
    return _wrapped("coupon", [{k: v for k, v in row.items() if k not in hidden} for row in page])


def _transactions(call: Call) -> Reply:
    """By id or by date, the newest first; bounds of ids win over bounds of dates, and force their order."""
    rows, kinds = call.tables["transactions"], call.query.getlist("kinds[]")
    first, last = (call.query.get(name) for name in ("since_id", "max_id"))
    since, until = (call.query.get(name) for name in ("since_date", "until_date"))
    by_id = bool(first or last) or (not (since or until) and call.query.get("order_by") == "id")
    if first or last:
        rows = [row for row in rows if int(first or 0) <= row["id"] <= int(last or row["id"])]
    else:
        rows = _in_window(rows, "created_at", since, until)
    if kinds:
        rows = [row for row in rows if row["transaction_type"] in kinds]

    def place(row: Row) -> tuple[Any, int]:
        return (0.0 if by_id else _moment(row["created_at"], time.min).timestamp(), row["id"])

    rows = sorted(rows, key=place, reverse=call.query.get("direction", "desc") == "desc")
    return _wrapped("transaction", _page(call, rows, 20))


def _count(call: Call) -> Reply:
    return Reply({"count": len(call.tables["transactions"])})


def _site(call: Call) -> Reply:
    return Reply({"site": call.tables["site"]})


API = Api(
    name="billing",
    generate=generate,
    routes={
        "/customers.json": _guarded(partial(_list, "customers", 50)),
        "/subscriptions.json": _guarded(partial(_list, "subscriptions", 20)),
        "/invoices.json": _guarded(_invoices),
        "/coupons.json": _guarded(_coupons),
        "/transactions.json": _guarded(_transactions),
        "/transactions/count.json": _count,
        "/site.json": _site,
    },
    authorized=_authorized,
    error=_error,
)
