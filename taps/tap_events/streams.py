"""The endpoints of the event-management API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.records import jsonpath
from tap_events.client import EventsStream

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_core import Page

_BY_STATUS = re.compile(r"events_\w+")
_FIRST_DAY = "1900"
"""Days before it are none: .NET writes `0001-01-01` for a day that was not set."""


class Events(EventsStream):
    """One row per event of the account."""

    name = "events"
    path = "/events"
    child_keys = {"event_id": "id"}
    filters = ("status", "category")
    ends_at = ("end_date", "end_time", "utc_offset")

    @override
    def ended(self, record: Any) -> str | None:
        """The end by the event's own clock; what is not said of it is put at the latest that it can be."""
        day, time, offset = (self.codec.get(record, name) for name in self.ends_at)
        has_end = day and day >= _FIRST_DAY
        return f"{day[:10]}T{time or '23:59'}:00{offset or '-12:00'}" if has_end else None

    @override
    def records_path(self, document: Any) -> str:
        """One client has seen the events as `events_live` where `status=live` was asked for."""
        named = _named_by_status(document)
        return f"$.{named}[*]" if named else self.records_jsonpath


class Categories(EventsStream):
    """One row per category that events can have; its name is all there is of it."""

    name = "categories"
    path = "/categories"
    also_called = ("category",)
    primary_keys = ("category",)


class Users(EventsStream):
    """One row per organizer and sub-organizer of the account."""

    name = "users"
    path = "/users"


class Attendees(EventsStream):
    """One row per person registered for an event."""

    name = "attendees"
    path = "/events/{event_id}/attendees"
    primary_keys = ("event_id", "id")
    parent_stream_type = Events
    post_process_fields = ("questions",)

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The attendees; the reference of their order has two names."""
        page = super().read_page(response)
        if b'"transaction_ref"' in response.content:
            page.replace_records([_with_refno(record) for record in page.records])
        return page

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Answers to the registration form call their question `questions` or `question`."""
        answers = row.get("questions")
        for answer in answers if isinstance(answers, list) else ():
            if isinstance(answer, dict) and "questions" not in answer and "question" in answer:
                answer["questions"] = answer.pop("question")
        return row


class Tickets(EventsStream):
    """One row per kind of ticket that an event sells."""

    name = "tickets"
    path = "/events/{event_id}/tickets"
    primary_keys = ("event_id", "id")
    parent_stream_type = Events


class Donations(EventsStream):
    """One row per donation that an event asks for beside its tickets.

    They come in the answer that has the tickets, which is fetched once where both streams are read.
    """

    name = "donations"
    path = "/events/{event_id}/tickets"
    primary_keys = ("event_id", "donationid")
    also_called = ("tickets", "ticket")
    records_jsonpath = "$.donation[*]"
    parent_stream_type = Events

    @override
    def check_envelope(self, page: Page) -> None:
        """See that there are donations, or tickets without any: they are absent then, or empty."""
        has_tickets, tickets = jsonpath.place(page.document, "$.tickets[*]")
        if _has_donations(page) or not has_tickets or not isinstance(tickets, (list, type(None))):
            super().check_envelope(page)

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The donations; what is empty, and no list, holds none."""
        page = super().read_page(response)
        if not _has_donations(page):
            page.replace_records([])
        return page


class Transactions(EventsStream):
    """One row per order of tickets.

    Its own `event_id` is another, shorter number than the event's `id`, which is in `parent_event_id`.
    """

    name = "transactions"
    path = "/events/{event_id}/transactions"
    primary_keys = ("refno",)
    also_called = ("orders", "order")
    parent_stream_type = Events
    parent_fields = {"parent_event_id": "event_id"}
    post_process_fields = ("refno", "transaction_ref")

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """The order's reference has two names."""
        named: Record = _with_refno(row)
        return named


def _has_donations(page: Page) -> bool:
    _, donations = jsonpath.place(page.document, "$.donation[*]")
    return donations not in (None, "", [], {})


def _named_by_status(document: Any) -> str | None:
    """The name of the list of events if there is none but one that is named after a status too."""
    fields = jsonpath.open_node(document)
    names = [name for name in fields if _BY_STATUS.fullmatch(name)] if isinstance(fields, dict) else []
    return names[0] if len(names) == 1 and "events" not in fields else None


def _with_refno(record: Any) -> Any:
    """A record with its order's reference as `refno`; some answers call it `transaction_ref`."""
    row = jsonpath.decode(record)
    if not isinstance(row, dict) or row.get("refno") not in (None, "") or "transaction_ref" not in row:
        return record
    return {**row, "refno": row["transaction_ref"]}
