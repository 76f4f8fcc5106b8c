"""How the promotions API pages, and which of its values need help to fit their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_core import ApiSchema, ApiStream, Cursor
from tap_core.errors import Retriable
from tap_promotions import schemas

if TYPE_CHECKING:
    from tap_core.paging.page import Page

OLDEST_FIRST = {"order": "created_asc"}
"""Rows that are made during a run arrive at the end, where they are read too. The default is newest first."""

_ITEMS_PAGE = "$.paging.items_page"

_MOMENTS = [
    f"{part}{name}" for part in ("", "user.", "prize.") for name in ("created", "start_date", "end_date")
]
_SECOND = len("2026-02-03 10:20:30")


def _with_zone(value: Any) -> Any:
    """`2026-02-03 10:20:30`, which is UTC, as `2026-02-03T10:20:30Z`; whether it is a time is seen later."""
    if not isinstance(value, str) or value[10:11] not in {" ", "T"}:
        return value
    dot, fraction = value[_SECOND : _SECOND + 1], value[_SECOND + 1 :]
    is_whole = len(value) == _SECOND or (dot == "." and fraction.isdigit())
    return f"{value[:10]}T{value[11:]}Z" if is_whole else value


class PromotionsStream(ApiStream):
    """The promotions API: `{"items": […], "paging": {"next_cursor": 284117, "items_page": 100}}`.

    Ids, codes and cursors are numbers in its reference and mostly strings in its answers.
    `items_page` looks like a total and counts only this page.
    """

    schema = ApiSchema(SchemaDirectory(schemas))
    records_jsonpath = "$.items[*]"
    rights_by_parent = True
    # Who opens them has the prize: the page that redeems it, and the prize as a file. `code` is data of the
    # promotion's own, as a shop's list of codes is.
    secrets = ("redeem_url", "download_url")
    # Times without a zone, in rows and in the objects embedded in them.
    repairs = dict.fromkeys(_MOMENTS, _with_zone)

    @override
    def get_new_paginator(self) -> Cursor:
        """Cursors, null or absent on the last page; a page may be empty before the end. No page size."""
        return Cursor(param="next_cursor", path="$.paging.next_cursor")

    @override
    def check_failure(self, page: Page) -> None:
        """See that a page is no failure: nor is it one that counts rows, and has none.

        Raises:
            Retriable: It is.
        """
        super().check_failure(page)
        said, count = page.total(_ITEMS_PAGE) or 0, len(page.records)
        if said and not count:
            msg = f"the answer has no rows, and says by `items_page` that it has {said}"
            raise Retriable(msg, divisible=False)
        if said > count:
            page.why_incomplete = "a page has fewer rows than it says by `items_page`"

    @override
    def records_path(self, document: Any) -> str:
        """A bare list is taken for the items."""
        return "$[*]" if isinstance(document, list) else self.records_jsonpath
