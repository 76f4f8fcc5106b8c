"""The endpoints of the billing API: the components of subscriptions, and how much of them is used."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from tap_billing.client import BillingStream, ByDay
from tap_core import Paginator
from tap_core.records.keys import is_missing
from tap_core.records.values import as_plain_moment, as_plain_number, as_sound

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_core.paging.paginator import Steps

_FIFTY = 50
"""Allocations of a page, and the most of a list that the vendor promises."""


class SubscriptionComponents(BillingStream):
    """One row per component of a subscription, with the quantity that is billed.

    Nothing says that recorded usage moves `updated_at`: `unit_balance` can be of an earlier time.
    """

    name = "subscription_components"
    path = "/subscriptions_components.json"
    records_jsonpath = "$.subscriptions_components[*]"
    primary_keys = ("subscription_id", "component_id")
    replication_key = "updated_at"
    params = {"sort": "id", "direction": "asc", "date_field": "updated_at"}
    filters = (
        *("subscription_ids", "price_point_ids", "product_family_ids"),
        *("filter[currencies]", "filter[use_site_exchange_rate]", "filter[subscription][states]"),
    )
    child_keys = {"subscription_id": "subscription_id", "component_id": "component_id"}


class Usages(ByDay):
    """One row per recorded usage of a metered or prepaid component of a subscription.

    Off, as it costs a request per such component of a subscription, archived ones included. The bookmark is
    one for all of them: should the site leave a component out of their list in one run, what it recorded
    then comes with `full_read_every`.
    """

    name = "usages"
    path = "/subscriptions/{subscription_id}/components/{component_id}/usages.json"
    primary_keys = ("subscription_id", "component_id", "id")
    replication_key = "created_at"
    wrapper = "usage"
    filters = ("max_id",)
    parent_stream_type = SubscriptionComponents
    no_list_where = {"kind": ("quantity_based_component", "on_off_component", "event_based_component")}
    for_every_parent = True
    selected_by_default = False


class Allocations(BillingStream):
    """One row per change of the quantity of a component of a subscription, of the 50 newest of each.

    Off, as it costs a request or two per component of a subscription. The vendor promises the 50 newest
    alone: lists that end there are named, and nothing is called gone. `_sdc_key` is `allocation_id` as text;
    for older rows, which have none, the SHA-256, in hex, of a JSON array of subscription, component,
    `timestamp` in UTC, `quantity`, `previous_quantity` and `memo`, numbers as plain text: rows that
    agree in all of these are one.
    """

    name = "allocations"
    path = "/subscriptions/{subscription_id}/components/{component_id}/allocations.json"
    primary_keys = ("_sdc_key",)
    wrapper = "allocation"
    parent_stream_type = SubscriptionComponents
    no_list_where = {"kind": ("metered_component", "event_based_component")}
    for_every_parent = True
    selected_by_default = False

    @override
    def get_new_paginator(self) -> NewestFifty:
        """Pages of a size that can't be chosen."""
        return NewestFifty()

    @override
    def is_record(self, node: Any) -> bool:
        """A lone object is a record if it is wrapped: no row has the key, which the tap makes."""
        return self.wrapper in node

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """The row with its key."""
        if not is_missing(row.get("allocation_id")):
            return {**row, "_sdc_key": str(as_plain_number(row["allocation_id"]))}
        before, after = ("subscription_id", "component_id"), ("quantity", "previous_quantity")
        facts = [
            *(as_plain_number(row.get(name)) for name in before),
            as_plain_moment(row.get("timestamp")),
            *(as_plain_number(row.get(name)) for name in after),
            row.get("memo"),
        ]
        return {**row, "_sdc_key": hashlib.sha256(msgspec.json.encode(as_sound(facts))).hexdigest()}


class NewestFifty(Paginator):
    """Pages by number of 50 rows, newest first, of a list that may end after the first of them."""

    @override
    def walk(self) -> Steps:
        """From page 1 to the first one that brings nothing new, or that is the last one over again.

        A server that heeds no page sends the newest rows each time, which rows that are new can have moved.
        """
        known: set[Any] = set()
        newest: Any = None
        number, length = 1, 0
        while True:
            query = {"page": number}
            page = (yield from self._behind(query)) if known else (yield query)
            if known and not page.records and length >= self.evidence.longest:
                page = yield from self._behind(query)  # behind a page as long as they come
                self.proofs += 1
            rows = zip(page.keys, page.records, strict=True)
            page.fresh = [record for key, record in rows if key not in known]
            is_unheeded = newest in page.keys
            if not page.fresh or is_unheeded:
                break
            known.update(page.keys)
            newest, length = page.keys[0], page.span
            number += 1
        self.cut_off = len(known) == _FIFTY or (is_unheeded and len(page.keys) >= _FIFTY)
