"""The billing API: basic auth with the key as the user, wrapped records, page numbers, the site's clock.

The rows: ``data["billing"]`` has most resources as lists of their rows; ``proforma_invoices`` by the id of
their subscription, ``usages`` and ``allocations`` by that and the id of their component, as "1/2"; and
``site``, whose ``relationship_invoicing_enabled`` makes it a legacy site if it is false. Lists are served in
an order of their own, whatever the order of the rows.
"""

from __future__ import annotations

import base64
from datetime import time
from functools import partial
from typing import TYPE_CHECKING, Any

from api_sandbox.api import SANDBOX_KEY, Api, Reply
from api_sandbox.billing import answers, lists
from api_sandbox.billing.answers import error, filtered, guarded, in_window, ordered, page, wrapped
from api_sandbox.billing.data import generate

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from api_sandbox.api import Call

    Row = dict[str, Any]

_PARTS = ("line_items", "discounts", "taxes", "credits", "payments", "refunds", "custom_fields")
_CREDENTIAL = base64.b64encode(f"{SANDBOX_KEY}:x".encode()).decode()


def _authorized(headers: Headers) -> bool:
    return headers.get("authorization") == f"Basic {_CREDENTIAL}"


def _list(name: str, default: int, call: Call) -> Reply:
    """Customers, in order of creation, or subscriptions."""
    rows = ordered(call, name, filtered(call, name, call.tables[name]))
    return wrapped(name.removesuffix("s"), page(call, rows, default))


def _invoices(call: Call) -> Reply:
    """By number, the last first; parts only if asked for with the lower-case word."""
    if not call.tables["site"]["relationship_invoicing_enabled"]:
        return _legacy_invoices(call)
    rows = filtered(call, "invoices", call.tables["invoices"])
    hidden = {part for part in _PARTS if call.query.get(part) != "true"}
    found = page(call, ordered(call, "invoices", rows), 20)
    return Reply({"invoices": [{k: v for k, v in row.items() if k not in hidden} for row in found]})


def _legacy_invoices(call: Call) -> Reply:
    """Invoices of statement billing: other fields, and no `uid`."""
    return wrapped("invoice", page(call, call.tables["legacy_invoices"], 20))


def _coupons(call: Call) -> Reply:
    """In no order that is documented; archived ones and prices in other currencies only if asked for."""
    rows = filtered(call, "coupons", call.tables["coupons"])
    if call.query.get("filter[include_archived]") != "true":
        rows = [row for row in rows if row["archived_at"] is None]
    hidden = set() if call.query.get("currency_prices") == "true" else {"currency_prices"}
    found = page(call, rows, 30)
    return wrapped("coupon", [{k: v for k, v in row.items() if k not in hidden} for row in found])


def _transactions(call: Call) -> Reply:
    """By id or by date, the newest first; bounds of ids win over bounds of dates, and force their order."""
    rows, kinds = call.tables["transactions"], call.query.getlist("kinds[]")
    first, last = (call.query.get(name) for name in ("since_id", "max_id"))
    since, until = (call.query.get(name) for name in ("since_date", "until_date"))
    by_id = bool(first or last) or (not (since or until) and call.query.get("order_by") == "id")
    if first or last:
        rows = [row for row in rows if int(first or 0) <= row["id"] <= int(last or row["id"])]
    else:
        rows = in_window(rows, "created_at", since, until)
    if kinds:
        rows = [row for row in rows if row["transaction_type"] in kinds]

    def place(row: Row) -> tuple[Any, int]:
        return (0.0 if by_id else answers.moment(row["created_at"], time.min).timestamp(), row["id"])

    rows = sorted(rows, key=place, reverse=call.query.get("direction", "desc") == "desc")
    return wrapped("transaction", page(call, rows, 20))


def _count(call: Call) -> Reply:
    return Reply({"count": len(call.tables["transactions"])})


API = Api(
    name="billing",
    generate=generate,
    routes={
        "/customers.json": guarded(partial(_list, "customers", 50)),
        "/subscriptions.json": guarded(partial(_list, "subscriptions", 20)),
        "/invoices.json": guarded(_invoices),
        "/coupons.json": guarded(_coupons),
        "/transactions.json": guarded(_transactions),
        "/transactions/count.json": _count,
        **{path: guarded(handler) for path, handler in lists.ROUTES.items()},
    },
    authorized=_authorized,
    error=error,
)
