"""How the scheduling API is versioned, and how the one of its lists that has pages is walked."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_core import ApiSchema, ApiStream, Offset
from tap_scheduling import schemas

if TYPE_CHECKING:
    from datetime import datetime

PAGE_SIZE = 100
"""The API's default; it refuses more than 250."""


class SchedulingStream(ApiStream):
    """The scheduling API: `{"status": "success", "data": […]}`."""

    schema = ApiSchema(SchemaDirectory(schemas))
    records_jsonpath = "$.data[*]"

    dated: str | None = None
    """Value of the header `cal-api-version`; None for endpoints that have one shape in all versions.

    Each endpoint has versions of its own, and is not found (404) under one that only others have.
    https://cal.com/docs/api-reference/v2/introduction
    """

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        """The version that the endpoint is asked in."""
        return {"cal-api-version": self.dated} if self.dated else {}


def pages(*, order: str | None = None, total: str | None = None) -> Offset:
    """Pages by `skip` and `take`, of a list that may be ordered by a field that rows can share.

    The API's lists but the bookings ignore both parameters and come whole, which the paginator notices.
    """
    return Offset(size=PAGE_SIZE, param="skip", size_param="take", total=total, order=order)


def strict(moment: datetime) -> str:
    """A moment in the one form that the API's filters take: UTC with milliseconds."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
