"""The billing API's further lists, some with parts and rows that come only if asked for."""

from __future__ import annotations

from datetime import time
from functools import partial
from typing import TYPE_CHECKING, Any

from api_sandbox.api import Reply
from api_sandbox.billing import answers
from api_sandbox.billing.answers import error, filtered, in_window, ordered, page, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from api_sandbox.api import Call

    Row = dict[str, Any]

_CREDIT_NOTE_PARTS = ("line_items", "discounts", "taxes", "refunds", "applications")
_PROFORMA_PARTS = ("line_items", "discounts", "taxes", "credits", "payments", "custom_fields")
_FIFTY = 50
_NEWEST = 50
"""Allocations of a list that are served at all."""


def _true(call: Call, name: str) -> bool:
    """Whether a flag was sent as the lower-case word."""
    return call.query.get(name) == "true"


def _by_id(call: Call, rows: Sequence[Row], default: str = "asc") -> list[Row]:
    return sorted(rows, key=lambda row: row["id"], reverse=call.query.get("direction", default) == "desc")


def _without(rows: Iterable[Row], hidden: Iterable[str]) -> list[Row]:
    dropped = set(hidden)
    return [{name: value for name, value in row.items() if name not in dropped} for row in rows]


def _not_asked_for(call: Call, parts: Iterable[str]) -> list[str]:
    return [part for part in parts if not _true(call, part)]


def _legacy(call: Call) -> bool:
    return not call.tables["site"]["relationship_invoicing_enabled"]


def _site(call: Call) -> Reply:
    return Reply({"site": call.tables["site"]})


def _wrapped_list(name: str, wrapper: str, call: Call) -> Reply:
    """A list of wrapped rows; archived ones only if asked for."""
    rows = call.tables[name]
    if not _true(call, "include_archived"):
        rows = [row for row in rows if row.get("archived_at") is None]
    return wrapped(wrapper, page(call, rows, 20))


def _product_families(call: Call) -> Reply:
    """All of them, whatever page is asked for."""
    return wrapped("product_family", call.tables["product_families"])


def _price_points(name: str, call: Call) -> Reply:
    """Custom ones only if their type is asked for."""
    types = call.query.get("filter[type]", "catalog,default").split(",")
    rows = [row for row in _by_id(call, call.tables[name]) if row["type"] in types]
    hidden = () if call.query.get("include") == "currency_prices" else ("currency_prices",)
    return Reply({"price_points": _without(page(call, rows, 20), hidden)})


def _offers(call: Call) -> Reply:
    rows = call.tables["offers"]
    if not _true(call, "include_archived"):
        rows = [row for row in rows if row["archived_at"] is None]
    return Reply({"offers": page(call, rows, 20)})


def _subscription_components(call: Call) -> Reply:
    name = "subscription_components"
    rows = ordered(call, name, filtered(call, name, call.tables[name]))
    return Reply({"subscriptions_components": page(call, rows, 20)})


def _subscription_groups(call: Call) -> Reply:
    rows = call.tables["subscription_groups"]
    hidden = () if call.query.get("include[]") == "account_balances" else ("account_balances",)
    meta = {"current_page": call.integer("page", 1), "total_count": len(rows)}
    return Reply({"subscription_groups": _without(page(call, rows, 20), hidden), "meta": meta})


def _events(call: Call) -> Reply:
    """The newest first, unless asked otherwise; a bound of ids includes the id."""
    first = int(call.query.get("since_id", 0))
    rows = [row for row in filtered(call, "events", call.tables["events"]) if row["id"] >= first]
    return wrapped("event", page(call, _by_id(call, rows, "desc"), 20))


