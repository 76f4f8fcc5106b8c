"""The rewards API: a bearer token, offset and limit on some lists, a ledger whose lines have no id.

The rows: ``data["rewards"]`` has a list for each of ``orders``, ``rewards``, ``products``,
``funding_sources``, ``members``, ``campaigns``, ``organizations``, ``transactions`` (the ledger) and
``invoices``, and the tables of ``extras``. The paged lists are newest first. A reward is one object in
``rewards``, in its order and in its review.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from api_sandbox.api import SANDBOX_KEY, Api, Reply
from api_sandbox.rewards.data import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.datastructures import Headers

    from api_sandbox.api import Call

    Row = dict[str, Any]

_LIMITS = {
    "orders": (10, 500),
    "rewards": (100, 500),
    "invoices": (10, 10),
    "transactions": (10, 500),
    "fraud_reviews": (10, 100),
    "connected_organizations": (10, 100),
    "connected_organization_members": (10, 100),
    "topups": (10, 10),
}
"""Default and maximum of the page size; a limit above the maximum is lowered in silence."""

_TOO_MANY = 429


def _error(status: int, message: str) -> Reply:
    """The shape of an error; the one of too many requests has another key."""
    error = {"message": message, "payload": {}}
    if status == _TOO_MANY:
        return Reply({"error": error}, status)
    return Reply({"status": status, "errors": error}, status)


def _authorized(headers: Headers) -> bool:
    return headers.get("authorization") == f"Bearer {SANDBOX_KEY}"


def _paged(call: Call, name: str, rows: Sequence[Row], *, total: bool = True) -> Reply:
    default, most = _LIMITS[name]
    page = call.paging.by_offset(
        rows, call.integer("offset", 0), call.integer("limit", default, least=1, most=most)
    )
    body: dict[str, Any] = {name: page.rows}
    return Reply({**body, "total_count": page.total} if total else body)


def _whole(name: str, call: Call) -> Reply:
    """All rows: these lists know neither offset nor limit."""
    return Reply({name: call.tables[name]})


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _in_window(call: Call, rows: Sequence[Row], field: str = "created_at") -> list[Row]:
    """The rows between two times, bounds included.

    Raises:
        ValueError: A bound is no time.
    """
    since, until = call.query.get(f"{field}[gte]"), call.query.get(f"{field}[lte]")
    if since:
        rows = [row for row in rows if _time(row[field]) >= _time(since)]
    if until:
        rows = [row for row in rows if _time(row[field]) <= _time(until)]
    return list(rows)


def _bad_time(field: str = "created_at") -> Reply:
    return _error(422, f"{field} must be an ISO 8601 date and time")


def _orders(call: Call) -> Reply:
    try:
        rows = _in_window(call, call.tables["orders"])
    except ValueError:
        return _bad_time()
    for name in ("campaign_id", "external_id"):
        if name in call.query:
            rows = [row for row in rows if row.get(name) == call.query[name]]
    return _paged(call, "orders", rows)


def _ledger(call: Call) -> Reply:
    """Lines without an id, under a name that is not the path's, and without a total."""
    try:
        return _paged(call, "transactions", _in_window(call, call.tables["transactions"]), total=False)
    except ValueError:
        return _bad_time()


def _rewards(call: Call) -> Reply:
    """Any parameter but the paging's is the label of a custom field, and filters by its value."""
    rows = call.tables["rewards"]
    for label, value in call.query.items():
        if label not in {"offset", "limit"}:
            rows = [row for row in rows if (label, value) in _labelled(row)]
    return _paged(call, "rewards", rows)


def _labelled(reward: Row) -> set[tuple[str | None, str | None]]:
    return {(field.get("label"), field["value"]) for field in reward.get("custom_fields") or ()}


def _products(call: Call) -> Reply:
    """All products, or those of some countries, currencies or subcategories."""
    values: dict[str, Callable[[Row], set[str | None]]] = {
        "country": lambda row: {country["abbr"] for country in row["countries"]},
        "currency": lambda row: set(row["currency_codes"]),
        "subcategory": lambda row: {row.get("subcategory")},
    }
    rows = call.tables["products"]
    for name, of in values.items():
        if name in call.query:
            wanted = set(call.query[name].split(","))
            rows = [row for row in rows if wanted & of(row)]
    return Reply({"products": rows})


def _invoices(call: Call) -> Reply:
    """Invoices that were not deleted."""
    rows = [row for row in call.tables["invoices"] if row["status"] != "DELETED"]
    return _paged(call, "invoices", rows)


def _topups(call: Call) -> Reply:
    """Pages of ten, whatever limit is asked for, and no total."""
    page = call.paging.by_offset(call.tables["topups"], call.integer("offset", 0), _LIMITS["topups"][1])
    return Reply({"topups": page.rows})


def _fraud_reviews(call: Call) -> Reply:
    """Reviews, by the time of the redemption or in a state."""
    try:
        rows = _in_window(call, call.tables["fraud_reviews"], "redeemed_at")
    except ValueError:
        return _bad_time("redeemed_at")
    if "status" in call.query:
        rows = [row for row in rows if row["status"] == call.query["status"]]
    return _paged(call, "fraud_reviews", rows)


def _forex(call: Call) -> Reply:
    """One object, by currency; only rates of a US dollar are known here."""
    if call.query.get("base", "USD") != "USD":
        return _error(422, "base is not supported")
    return Reply({"forex": {row["currency_code"]: row["rate"] for row in call.tables["forex"]}})


def _connected_organizations(call: Call) -> Reply:
    return _paged(call, "connected_organizations", call.tables["connected_organizations"])


def _connected_organization_members(call: Call) -> Reply:
    """Of one organization, which must be named."""
    wanted = call.query.get("connected_organization_id")
    if not any(row["id"] == wanted for row in call.tables["connected_organizations"]):
        return _error(422, "connected_organization_id is missing or unknown")
    rows = call.tables["connected_organization_members"]
    rows = [row for row in rows if row["connected_organization_id"] == wanted]
    return _paged(call, "connected_organization_members", rows)


def _one(name: str, singular: str, call: Call) -> Reply:
    """A single row, by its id; an order by its external id as well."""
    wanted = call.path["id"]
    for row in call.tables[name]:
        if row["id"] == wanted or (name == "orders" and row.get("external_id") == wanted):
            return Reply({singular: row})
    return _error(404, f"There is no {singular.replace('_', ' ')} {wanted}")


_DETAILS = {
    "orders": "order",
    "rewards": "reward",
    "products": "product",
    "funding_sources": "funding_source",
    "members": "member",
    "campaigns": "campaign",
    "organizations": "organization",
    "invoices": "invoice",
}

_WHOLE = (
    *("funding_sources", "members", "campaigns", "organizations"),
    *("fraud_rules", "fields", "roles", "webhooks"),
)

_LISTS: dict[str, Callable[[Call], Reply]] = {
    "/orders": _orders,
    "/rewards": _rewards,
    "/invoices": _invoices,
    "/balance_transactions": _ledger,
    "/products": _products,
    "/topups": _topups,
    "/forex": _forex,
    "/fraud_reviews": _fraud_reviews,
    "/connected_organizations": _connected_organizations,
    "/connected_organization_members": _connected_organization_members,
    **{f"/{name}": partial(_whole, name) for name in _WHOLE},
}

API = Api(
    name="rewards",
    generate=generate,
    routes={f"/v2{path}": handler for path, handler in _LISTS.items()}
    | {f"/v2/{name}/{{id}}": partial(_one, name, singular) for name, singular in _DETAILS.items()},
    authorized=_authorized,
    error=_error,
)
