"""The endpoints of the billing API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_billing.client import BillingStream
from tap_core.errors import Refused
from tap_core.records import jsonpath
from tap_core.records.values import as_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record


class Customers(BillingStream):
    """One row per customer of the site; `parent_id` is the customer above it.

    Every edit of a customer moves `updated_at`.
    """

    name = "customers"
    path = "/customers.json"
    replication_key = "updated_at"
    wrapper = "customer"
    # In order of creation: the API has no other here.
    params = {"date_field": "updated_at", "direction": "asc"}


class Subscriptions(BillingStream):
    """One row per subscription, with its customer, product and means of payment.

    A change of one of these three alone does not move `updated_at`: they are as they were when the
    subscription itself was changed last. `customers` has the customer as it is now; a read as full table
    has all of them.
    Amounts whose names end in `_in_cents` are in the smallest unit of the currency; `signup_revenue` is a
    decimal in whole units, as a string.
    """

    name = "subscriptions"
    path = "/subscriptions.json"
    replication_key = "updated_at"
    wrapper = "subscription"
    params = {"sort": "id", "direction": "asc", "date_field": "updated_at"}


class Invoices(BillingStream):
    """One row per invoice, with its lines, discounts, taxes, credits, payments and refunds.

    Amounts are decimals in whole units of the currency, as strings. An invoice whose
    `consolidation_level` is `parent` sums up its `child` invoices: adding both counts money twice.
    `public_url` opens the invoice without a login. `issue_date` is a day on the site's clock, or a moment, as
    it was sent. Nothing is known of an invoice that changes without moving `updated_at`.
    """

    name = "invoices"
    path = "/invoices.json"
    primary_keys = ("uid",)
    replication_key = "updated_at"
    wrapper = "invoice"
    # Without `date_field`, date bounds mean the due date. The parts come only if asked for.
    params = {
        "sort": "number",
        "direction": "asc",
        "date_field": "updated_at",
        "line_items": "true",
        "discounts": "true",
        "taxes": "true",
        "credits": "true",
        "payments": "true",
        "refunds": "true",
        "custom_fields": "true",
    }
    mended = ("uid",)

    @override
    def is_record(self, node: Mapping[str, Any]) -> bool:
        """The body is an object with a list."""
        return isinstance(jsonpath.opened(node.get("invoices")), list)

    @override
    def records_of(self, element: Any) -> list[Any]:
        """The invoices of the body `{"invoices": […]}`; of a legacy site's array, each unwrapped."""
        if jsonpath.find(element, "$.invoices"):
            return jsonpath.find(element, "$.invoices[*]")
        return super().records_of(element)

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Legacy sites, which bill by statements, have other invoices under the same path.

        Raises:
            Refused: This is one of them.
        """
        if row.get("uid") is None:
            msg = (
                "invoices: these have no `uid`, as on sites with legacy statement billing: deselect this "
                "stream and read `transactions`, which has what was billed there"
            )
            raise Refused(msg)
        return row


class Coupons(BillingStream):
    """One row per coupon, archived ones included; `percentage` or `amount` is null, as the other counts.

    `start_date` and `end_date` are moments; a day is put as its beginning in UTC. Read whole each time: the
    list is short, comes in no order that is documented, and prices in other currencies are said nowhere to
    move `updated_at`.
    """

    name = "coupons"
    path = "/coupons.json"
    wrapper = "coupon"
    params = {"filter[include_archived]": "true", "currency_prices": "true"}
    mended = ("start_date", "end_date")

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Days are documented nowhere, and not ruled out by the fields' names."""
        return {**row, **{name: as_moment(row[name]) for name in self.mended if name in row}}


class Transactions(BillingStream):
    """One row per charge, payment, credit, adjustment or refund on a site with legacy statement billing.

    Newer sites have none: there, payments and refunds are part of `invoices`.
    """

    name = "transactions"
    path = "/transactions.json"
    replication_key = "created_at"
    is_sorted = True
    # A site without legacy statement billing may not know this list at all.
    may_be_missing = True
    missing_statuses = (403, 404, 422)
    missing_hint = "sites without legacy statement billing have their payments and refunds in `invoices`"
    wrapper = "transaction"
    # A refund changes its payment's `refunded_amount_in_cents`, and a payment its charges' `payment_id`,
    # within days, and neither is seen in `created_at`.
    lookback = 7 * 24 * 3600
    params = {"order_by": "created_at", "direction": "asc"}

    @override
    def since(self, start: datetime) -> dict[str, Any]:
        """The day of the lower bound in the site's zone."""
        return {"since_date": f"{self.site_time(start):%Y-%m-%d}"}