def _invoice_events(call: Call) -> Reply:
    """The oldest first; a bound of ids leaves out the id, and is ignored beside a date."""
    if _legacy(call):
        return error(422, "Relationship Invoicing is not enabled")
    rows = sorted(call.tables["invoice_events"], key=lambda row: row["id"])
    if not call.query.get("with_change_invoice_status"):
        rows = [row for row in rows if row["event_type"] != "change_invoice_status"]
    if since := call.query.get("since_date"):
        rows = in_window(rows, "timestamp", since, None)
    else:
        rows = [row for row in rows if row["id"] > int(call.query.get("since_id", 0))]
    size = call.integer("per_page", 100, least=1, most=200)
    pages = {"page": call.integer("page", 1), "per_page": size, "total_pages": -(-len(rows) // size)}
    return Reply({"events": page(call, rows, 100), **pages})


def _credit_notes(call: Call) -> Reply:
    if _legacy(call):
        return error(422, "Relationship Invoicing is not enabled")
    rows = page(call, call.tables["credit_notes"], 20)
    return Reply({"credit_notes": _without(rows, _not_asked_for(call, _CREDIT_NOTE_PARTS))})


def _proforma_invoices(call: Call) -> Reply:
    """The newest first, unless asked otherwise."""
    if _legacy(call):
        return error(422, "Relationship Invoicing is not enabled")
    subscription = int(call.path["subscription_id"])
    if all(row["id"] != subscription for row in call.tables["subscriptions"]):
        return error(404, "Not found")
    rows = call.tables["proforma_invoices"].get(subscription, [])
    newest_first = call.query.get("direction", "desc") == "desc"
    rows = sorted(rows, key=lambda row: row["sequence_number"], reverse=newest_first)
    meta = {"total_count": len(rows), "current_page": call.integer("page", 1), "status_code": 200}
    shown = _without(page(call, rows, 20), _not_asked_for(call, _PROFORMA_PARTS))
    return Reply({"proforma_invoices": shown, "meta": meta})


def _statements(call: Call) -> Reply:
    """Those of a legacy site; others have none."""
    rows = call.tables["statements"] if _legacy(call) else []
    return wrapped("statement", page(call, ordered(call, "statements", rows), 20))


def _custom_fields(name: str, member: str, call: Call) -> Reply:
    """Definitions or values of custom fields, and how many; deleted ones only if asked for."""
    rows = call.tables[name]
    if not _true(call, "with_deleted"):
        rows = [row for row in rows if row.get("deleted_at") is None]
    newest_first = call.query.get("direction", "asc") == "desc"
    found = page(call, rows[::-1] if newest_first else rows, 20)
    return Reply({"total_count": len(rows), "current_page": call.integer("page", 1), member: found})


def _below_component(call: Call, name: str) -> list[Row] | None:
    """The rows below a component of a subscription; None if there is no such thing."""
    subscription, component = (int(call.path[part]) for part in ("subscription_id", "component_id"))
    for row in call.tables["subscription_components"]:
        if (row["subscription_id"], row["component_id"]) == (subscription, component):
            rows: list[Row] = call.tables[name].get(f"{subscription}/{component}", [])
            return rows
    return None


def _usages(call: Call) -> Reply:
    """The newest first, from the beginning of a day on the site's clock on."""
    rows = _below_component(call, "usages")
    if rows is None:
        return error(404, "Not found")
    rows = in_window(rows, "created_at", call.query.get("since_date"), None)
    newest_first = sorted(rows, key=lambda row: answers.moment(row["created_at"], time.min), reverse=True)
    return wrapped("usage", page(call, newest_first, 20))


def _allocations(call: Call) -> Reply:
    """The fifty newest, in pages of fifty whatever is asked for; nothing comes after them."""
    rows = _below_component(call, "allocations")
    if rows is None:
        return error(404, "Not found")
    newest = sorted(rows, key=lambda row: str(row["timestamp"]), reverse=True)[:_NEWEST]
    found = call.paging.by_number(newest, call.integer("page", 1, least=1), _FIFTY).rows
    return wrapped("allocation", found)


_BELOW = "/subscriptions/{subscription_id}/components/{component_id}"
ROUTES: Mapping[str, Callable[[Call], Reply]] = {
    "/site.json": _site,
    "/products.json": partial(_wrapped_list, "products", "product"),
    "/product_families.json": _product_families,
    "/products_price_points.json": partial(_price_points, "product_price_points"),
    "/components.json": partial(_wrapped_list, "components", "component"),
    "/components_price_points.json": partial(_price_points, "component_price_points"),
    "/offers.json": _offers,
    "/subscriptions_components.json": _subscription_components,
    f"{_BELOW}/usages.json": _usages,
    f"{_BELOW}/allocations.json": _allocations,
    "/subscription_groups.json": _subscription_groups,
    "/payment_profiles.json": partial(_wrapped_list, "payment_profiles", "payment_profile"),
    "/events.json": _events,
    "/invoices/events.json": _invoice_events,
    "/credit_notes.json": _credit_notes,
    "/subscriptions/{subscription_id}/proforma_invoices.json": _proforma_invoices,
    "/statements.json": _statements,
    "/reason_codes.json": partial(_wrapped_list, "reason_codes", "reason_code"),
    "/subscriptions/metafields.json": partial(_custom_fields, "subscription_metafields", "metafields"),
    "/customers/metafields.json": partial(_custom_fields, "customer_metafields", "metafields"),
    "/subscriptions/metadata.json": partial(_custom_fields, "subscription_metadata", "metadata"),
    "/customers/metadata.json": partial(_custom_fields, "customer_metadata", "metadata"),
}
