"""The configuration of the document on events.

Changes, beside how a child finds its event:

1. dlt looks for a list's size under `total`. Here it is `pagination[0].total`.
2. Attendees come without a total: dlt reads on to the empty page, which in this API is an error 404.
3. Categories and tickets ignore the offset: dlt would read the same list for ever, and is stopped after
   one page.
4. An event without rows of a kind answers 404, which dlt has to be told to take for the end.
5. Categories have no `id` but their name. The order's reference is its key: it is `refno`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle.documents import Document, child_of, offset
from tap_events.tap import TapEvents

if TYPE_CHECKING:
    from oracle.documents import Row

TOTAL = {"total_path": "pagination[0].total"}  # 1
NO_TOTAL = {"total_path": None}  # 2
ONE_PAGE = {**NO_TOTAL, "maximum_offset": 100}  # 3
EMPTY = {"response_actions": [{"status_code": 404, "action": "ignore"}]}  # 4
OF_EVENT = {"params": child_of("events", "event_id"), **EMPTY}


NAMES = {"question": "questions"}


def answers(row: Row) -> Row:
    """The API calls an answer's question by either of two names."""
    questions = row.get("questions")
    if questions is None:
        return row
    named = [
        {("questions" if name == "question" else name): text for name, text in q.items()} for q in questions
    ]
    return {**row, "questions": named}


DOCUMENT = Document(
    tap=TapEvents,
    settings={"api_url": "/events", "api_key_header": "api_key"},
    client={
        "base_url": "/events",
        "auth": {"type": "api_key", "name": "api_key", "api_key": "sandbox-key", "location": "header"},
    },
    resources=[
        {
            "name": "events",
            "endpoint": {"path": "/v1/events", "data_selector": "events", "paginator": offset(**TOTAL)},
        },
        {
            "name": "attendees",
            "include_from_parent": ["id"],
            "endpoint": {
                "path": "/v1/events/{event_id}/attendees",
                "data_selector": "attendees",
                "paginator": offset(**NO_TOTAL),
                **OF_EVENT,
            },
        },
        {
            "name": "categories",
            "primary_key": "category",  # 5
            "endpoint": {
                "path": "/v1/categories",
                "data_selector": "categories",
                "paginator": offset(**ONE_PAGE),
            },
        },
        {
            "name": "tickets",
            "include_from_parent": ["id"],
            "endpoint": {
                "path": "/v1/events/{event_id}/tickets",
                "data_selector": "tickets",
                "paginator": offset(**ONE_PAGE),
                **OF_EVENT,
            },
        },
        {
            "name": "users",
            "endpoint": {"path": "/v1/users", "data_selector": "users", "paginator": offset(**TOTAL)},
        },
        {
            "name": "transactions",
            "primary_key": "refno",  # 5
            "include_from_parent": ["id"],
            "endpoint": {
                "path": "/v1/events/{event_id}/transactions",
                "data_selector": "transactions",
                "paginator": offset(**TOTAL),
                **OF_EVENT,
            },
        },
    ],
    parents={
        "attendees": {"_events_id": "event_id"},
        "tickets": {"_events_id": "event_id"},
        "transactions": {"_events_id": "parent_event_id"},
    },
    mend={"attendees": answers},
)
