"""The endpoints of the billing API: the site itself, what happens on it, and what it knows of all records."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_billing.client import DATES, BillingStream
from tap_core import SinglePage

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class Site(BillingStream):
    """One row: the site, with its currencies and its kind of billing. Its time zone is not said."""

    name = "site"
    path = "/site.json"
    wrapper = "site"

    @override
    def get_new_paginator(self) -> SinglePage:
        """One object."""
        return SinglePage()


class Events(BillingStream):
    """One row per event on the site: sign-ups, payments, changes of state, and some 70 other kinds.

    The list is one that only grows. The row of the bookmark comes again in each run.
    """

    name = "events"
    path = "/events.json"
    wrapper = "event"
    replication_key = "id"
    is_sorted = True
    made_at = "created_at"
    # Newest first by default.
    params = {"direction": "asc"}
    filters = ("filter", "max_id")

    @override
    def since(self, start: Any) -> dict[str, Any]:
        """The last id, which is sent again; on a first run the start date, on the clock of the site."""
        if isinstance(start, datetime):
            return {"date_field": "created_at", **super().since(start)}
        return {"since_id": start}

    @override
    def until(self, end: datetime) -> dict[str, Any]:
        """By when events were made."""
        return {"date_field": "created_at", **super().until(end)}


class SubscriptionGroups(BillingStream):
    """One row per group of subscriptions that are billed together, with its balances."""

    name = "subscription_groups"
    path = "/subscription_groups.json"
    records_jsonpath = "$.subscription_groups[*]"
    total_path = "$.meta.total_count"
    primary_keys = ("uid",)
    # Balances come only if asked for.
    params = {"include[]": "account_balances"}


class PaymentProfiles(BillingStream):
    """One row per active means of payment: a card, a bank account, a PayPal account.

    One that is deleted vanishes from the list. Numbers are masked by the API; keys of the vaults where they
    lie are dropped.
    """

    name = "payment_profiles"
    path = "/payment_profiles.json"
    wrapper = "payment_profile"
    filters = ("customer_id",)


class ReasonCodes(BillingStream):
    """One row per reason for a cancellation, which subscriptions name by its `code`."""

    name = "reason_codes"
    path = "/reason_codes.json"
    wrapper = "reason_code"


def _as_list(value: Any) -> Any:
    """One text as a list of it: the one value that can be chosen. Loaders take no column of both."""
    return [value] if isinstance(value, str) and value else value


class Metafields(BillingStream):
    """What definitions of custom fields have in common."""

    records_jsonpath = "$.metafields[*]"
    total_path = "$.total_count"
    filters = ("name",)
    params = {"direction": "asc"}
    repairs = {"enum": _as_list}


class SubscriptionMetafields(Metafields):
    """One row per custom field of subscriptions."""

    name = "subscription_metafields"
    path = "/subscriptions/metafields.json"


class CustomerMetafields(Metafields):
    """One row per custom field of customers."""

    name = "customer_metafields"
    path = "/customers/metafields.json"


class Metadata(BillingStream):
    """What values of custom fields have in common."""

    records_jsonpath = "$.metadata[*]"
    total_path = "$.total_count"
    primary_keys = ("resource_id", "metafield_id", "id")
    # Deleted values come only if asked for.
    params = {"with_deleted": "true", "direction": "asc"}
    filters = (*DATES, "resource_ids[]")
    post_process_fields = primary_keys

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """A part of the key that is null is written as 0: the API says that it may be."""
        return {**row, **{name: 0 for name in self.declared_keys if row.get(name) is None}}


class SubscriptionMetadata(Metadata):
    """One row per value of a custom field of a subscription, deleted ones included.

    Read whole, as no row says when it was changed.
    """

    name = "subscription_metadata"
    path = "/subscriptions/metadata.json"


class CustomerMetadata(Metadata):
    """One row per value of a custom field of a customer, deleted ones included.

    Read whole, as no row says when it was changed.
    """

    name = "customer_metadata"
    path = "/customers/metadata.json"
