"""Paging by the number of rows to skip."""

from __future__ import annotations

from tap_core.paging.places import ByOffset
from tap_core.paging.walk import Walk


class Offset(Walk):
    """Pages by offset: `?offset=99&limit=100` gives `{"orders": […], "total_count": 243}`."""

    def __init__(
        self,
        *,
        size: int,
        param: str = "offset",
        size_param: str = "limit",
        total: str | None = None,
        order: str | None = None,
    ) -> None:
        """Start at offset 0.

        Args:
            size: Records to ask for in a page.
            param: Query parameter that takes the number of records to skip.
            size_param: Query parameter that takes the page size.
            total: JSONPath of the total in a response, where the API gives one.
            order: Field that the list is ordered by, where rows with the same value can trade places.
        """
        super().__init__(ByOffset(param, size_param), size=size, total=total, order=order)
