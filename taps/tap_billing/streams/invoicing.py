"""The endpoints of the billing API: what is billed and paid, by either of the API's two kinds of billing.

Newer sites have invoices, and what belongs to them. Legacy sites have statements, transactions, and other
invoices under the path of the newer ones.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from requests import codes
from typing_extensions import override

from tap_billing.client import DATES, BillingStream, ByDay, Undated
from tap_billing.streams.customers import Subscriptions
from tap_core.errors import NoSuchList
from tap_core.records import jsonpath

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests

    from tap_core import Page
    from tap_core.errors import ApiError

OTHER_KIND_STATUSES: Sequence[int] = (403, 404, 422)
"""How a site answers for a list that only sites of the other kind of billing have."""

# What a 422 says of a list of the other kind of billing; and of a wrong filter, or a blocked account.
_KINDS = re.compile(r"(?i)relationship|invoicing|statement|legacy|architecture")
_FAULTS = re.compile(
    r"(?i)valid\b|cancel|\btrial (is|has|period)\b|suspend|expired|past due|\block|disabled|unavailable"
    r"|\btoo \w+|less than"
)

_NO_INVOICES = "sites with legacy statement billing have none"


def _is_legacy(body: Any) -> bool:
    """Whether a body is one of a legacy site's: a bare array, of records without a `uid`."""
    elements = jsonpath.open_node(body)
    if not isinstance(elements, list):
        return False
    records = jsonpath.find(elements, "$[0].invoice") or elements[:1]
    return not any(jsonpath.first(record, "$.uid") is not None for record in records)


class Invoices(BillingStream):
    """One row per invoice, with its lines, discounts, taxes, credits, payments and refunds.

    Amounts are decimals in whole units of the currency, as strings. An invoice whose
    `consolidation_level` is `parent` sums up its `child` invoices: adding both counts money twice.
    `public_url` opens the invoice without a login. `issue_date` is a day on the site's clock, or a moment, as
    it was sent. Nothing is known of an invoice that changes without moving `updated_at`. One can lack it:
    it is read once it is issued, and when it has changed since, only where all invoices are read.
    """

    name = "invoices"
    path = "/invoices.json"
    primary_keys = ("uid",)
    replication_key = "updated_at"
    wrapper = "invoice"
    filters = (
        *("status", "subscription_id", "subscription_group_uid", "consolidation_level"),
        *("customer_ids", "number", "product_ids"),
    )
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

    @override
    def late_changes(self, start: datetime) -> Iterator[Undated]:
        """The invoices that were issued since the last run: one without `updated_at` comes nowhere else."""
        issued = {"date_field": "issue_date", "start_date": f"{self.site_time(start):%Y-%m-%d}"}
        yield Undated({**dict.fromkeys(self.bound_params), **issued})

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The page.

        Raises:
            NoSuchList: This site has other invoices, as sites with legacy statement billing do.
        """
        page = super().read_page(response)
        if _is_legacy(page.document) and self._tells_kind(response, page):
            msg = "this site has legacy statement billing: its invoices are in `legacy_invoices`"
            raise NoSuchList(msg)
        return page

    def _tells_kind(self, response: requests.Response, page: Page) -> bool:
        """Whether an array tells of which kind a site is: an empty one does where all is asked for."""
        asked = parse_qs(urlsplit(response.url).query)
        is_bounded = not asked.keys().isdisjoint({*DATES[1:], *self.filters})
        return asked.get("page", ["1"]) == ["1"] and bool(page.records or not is_bounded)

    @override
    def records_path(self, document: Any) -> str:
        """The body is `{"invoices": […]}`, or an array of wrapped invoices, as in older answers."""
        return "$.invoices[*]" if jsonpath.find(document, "$.invoices") else self.records_jsonpath

    @override
    def is_record(self, node: Mapping[str, Any]) -> bool:
        """A lone object is an answer of another kind."""
        return False


class OneBillingKind(BillingStream):
    """A list of sites with one of the two kinds of billing; those with the other may not know it at all."""

    may_be_missing = True
    missing_statuses = OTHER_KIND_STATUSES

    @override
    def means_no_such_list(self, error: ApiError) -> bool:
        """Not a 422 that says what else is wrong: so the API also refuses a filter, or a blocked account."""
        is_fault = error.status == codes.unprocessable and _FAULTS.search(error.said)
        return super().means_no_such_list(error) and (not is_fault or _KINDS.search(error.said) is not None)


class LegacyInvoices(OneBillingKind):
    """One row per invoice of a site with legacy statement billing; newer sites have `invoices`.

    Amounts are in the smallest unit of the currency. Read whole: the API filters by when they were made
    alone, while state and payments change later. Some names are known from other clients alone.
    """

    name = "legacy_invoices"
    path = "/invoices.json"
    wrapper = "invoice"
    missing_hint = "sites without legacy statement billing have `invoices`"

    @override
    def is_record(self, node: Mapping[str, Any]) -> bool:
        """Newer sites answer with an object that holds a list."""
        return "invoices" in node or super().is_record(node)

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The page.

        Raises:
            NoSuchList: This site has the newer kind of invoices.
        """
        page = super().read_page(response)
        if page.document is not None and not _is_legacy(page.document):
            msg = "this site has no legacy statement billing: its invoices are in `invoices`"
            raise NoSuchList(msg)
        return page


