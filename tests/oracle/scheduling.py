"""The configuration of the document on scheduling.

Changes:

1. Each endpoint is asked in the version that has what the document selects, by a header. Without it
   bookings come in another shape, and schedules without their hours.
2. Event types and schedules ignore `skip`: dlt would read the same list for ever, and is stopped after
   one page.
3. The parameter for the size of a page is `take`; the list's size is `pagination.totalItems`.
4. Calendars have no `id`: their key is the connected account and the calendar's id there.
5. Without a paginator dlt guesses one. These lists have only one page.
6. The elements of a list are `[*]`: whether `*` finds them, too, depends on the version of the library for
   JSONPath that dlt uses.
"""

from __future__ import annotations

from typing import Any

from oracle.documents import Document, offset
from tap_scheduling.tap import TapScheduling


def version(date: str) -> dict[str, dict[str, str]]:
    """The header that chooses an endpoint's version."""
    return {"headers": {"cal-api-version": date}}  # 1


def switched(row: dict[str, Any]) -> dict[str, Any]:
    """An event type with true or false as later versions have it, and so the tap."""
    for name in ("disableCancelling", "disableRescheduling"):
        if isinstance(row.get(name), bool):
            row[name] = {"disabled": row[name]}
    return row


SKIP = {"offset_param": "skip", "limit_param": "take"}  # 3
ONE_PAGE = {**SKIP, "total_path": None, "maximum_offset": 100}  # 2
WHOLE = {"paginator": "single_page"}  # 5

DOCUMENT = Document(
    tap=TapScheduling,
    settings={"api_url": "/scheduling", "requests_per_minute": 100_000},
    client={"base_url": "/scheduling", "auth": {"type": "bearer", "token": "sandbox-key"}},
    resources=[
        {
            "name": "event_types",
            "endpoint": {
                "path": "/v1/event-types",
                "data_selector": "data.eventTypeGroups[*].eventTypes[*]",  # 6
                "paginator": offset(**ONE_PAGE),
                **version("2024-04-15"),
            },
        },
        {"name": "my_profile", "endpoint": {"path": "/v1/me", "data_selector": "data", **WHOLE}},
        {
            "name": "schedules",
            "endpoint": {
                "path": "/v1/schedules",
                "data_selector": "data",
                "paginator": offset(**ONE_PAGE),
                **version("2024-06-11"),
            },
        },
        {
            "name": "calendars",
            "primary_key": ["credentialId", "externalId"],  # 4
            "endpoint": {
                "path": "/v1/calendars",
                "data_selector": "data.connectedCalendars[*].calendars[*]",  # 6
                **WHOLE,
            },
        },
        {
            "name": "bookings",
            "endpoint": {
                "path": "/v1/bookings",
                "data_selector": "data[*]",  # 6
                "paginator": offset(**SKIP, total_path="pagination.totalItems"),
                **version("2024-08-13"),
            },
        },
        {"name": "conferencing", "endpoint": {"path": "/v1/conferencing", "data_selector": "data", **WHOLE}},
    ],
    mend={
        # A server of an older version sends the credentials of video apps; the tap does not pass them on.
        "conferencing": lambda row: {name: value for name, value in row.items() if name != "key"},
        "event_types": switched,
    },
)
