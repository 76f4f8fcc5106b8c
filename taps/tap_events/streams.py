"""The endpoints of the event-management API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_events.client import EventsStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class Events(EventsStream):
    """One row per event of the account."""

    name = "events"
    path = "/events"
    child_keys = {"event_id": "id"}


class Categories(EventsStream):
    """One row per category that events can have; its name is all there is of it."""

    name = "categories"
    path = "/categories"
    primary_keys = ("category",)


class Users(EventsStream):
    """One row per organizer and sub-organizer of the account."""

    name = "users"
    path = "/users"


class Attendees(EventsStream):
    """One row per person registered for an event."""

    name = "attendees"
    path = "/events/{event_id}/attendees"
    parent_stream_type = Events
    mended = ("questions",)

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
    parent_stream_type = Events


class Transactions(EventsStream):
    """One row per order of tickets.

    Its own `event_id` is another, shorter number than the event's `id`, which is in `parent_event_id`.
    """

    name = "transactions"
    path = "/events/{event_id}/transactions"
    primary_keys = ("refno",)
    parent_stream_type = Events
    parent_fields = {"parent_event_id": "event_id"}
    mended = ("refno", "transaction_ref")

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """The order's reference is called `refno`, and `transaction_ref` in some answers."""
        if row.get("refno") in (None, "") and "transaction_ref" in row:
            row["refno"] = row["transaction_ref"]
        return row
