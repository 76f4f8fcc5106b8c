"""How the scheduling API is versioned, and how the one of its lists that has pages is walked."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, ClassVar

from requests import codes
from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_core import ApiError, ApiSchema, ApiStream, Offset, WholeList
from tap_core.errors import Retriable
from tap_core.paging.places import ByOffset
from tap_core.records import jsonpath
from tap_scheduling import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_core import Page
    from tap_core.paging.paginator import Paginator

PAGE_SIZE = 100
"""The API's default; it refuses more than 250."""

TOTAL = "$.pagination.totalItems"

WHOLE_PAGE = 250
"""The default of lists without a total, and the most that they allow."""


class SchedulingStream(ApiStream):
    """The scheduling API: `{"status": "success", "data": […]}`."""

    schema = ApiSchema(SchemaDirectory(schemas))
    records_jsonpath = "$.data[*]"

    cal_api_version: str | None = None
    """Value of the header `cal-api-version`; None for endpoints that have one shape in all versions.

    Each endpoint has versions of its own, and is not found (404) under one that only others have.
    https://cal.com/docs/api-reference/v2/introduction
    """

    page_size: ClassVar[int | None] = None
    """Records to ask for in a page, by `skip` and `take`, which a server may ignore; None for one request."""

    order: ClassVar[str | None] = None
    """Field that pages are asked to be ordered by, and that rows can share."""

    @override
    def get_new_paginator(self) -> Paginator:
        """Pages, where there are any."""
        if self.page_size:
            return pages(order=self.order, size=self.page_size)
        return WholeList(ByOffset("skip", "take"), TOTAL)

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        """The version that the endpoint is asked in."""
        return {"cal-api-version": self.cal_api_version} if self.cal_api_version else {}

    @override
    def is_empty_list(self, status: int, message: str) -> bool:
        """Who has none of something is told so by a 404: `Event types not found`, of a team's too."""
        called = {self.name.replace("_", " "), self.path.rpartition("/")[2].replace("-", " ")}
        none = {text for words in called for text in (f"{words} not found", f"no {words} found")}
        return status == codes.not_found and message.rstrip(".! ").casefold() in none

    @override
    def check_envelope(self, page: Page) -> None:
        """See that the answer has the shape of the version that was asked for.

        Raises:
            ApiError: It has the shape of another: `{"data": {"bookings": […]}}` is that of 2024-04-15,
                `{"bookings": […]}` that of API v1.
        """
        try:
            super().check_envelope(page)
        except Retriable:
            for path in (f"$.data.{self.name}[*]", f"$.{self.name}[*]"):
                if isinstance(jsonpath.place(page.document, path)[1], list):
                    raise self.another_version(path[2:-3]) from None
            raise

    def another_version(self, place: str) -> ApiError:
        """A failure of an answer that has what another version has at a place."""
        version = self.config.get("api_version")
        asked = f"`cal-api-version: {self.cal_api_version}` and " if self.cal_api_version else ""
        return ApiError(
            f"{self.name}: the answer has another version's shape, with `{place}` in it: the server pays no "
            f"heed to {asked}api_version {version}; check the two, and how old the server is"
        )


class TeamStream(SchedulingStream):
    """A list of each of the user's teams; some are refused (403) where the user is a mere member."""

    rights_by_parent = True
    may_be_missing = True
    missing_hint = "it may be for the team's administrators"


class OrganizationStream(SchedulingStream):
    """A list of the user's organization, if there is one, and if the user may read it."""

    parent_fields: ClassVar[Mapping[str, str]] = {"organizationId": "orgId"}
    may_be_missing = True
    missing_hint = "it may be for the organization's administrators"
    selected_by_default = False


def pages(*, order: str | None = None, total: str | None = None, size: int = PAGE_SIZE) -> Offset:
    """Pages by `skip` and `take`, of a list that may be ordered by a field that rows can share.

    Lists that ignore both parameters come whole, which the paginator notices.
    """
    return Offset(size=size, param="skip", size_param="take", total=total, order=order)


MILLISECOND = timedelta(milliseconds=1)
"""What the filters know of a time: an upper bound is put so much later, and the rows cut in the tap."""


def utc_milliseconds(moment: datetime) -> str:
    """A moment in the one form that the API's filters take: UTC with milliseconds."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
