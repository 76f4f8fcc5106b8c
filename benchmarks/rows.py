"""Tables of as many rows as wanted, made of the sandbox's own: as clean as these, or dirty."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

from api_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

PARENTS = 7
"""Parents among whom the rows of a child stream are spread."""

_MISFIT = {"not": "what the schema says"}
_ODD = "NaN, -Infinity or 1_000 at ½ price: “yes”\n\t\\"
_ADDED = {"since": "2026-11", "flags": [1, 2]}
_EVERY = 10
_FIRST, _MINUTE = datetime(2025, 1, 1, tzinfo=timezone.utc), timedelta(minutes=1)


@dataclass(frozen=True)
class Table:
    """Where the rows of a stream lie in the sandbox."""

    api: str
    name: str
    keys: tuple[str, ...] = ("id",)
    """Fields that tell rows apart."""
    parents: str = ""
    """Table of the parents, where rows lie in a list for each."""
    misfit: str = ""
    """A text field that holds an object in one dirty row of ten."""
    odd: str = ""
    """A text field that holds the words and signs that cost a parser most, in another one of ten."""
    time: str = ""
    """The replication key, or what the list is ordered by."""
    newest_first: bool = False


TABLES: Mapping[tuple[str, str], Table] = {
    ("events", "events"): Table("events", "events", misfit="timezone_code", odd="title"),
    ("events", "users"): Table("events", "users", misfit="company", odd="first_name"),
    ("events", "attendees"): Table(
        "events", "attendees", parents="events", misfit="ticket_type", odd="last_name"
    ),
    ("events", "tickets"): Table("events", "tickets", parents="events", misfit="description", odd="title"),
    ("events", "transactions"): Table(
        "events", "transactions", ("refno",), parents="events", misfit="payment_type", odd="buyer_last_name"
    ),
    ("events", "donations"): Table(
        "events", "donations", ("donationid",), parents="events", misfit="description", odd="title"
    ),
    ("scheduling", "bookings"): Table(
        "scheduling", "bookings", ("id", "uid"), misfit="cancellationReason", odd="title", time="updatedAt"
    ),
    ("scheduling", "event_types"): Table("scheduling", "event_types", misfit="eventName", odd="description"),
    ("scheduling", "schedules"): Table("scheduling", "schedules", misfit="timeZone", odd="name"),
    ("scheduling", "team_memberships"): Table(
        "scheduling", "team_memberships", parents="teams", misfit="customRoleId", odd="role"
    ),
    ("scheduling", "team_event_types"): Table(
        "scheduling", "team_event_types", parents="teams", misfit="slug", odd="description"
    ),
    ("scheduling", "organization_users"): Table("scheduling", "organization_users", misfit="bio", odd="name"),
    ("scheduling", "organization_memberships"): Table(
        "scheduling", "organization_memberships", misfit="customRoleId", odd="role"
    ),
    ("scheduling", "organization_bookings"): Table(
        "scheduling", "bookings", ("id", "uid"), misfit="cancellationReason", odd="title", time="updatedAt"
    ),
    ("scheduling", "organization_out_of_office"): Table(
        "scheduling", "organization_out_of_office", misfit="reason", odd="notes", time="start"
    ),
    ("scheduling", "routing_form_responses"): Table(
        "scheduling",
        "routing_form_responses",
        parents="routing_forms",
        misfit="routedToBookingUid",
        odd="formFillerId",
        time="createdAt",
    ),
    ("promotions", "promotions"): Table("promotions", "promotions", misfit="internal_ref", odd="description"),
    ("promotions", "organizing_brands"): Table("promotions", "organizing_brands", misfit="name", odd="name"),
    ("promotions", "stages"): Table("promotions", "stages", parents="promotions", misfit="type", odd="name"),
    ("promotions", "users"): Table(
        "promotions", "users", parents="promotions", misfit="last_name", odd="first_name"
    ),
    ("promotions", "participations"): Table(
        "promotions", "participations", parents="promotions", misfit="ip", odd="user_agent"
    ),
    ("promotions", "prizes"): Table(
        "promotions", "prizes", parents="promotions", misfit="code", odd="stage_id"
    ),
    ("promotions", "prize_inventory"): Table(
        "promotions", "prize_inventory", parents="promotions", misfit="ref", odd="name"
    ),
    ("promotions", "points_of_sale"): Table(
        "promotions", "points_of_sale", parents="promotions", misfit="ref", odd="name"
    ),
    ("promotions", "rankings"): Table(
        "promotions", "rankings", ("user_id",), parents="promotions", misfit="nickname", odd="first_name"
    ),
    ("billing", "customers"): Table(
        "billing", "customers", misfit="phone", odd="organization", time="updated_at"
    ),
    ("billing", "subscriptions"): Table(
        "billing", "subscriptions", misfit="coupon_code", odd="cancellation_message", time="updated_at"
    ),
    ("billing", "invoices"): Table(
        "billing", "invoices", ("uid",), misfit="number", odd="memo", time="updated_at"
    ),
    ("billing", "transactions"): Table(
        "billing", "transactions", misfit="item_name", odd="memo", time="created_at"
    ),
    ("billing", "coupons"): Table("billing", "coupons", misfit="discount_type", odd="name"),
    ("billing", "events"): Table("billing", "events", misfit="key", odd="message", time="created_at"),
    ("billing", "invoice_events"): Table(
        "billing", "invoice_events", misfit="event_type", odd="event_type", time="timestamp"
    ),
    ("billing", "subscription_components"): Table(
        "billing",
        "subscription_components",
        ("id", "subscription_id"),
        misfit="unit_name",
        odd="name",
        time="updated_at",
    ),
    ("billing", "product_price_points"): Table("billing", "product_price_points", misfit="name", odd="name"),
    ("billing", "component_price_points"): Table(
        "billing", "component_price_points", misfit="name", odd="name"
    ),
    ("billing", "payment_profiles"): Table(
        "billing", "payment_profiles", misfit="first_name", odd="last_name"
    ),
    ("billing", "subscription_groups"): Table(
        "billing", "subscription_groups", ("uid",), misfit="state", odd="state"
    ),
    ("billing", "credit_notes"): Table("billing", "credit_notes", ("uid",), misfit="status", odd="memo"),
    ("billing", "proforma_invoices"): Table(
        "billing", "proforma_invoices", ("uid",), parents="subscriptions", misfit="role", odd="product_name"
    ),
    ("billing", "subscription_metadata"): Table(
        "billing", "subscription_metadata", ("resource_id",), misfit="name", odd="value"
    ),
    ("billing", "customer_metadata"): Table(
        "billing", "customer_metadata", ("resource_id",), misfit="name", odd="value"
    ),
    ("rewards", "orders"): Table(
        "rewards", "orders", misfit="channel", odd="external_id", time="created_at", newest_first=True
    ),
    ("rewards", "rewards"): Table(
        "rewards", "rewards", misfit="order_id", odd="order_id", time="created_at", newest_first=True
    ),
    ("rewards", "balance_transactions"): Table(
        "rewards",
        "transactions",
        ("description",),
        misfit="action",
        odd="action",
        time="created_at",
        newest_first=True,
    ),
    ("rewards", "invoices"): Table("rewards", "invoices", misfit="status", odd="po_number"),
    ("rewards", "topups"): Table("rewards", "topups", misfit="currency_code", odd="idempotency_key"),
    ("rewards", "connected_organizations"): Table(
        "rewards", "connected_organizations", misfit="client_id", odd="client_id"
    ),
    ("rewards", "products"): Table("rewards", "products", misfit="category", odd="description"),
}
"""The streams that can hold 1,000 rows, by API and name."""

FEW = frozenset(
    {
        ("events", "categories"),
        ("scheduling", "my_profile"),
        ("scheduling", "calendars"),
        ("scheduling", "conferencing"),
        ("scheduling", "out_of_office"),
        ("scheduling", "webhooks"),
        ("scheduling", "teams"),
        ("scheduling", "organization_teams"),
        ("scheduling", "routing_forms"),
        ("scheduling", "attributes"),
        ("scheduling", "attribute_options"),
        ("promotions", "registration_fields"),
        ("billing", "site"),
        ("billing", "products"),
        ("billing", "product_families"),
        ("billing", "components"),
        ("billing", "offers"),
        ("billing", "reason_codes"),
        ("billing", "subscription_metafields"),
        ("billing", "customer_metafields"),
        ("rewards", "campaigns"),
        ("rewards", "funding_sources"),
        ("rewards", "members"),
        ("rewards", "account_members"),
        ("rewards", "organizations"),
        ("rewards", "forex"),
        ("rewards", "fraud_rules"),
        ("rewards", "fields"),
        ("rewards", "roles"),
        ("rewards", "webhooks"),
    }
)
"""Streams that hold no more than a few dozen rows in any account."""

ELSEWHERE = frozenset(
    {
        ("billing", "usages"),
        ("billing", "allocations"),
        ("billing", "statements"),
        ("billing", "legacy_invoices"),
        ("scheduling", "booking_attendees"),
        ("scheduling", "team_bookings"),
        ("promotions", "coin_transactions"),
        ("rewards", "fraud_reviews"),
        ("rewards", "connected_organization_members"),
    }
)
"""Streams whose rows lie otherwise than a `Table` says: below two ids, inside others, or on a legacy site."""


@cache
def _own(api: str) -> Any:
    return Sandbox().data[api]


def tables(table: Table, count: int, *, dirty: bool) -> Any:
    """The tables of an API, one of them with so many rows."""
    found = copy.deepcopy(_own(table.api))
    own = found[table.name]
    if not table.parents:
        places = range(count - 1, -1, -1) if table.newest_first else range(count)
        found[table.name] = [_row(table, own[at % len(own)], at, dirty=dirty) for at in places]
        return found
    samples = [row for rows in own.values() for row in rows]
    found[table.parents] = found[table.parents][:PARENTS]
    kind = type(next(iter(own)))
    found[table.name] = {
        kind(parent["id"]): [
            _row(table, samples[at % len(samples)], at, dirty=dirty) for at in range(first, count, PARENTS)
        ]
        for first, parent in enumerate(found[table.parents])
    }
    return found


def parents_of(table: Table, count: int) -> Any:
    """The tables of an API with so many parents, each with one child."""
    found = copy.deepcopy(_own(table.api))
    own = found[table.parents]
    samples = [row for rows in found[table.name].values() for row in rows]
    whole, kind = Table(table.api, table.parents), type(next(iter(found[table.name])))
    found[table.parents] = [_row(whole, own[at % len(own)], at, dirty=False) for at in range(count)]
    found[table.name] = {
        kind(parent["id"]): [_row(table, samples[at % len(samples)], at, dirty=False)]
        for at, parent in enumerate(found[table.parents])
    }
    return found


def _row(table: Table, sample: Row, at: int, *, dirty: bool) -> Row:
    row = dict(sample)
    for key in table.keys:
        row[key] = _numbered(row.get(key), at)
    if table.time:
        row[table.time] = f"{_FIRST + at * _MINUTE:%Y-%m-%dT%H:%M:%S}.000Z"
    if dirty:
        row["added_by_the_vendor"] = _ADDED
        if at % _EVERY == 1:
            row[table.misfit] = _MISFIT
        if at % _EVERY == _EVERY // 2:
            row[table.odd] = _ODD
    return row


def _numbered(value: Any, at: int) -> Any:
    """A key that no other row has, of the same kind."""
    if isinstance(value, int):
        return 2_000_000 + at
    return str(4_000_000 + at) if str(value).isdigit() else f"{value}-{at}"
