"""Paging by number."""

from __future__ import annotations

from tap_core.paging.places import ByNumber
from tap_core.paging.walk import Walk


class PageNumber(Walk):
    """Pages by number: `?page=2&per_page=200` gives `[{"customer": {…}}, …]`.

    A server that pays no heed to the size is noticed, and read page by page; such pages cannot overlap.
    """

    def __init__(
        self,
        *,
        size: int,
        param: str = "page",
        size_param: str = "per_page",
        total: str | None = None,
        order: str | None = None,
    ) -> None:
        """Start at page 1.

        Args:
            size: Records to ask for in a page.
            param: Query parameter that takes the page number.
            size_param: Query parameter that takes the page size.
            total: JSONPath of the total in a response, where the API gives one.
            order: Field that the list is ordered by, where rows with the same value can trade places.
        """
        super().__init__(ByNumber(param, size_param), size=size, total=total, order=order)
