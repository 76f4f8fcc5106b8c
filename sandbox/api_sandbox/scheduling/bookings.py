"""The bookings of the scheduling API: plain, recurring, seated, and recurring seated ones in one list."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from api_sandbox.fake import unique_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api_sandbox.fake import Fake

Row = dict[str, Any]

_FIRST, _LAST = datetime(2025, 1, 6, tzinfo=timezone.utc), datetime(2026, 1, 30, tzinfo=timezone.utc)
_SERIES = 24
"""Bookings of a series that is cancelled at once, which gives them all the same `updatedAt`."""
_STATUSES = ("accepted", "accepted", "accepted", "accepted", "pending", "cancelled", "rejected")
_LANGUAGES = ("en", "es", "pt-BR", None)


def stamp(moment: datetime) -> str:
    """A time as the API writes it: UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Bookings:
    """Makes the bookings of a user."""

    def __init__(self, fake: Fake, user: Row, event_types: Sequence[Row]) -> None:
        self.fake = fake
        self.user = user
        self.event_types = event_types

    def make(self, count: int) -> list[Row]:
        """So many bookings; some were never changed, and of some the event type is gone."""
        ids = unique_ids(self.fake.rng, count, 24_911_800, 90)[::-1]
        span = (_LAST - _FIRST) / count
        rows = [self._booking(id_, _FIRST + place * span) for place, id_ in enumerate(ids)]
        changed = stamp(_FIRST + span * count * 0.6 + timedelta(milliseconds=77))
        for row in rows[: _SERIES * 2 : 2]:
            row |= {"recurringBookingUid": "series-1", "status": "cancelled", "updatedAt": changed}
        self.fake.rng.shuffle(rows)
        return rows

    def _booking(self, id_: int, created: datetime) -> Row:
        fake = self.fake
        created += timedelta(milliseconds=fake.rng.randrange(3_600_000))
        updated = created + timedelta(
            hours=fake.rng.choice((0, 0, 30, 300)), milliseconds=fake.rng.randrange(90_000)
        )
        start = created.replace(minute=15, second=0, microsecond=0) + timedelta(days=fake.rng.randint(1, 60))
        event_type = None if fake.chance(0.04) else fake.rng.choice(self.event_types)
        length, seated = fake.rng.choice((15, 30, 45)), fake.chance(0.15)
        uid, status = f"h{id_}QmP2cRkT9s", fake.pick(_STATUSES)
        link = fake.rng.choice(
            (None, "integrations:daily", f"https://app.example/video/{uid}", fake.street())
        )
        row: Row = {
            "id": id_,
            "uid": uid,
            "title": f"{event_type['title'] if event_type else 'Call'} between us and {fake.word('first')}",
            "description": fake.rng.choice((None, "", fake.paragraph())),
            "status": status,
            "start": stamp(start),
            "end": stamp(start + timedelta(minutes=length)),
            "duration": Decimal("22.5") if fake.chance(0.03) else length,
            "eventTypeId": event_type["id"] if event_type else None,
            "eventType": {"id": event_type["id"], "slug": event_type["slug"]} if event_type else None,
            "location": link,
            "meetingUrl": link,
            "absentHost": fake.chance(0.05),
            "createdAt": stamp(created),
            "updatedAt": None if fake.chance(0.06) else stamp(min(updated, _LAST)),
            "cancellationReason": fake.sentence() if status == "cancelled" else "",
            "rescheduledByEmail": None,
            "rating": fake.rng.choice((None, None, 5, Decimal("4.5"))),
            "icsUid": fake.rng.choice((None, f"{uid}@example")),
            "metadata": fake.rng.choice(({}, {"campaign": "autumn", "depth": {"n": [1, None]}})),
            "hosts": [self._host()],
        }
        if fake.chance(0.1):
            row["recurringBookingUid"] = f"series-{fake.rng.randint(2, 9)}"
        return row | (self._seats() if seated else self._answers())

    def _host(self) -> Row:
        """The user; or somebody whose account was deleted, which has no number."""
        if self.fake.chance(0.04):
            return {"id": "unknown", "name": "unknown", "email": "unknown", "username": "unknown"}
        user = self.user
        return {
            **{name: user[name] for name in ("id", "name", "email", "username", "timeZone")},
            "displayEmail": user["email"],
        }

    def _attendee(self) -> Row:
        person = self.fake.person()
        row = {
            "name": f"{person.first_name} {person.last_name}",
            "email": person.email,
            "displayEmail": person.email,
            "timeZone": self.fake.place().zone,
            "language": self.fake.rng.choice(_LANGUAGES),
            "absent": self.fake.chance(0.1),
        }
        return row | ({"phoneNumber": self.fake.phone()} if self.fake.chance(0.2) else {})

    def _seats(self) -> Row:
        """Several people with answers of their own; the booking has none."""
        seats = [
            {
                **self._attendee(),
                "seatUid": f"seat-{self.fake.digits(8)}",
                "bookingFieldsResponses": {"t-shirt": "m"},
                "metadata": self.fake.rng.choice((None, {}, {"row": 3})),
            }
            for _ in range(self.fake.rng.randrange(5))
        ]
        return {"attendees": seats}

    def _answers(self) -> Row:
        """One person, the guests that it brings, and its answers to the form's questions."""
        attendee, guest = self._attendee(), self.fake.person().email
        first, last = attendee["name"].split(" ", 1)
        split = self.fake.chance(0.1)
        answers: Row = {
            "name": {"firstName": first, "lastName": last} if split else attendee["name"],
            "email": attendee["email"],
            "displayEmail": attendee["email"],
            "location": {"value": "integrations:daily", "optionValue": ""},
            "t-shirt": self.fake.rng.choice(("m", ["m", "l"], True)),
        }
        row: Row = {"attendees": [attendee], "bookingFieldsResponses": answers, "cancelledByEmail": ""}
        if self.fake.chance(0.3):
            answers["guests"] = row["guests"] = [guest]
        return row