class InvoiceEvents(OneBillingKind):
    """One row per change of an invoice, with the whole invoice as it was after it.

    The list is one that only grows, oldest first, and the row of the bookmark comes again in each run.
    `public_url` inside opens an invoice without a login.
    """

    name = "invoice_events"
    path = "/invoices/events.json"
    records_jsonpath = "$.events[*]"
    replication_key = "id"
    is_sorted = True
    made_at = "timestamp"
    missing_hint = _NO_INVOICES
    # Without it, changes of the status alone are left out.
    params = {"with_change_invoice_status": "true"}
    filters = ("invoice_uid", "event_types")

    @override
    def since(self, start: Any) -> dict[str, Any]:
        """From the last id on, which the API would leave out; on a first run, from the start date's day on.

        Never both: the API ignores the id beside a date.
        """
        if isinstance(start, datetime):
            return {"since_date": f"{self.site_time(start):%Y-%m-%d}"}
        return {"since_id": start - 1}

    @override
    def until(self, end: datetime) -> dict[str, Any]:
        """No upper bound is documented."""
        return {}


class CreditNotes(OneBillingKind):
    """One row per credit note, with its lines, discounts, taxes, refunds, and the invoices it was applied to.

    Read whole: the API has no filter by date, and no row says when it was changed.
    """

    name = "credit_notes"
    path = "/credit_notes.json"
    records_jsonpath = "$.credit_notes[*]"
    filters = ("subscription_id",)
    primary_keys = ("uid",)
    missing_hint = _NO_INVOICES
    # The parts come only if asked for.
    params = {
        "line_items": "true",
        "discounts": "true",
        "taxes": "true",
        "refunds": "true",
        "applications": "true",
    }


class ProformaInvoices(OneBillingKind):
    """One row per proforma invoice of a subscription, with its lines, discounts, taxes, credits and payments.

    Off, as it costs a request per subscription, whatever its state. Read whole: date filters mean the due
    date.
    """

    name = "proforma_invoices"
    path = "/subscriptions/{subscription_id}/proforma_invoices.json"
    records_jsonpath = "$.proforma_invoices[*]"
    total_path = "$.meta.total_count"
    filters = ("start_date", "end_date", "status")
    primary_keys = ("uid",)
    parent_stream_type = Subscriptions
    for_every_parent = True
    selected_by_default = False
    missing_hint = _NO_INVOICES
    # The parts come only if asked for.
    params = {
        "direction": "asc",
        "line_items": "true",
        "discounts": "true",
        "taxes": "true",
        "credits": "true",
        "payments": "true",
        "custom_fields": "true",
    }


class Statements(OneBillingKind):
    """One row per statement of a site with legacy statement billing, with what was billed, paid and done.

    Read whole: no filter is documented.
    """

    name = "statements"
    path = "/statements.json"
    wrapper = "statement"
    params = {"sort": "created_at", "direction": "asc"}
    order = "created_at"
    missing_hint = "sites without legacy statement billing have `invoices`"

    @override
    def records_in(self, elements: Sequence[Any]) -> list[Any]:
        """The statements; what they list comes bare or wrapped, and is unwrapped."""
        return [_unwrapped(record) for record in super().records_in(elements)]


def _unwrapped(record: Any) -> Any:
    fields = jsonpath.open_node(record)
    lists = {}
    for name, wrapper in (("transactions", "transaction"), ("events", "event")):
        elements = jsonpath.decode(fields.get(name)) if isinstance(fields, dict) else None
        if isinstance(elements, list):
            lists[name] = [
                element[wrapper] if isinstance(element, dict) and list(element) == [wrapper] else element
                for element in elements
            ]
    return jsonpath.with_members(record, lists)


class Transactions(OneBillingKind, ByDay):
    """One row per charge, payment, credit, adjustment or refund on a site with legacy statement billing.

    Newer sites have none: there, payments and refunds are part of `invoices`.
    """

    name = "transactions"
    path = "/transactions.json"
    replication_key = "created_at"
    is_sorted = True
    missing_hint = "sites without legacy statement billing have their payments and refunds in `invoices`"
    wrapper = "transaction"
    # A refund changes its payment's `refunded_amount_in_cents`, and a payment its charges' `payment_id`,
    # within days, and neither is seen in `created_at`.
    lookback = 7 * 24 * 3600
    params = {"order_by": "created_at", "direction": "asc"}
    order = "created_at"
    filters = ("kinds[]",)
