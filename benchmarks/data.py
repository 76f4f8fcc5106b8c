"""The rows that every contender reads: events and their attendees, made from their numbers alone.

Nothing is random and nothing is stored, so that a server of 1,000,000 rows needs no memory for them,
and what a contender delivered can be checked against the same functions.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

FIRST_EVENT = 2_138_000_001
"""Id of the first event; the others follow."""

_NAMES = ("Ada", "Grace", "Zoë", "Mary", "Edsger", "Barbara", "Alan", "Katherine", "Jean", "Annie")
_TICKETS = ("General admission", "Early bird", "Student", "Press", "Gala dinner")
_VARIANTS = 100
"""Attendees differ by their place in the list; it starts again after so many."""


def attendee_id(event_id: int, place: int) -> int:
    """The id of the attendee at a place, counted from 0, of an event's list."""
    return event_id * 10_000 + place


def event(event_id: int) -> dict[str, Any]:
    """One row of `/events`."""
    number = event_id - FIRST_EVENT
    return {
        "id": event_id,
        "title": f"Conference no. {number}",
        "description": "Talks, workshops and a dinner; all levels are welcome.",
        "currency": "EUR",
        "start_date": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z",
        "start_time": "09:30",
        "end_date": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z",
        "end_time": "18:00",
        "time_zone": "(GMT+0100) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
        "tickets_sold": number % 400,
        "tickets_total": 400,
        "status": "Live" if number % 3 else "Completed",
        "show_remaining": number % 2 == 0,
        "url": f"https://events.example.com/e/conference-{number}",
        "venue": "Hall 3, Old Harbour",
        "categories": "Business,Conference",
        "language": "en",
    }


def attendee(event_id: int, place: int) -> dict[str, Any]:
    """One row of `/events/{event_id}/attendees`."""
    return {"id": attendee_id(event_id, place), "event_id": event_id, **_attendee(place % _VARIANTS)}


def _dirtied(row: dict[str, Any], place: int) -> dict[str, Any]:
    """A row with a field more; one of ten with a value that does not fit, another of ten with odd texts."""
    odd: dict[int, dict[str, Any]] = {
        3: {"is_attended": True},
        7: {"transaction_amount": f"{place}.50", "refno": " NaN "},
    }
    return {**row, **odd.get(place % 10, {}), "seat": f"{place % 40}A"}


@cache
def _attendee(variant: int) -> dict[str, Any]:
    first, last = _NAMES[variant % 10], _NAMES[(variant // 10 + 3) % 10] + "son"
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}.{variant}@example.com".lower(),
        "ticket_type": _TICKETS[variant % 5],
        "bar_code": f"2138{variant:04}1500{variant * 37 % 1000:04}",
        "is_attended": "Yes" if variant % 4 else "No",
        "questions": [{"questions": "Diet", "answer": "vegetarian" if variant % 2 else None}],
        "refno": f"T{variant:06}A",
        "transaction_date": f"2026-03-{variant % 28 + 1:02}T10:{variant % 60:02}:00Z",
        "transaction_amount": variant + 0.25,
        "transaction_status": "Confirmed",
        "event_date": "Sat, 14 Nov 2026 09:30",
        "buyer_first_name": first,
        "buyer_last_name": last,
        "payment_type": "PayPal",
    }


@cache
def _template(variant: int, *, dirty: bool) -> bytes:
    """An attendee's JSON with two gaps: its id and the event's."""
    row = _dirtied(_attendee(variant), variant) if dirty else _attendee(variant)
    rest = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return b'{"id":%d,"event_id":%d,' + rest[1:].encode()


def attendees_json(event_id: int, start: int, stop: int, *, dirty: bool) -> bytes:
    """Attendees of an event from one place of its list up to another, without the brackets."""
    return b",".join(
        _template(place % _VARIANTS, dirty=dirty) % (attendee_id(event_id, place), event_id)
        for place in range(start, stop)
    )


def events_json(start: int, stop: int) -> bytes:
    """Events from one place of their list up to another, without the brackets."""
    rows = (event(FIRST_EVENT + place) for place in range(start, stop))
    return ",".join(json.dumps(row, separators=(",", ":")) for row in rows).encode()
