"""How the promotions API pages, and which of its values need help to fit their types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_core import ApiSchema, ApiStream, Cursor, Page
from tap_core.records.values import is_moment
from tap_promotions import schemas

if TYPE_CHECKING:
    from collections.abc import Collection

    import requests
    from singer_sdk.helpers.types import Context, Record

OLDEST_FIRST = {"order": "created_asc"}
"""Rows that are made during a run arrive at the end, where they are read too. The default is newest first."""

_MOMENTS = ("created", "start_date", "end_date")
_EMBEDDED = ("user", "prize")
_WITHOUT_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(\.\d+)?)")


class PromotionsStream(ApiStream):
    """The promotions API: `{"items": […], "paging": {"next_cursor": 284117, "items_page": 100}}`.

    Ids, codes and cursors are numbers in its reference and mostly strings in its answers.
    `items_page` looks like a total and counts only this page.
    """

    schema = ApiSchema(SchemaDirectory(schemas))
    records_jsonpath = "$.items[*]"
    rights_by_parent = True
    mended: Collection[str] = _MOMENTS + _EMBEDDED

    @override
    def get_new_paginator(self) -> Cursor:
        """Cursors, null or absent on the last page; a page may be empty before the end. No page size."""
        return Cursor(param="next_cursor", path="$.paging.next_cursor")

    @override
    def check_place(self, page: Page) -> None:
        """See that there are items; a bare list is taken for them."""
        if not isinstance(page.document, list):
            super().check_place(page)

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The page that a response holds; a bare list is taken for the items."""
        page = super().read_page(response)
        return Page(page.document, "$[*]", self.key_of) if isinstance(page.document, list) else page

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Times without a zone are UTC, in the row and in the objects embedded in it."""
        for part in (row, *(row.get(name) for name in _EMBEDDED)):
            if isinstance(part, dict):
                part.update({name: _with_zone(part[name]) for name in _MOMENTS if name in part})
        return row


def _with_zone(value: Any) -> Any:
    """`2026-02-03 10:20:30` as `2026-02-03T10:20:30Z`; anything else as it is."""
    match = _WITHOUT_ZONE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    moment = f"{match[1]}T{match[2]}Z"
    return moment if is_moment(moment) else value
