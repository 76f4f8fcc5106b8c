"""How the billing API wraps its records, pages, and tells the time."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_billing import schemas
from tap_core import ApiSchema, ApiStream, PageNumber
from tap_core.paging.places import ByNumber
from tap_core.paging.walk import Walk
from tap_core.records import jsonpath

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import requests

    from tap_core import Page, Paginator
    from tap_core.paging.paginator import Query

PAGE_SIZE = 200
"""The most records that the API puts into a page."""

MOST_CONCURRENT = 4
"""Requests of one site that the vendor lets run at once; more are queued, and refused with a 429."""

DATES = ("date_field", "start_date", "end_date", "start_datetime", "end_datetime")
"""Filters by date of lists that are read whole; the four bounds are of `date_field`, by the site's clock."""

FILTER_DATES = tuple(f"filter[{name}]" for name in DATES)
"""The same where a list has its filters in one object."""

_ANY_ZONE = timedelta(hours=24)


class BillingStream(ApiStream):
    """The billing API: an array of wrapped records, `[{"customer": {…}}, {"customer": {…}}]`.

    Newer lists are an object with a list of bare records, `{"offers": [{…}, {…}]}`: they name no wrapper, but
    the place of their records.

    Lists are asked for in an order that changes to their rows leave alone: a row that moved to a page that
    was read already would be missed. A bookmark therefore moves when the whole list was read.
    """

    schema = ApiSchema(SchemaDirectory(schemas))
    # A change is stamped when it begins and is seen by others when it is done; and clocks differ.
    lookback = 300
    # Keys of means of payment, and of customers' own pages.
    secrets = ("chargify_token", "self_service_page_token")

    wrapper: ClassVar[str] = ""
    """Name under which each element of the array holds its record; empty if it is the record."""

    total_path: ClassVar[str | None] = None
    """JSONPath of the number of rows; most lists say none, and end with a page that is short, or empty."""

    order: ClassVar[str | None] = None
    """Field that the list is ordered by, and that rows can share."""

    bound_params: ClassVar[tuple[str, str]] = ("start_datetime", "end_datetime")
    """Query parameters that take the lower and the upper bound of `date_field`."""
    bound_format = "%Y-%m-%d %H:%M:%S"

    @override
    def get_new_paginator(self) -> Paginator:
        """Page numbers."""
        return PageNumber(size=PAGE_SIZE, total=self.total_path, order=self.order)

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The page, with its records unwrapped."""
        page = super().read_page(response)
        if self.wrapper:
            page.replace_records(self.records_in(page.records))
        return page

    @override
    def is_record(self, node: Mapping[str, Any]) -> bool:
        """A lone object is a record if it has the wrapper, or the key."""
        return bool(self.wrapper and self.wrapper in node) or super().is_record(node)

    def records_in(self, elements: Sequence[Any]) -> list[Any]:
        """The records in elements; one without the wrapper is taken as it is, and not passed over."""
        return jsonpath.unwrap(elements, self.wrapper)

    @override
    def since(self, start: Any) -> dict[str, Any]:
        """The lower bound, on the clock of the site."""
        return {self.bound_params[0]: f"{self.site_time(start):{self.bound_format}}"}

    @override
    def until(self, end: datetime) -> dict[str, Any]:
        """The upper bound, on the clock of the site."""
        return {self.bound_params[1]: f"{self.latest_site_time(end):{self.bound_format}}"}

    def site_time(self, moment: datetime) -> datetime:
        """A moment on the clock of the site, or up to 38 hours earlier; never later, which would lose rows.

        The API reads a time as one in the site's zone, which nothing names. The bookmark has the offset of
        the time when it was made, and the site can have been moved to another zone since.
        """
        return moment.astimezone(timezone.utc) - _ANY_ZONE

    def latest_site_time(self, moment: datetime) -> datetime:
        """A moment on the clock of the site, or up to 36 hours later; never earlier."""
        return moment.astimezone(timezone.utc) + _ANY_ZONE


class ByDay(BillingStream):
    """A list whose bounds are days, in the zone of the site."""

    bound_params = ("since_date", "until_date")
    bound_format = "%Y-%m-%d"


class Undated(Walk):
    """Numbered pages of invoices, of which only those are taken that lack `updated_at`."""

    def __init__(self, query: Query) -> None:
        """Start at page 1.

        Args:
            query: What is asked for on each page.
        """
        super().__init__(ByNumber(query=query), size=PAGE_SIZE)

    @override
    def take(self, page: Page) -> list[Any]:
        """The new ones of the page."""
        return [row for row in super().take(page) if jsonpath.first(row, "$.updated_at") is None]
