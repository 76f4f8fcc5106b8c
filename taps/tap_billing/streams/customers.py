"""The endpoints of the billing API: customers, what they subscribe to, and what takes its price down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from typing_extensions import override

from tap_billing.client import FILTER_DATES, BillingStream
from tap_core.records import jsonpath
from tap_core.records.values import as_moment

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    order = "created_at"
    filters = ("q",)


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
    filters = ("state", "product", "product_price_point_id", "coupon", "coupon_code")
    child_keys = {"subscription_id": "id"}

    @override
    def records_in(self, elements: Sequence[Any]) -> list[Any]:
        """The subscriptions, with the ids of customer and product beside them as other lists have them."""
        return [_with_ids(record) for record in super().records_in(elements)]


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
    filters = (*FILTER_DATES, "filter[ids]", "filter[codes]", "filter[use_site_exchange_rate]")
    # Days are documented nowhere, and not ruled out by the fields' names.
    repairs = {"start_date": as_moment, "end_date": as_moment}


class _Id(TypedDict, total=False):
    id: Any


class _Related(TypedDict, total=False):
    customer: _Id | None
    customer_id: Any
    product: _Id | None
    product_id: Any


_related = jsonpath.members_reader(_Related)


def _with_ids(record: Any) -> Any:
    fields, ids = _related(record), {}
    for name in ("customer", "product") if isinstance(fields, dict) else ():
        related = fields.get(name)
        if isinstance(related, dict) and fields.get(f"{name}_id") is None and related.get("id") is not None:
            ids[f"{name}_id"] = related["id"]
    return jsonpath.with_members(record, ids)
