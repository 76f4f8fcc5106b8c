"""The sale of an event's tickets: orders, and the guests that they are for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from api_sandbox.events.data import Account
    from api_sandbox.fake import Person

_QUESTIONS = ("Any dietary needs?", "T-shirt size?", "How did you hear of us? 👂")
_ANSWERS = ("Vegetarian", "None", "M", "A friend", "", "Ὀλίγα — très peu")
_PAYMENTS = ("Credit Card", "PayPal", "Invoice", "Free")
_STATUSES = ("Confirmed", "Confirmed", "Confirmed", "Pending", "Cancelled", "Refunded")


def stamp(moment: datetime) -> str:
    """A time as the API writes it: without a zone."""
    return moment.isoformat(timespec="seconds")


class Orders:
    """The sale of one event's tickets."""

    def __init__(
        self, account: Account, event: dict[str, Any], start: datetime, tickets: list[dict[str, Any]]
    ) -> None:
        self.account, self.fake, self.event, self.start, self.tickets = (
            account,
            account.fake,
            event,
            start,
            tickets,
        )
        self.short_id = int(self.fake.digits(6))

    def sell(self, guests: int, *, singly: bool) -> None:
        """Orders until all guests have a ticket."""
        while guests:
            count = 1 if singly else min(guests, self.fake.rng.choice((1, 1, 2, 2, 3, 4)))
            self._sell_order(count)
            guests -= count

    def _sell_order(self, count: int) -> None:
        fake, buyer = self.fake, self.fake.person()
        bought = fake.moment(self.start - timedelta(days=45), self.start)
        free = fake.chance(0.2)
        amount = 0 if free else Decimal(fake.rng.randint(500, 20_000)) / 100
        order = {
            "refno": f"{bought.year}3{self.short_id}-{fake.digits(7)}",
            "transaction_date": stamp(bought),
            "transaction_amount": amount,
            "transaction_status": fake.pick(_STATUSES),
            "email": fake.pick((buyer.email, buyer.email, buyer.email, "")),
            "buyer_first_name": buyer.first_name,
            "buyer_last_name": buyer.last_name,
            "payment_type": "Free" if free else fake.pick(_PAYMENTS[:-1]),
        }
        tables, event_id = self.account.tables, self.event["id"]
        tables["transactions"][event_id].append(self._transaction(order, count))
        for number in range(count):
            guest = buyer if number == 0 else fake.person()
            tables["attendees"][event_id].append(self._attendee(order, guest))

    def _transaction(self, order: dict[str, Any], count: int) -> dict[str, Any]:
        fake = self.fake
        hours, minutes = map(int, (self.event["utc_offset"] or "+00:00").split(":"))
        row = {
            **order,
            "checkout_id": self.account.new_id("transactions"),
            "tickets_in_transaction": count,
            # As recorded: in another zone than the attendees', and not the event's id but its short number.
            "event_date": stamp(
                self.start - timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes)
            ),
            "user_id": self.account.tables["users"][0]["id"],
            "event_id": self.short_id,
            "title": self.event["title"],
            "promo_code": fake.pick(("", "", "", "EARLY10")),
            "comments": fake.pick(("", "", "", fake.sentence())),
            "transaction_tax": fake.rng.choice((0, 0, Decimal("5.50"))),
            "transaction_discount": 0,
            "eventzilla_fee": fake.rng.choice((0, Decimal("1.5"))),
        }
        fake.some_strings(row, ("transaction_amount",))
        return fake.some_null(row, keep=("refno", "checkout_id"), share=0.005)

    def _attendee(self, order: dict[str, Any], guest: Person) -> dict[str, Any]:
        fake = self.fake
        row = {
            "id": self.account.new_id("attendees"),
            "event_id": self.event["id"],
            **order,
            "first_name": guest.first_name,
            "last_name": guest.last_name,
            "email": fake.pick((guest.email, guest.email, guest.email, "")),
            "ticket_type": fake.pick(ticket["title"] or "" for ticket in self.tickets),
            "bar_code": f"{self.short_id}{fake.digits(12)}",
            "is_attended": fake.pick(("Yes", "No")),
            "questions": self._answers(),
            "event_date": stamp(self.start),
        }
        if fake.chance(0.2):
            row |= {"title": self.event["title"], "user_id": self.account.tables["users"][0]["id"]}
        fake.some_strings(row, ("transaction_amount",))
        return fake.some_null(row, keep=("id", "event_id", "refno"), share=0.005)

    def _answers(self) -> list[dict[str, str | None]]:
        """What the guest said; the question is under a name in the plural, seldom in the singular."""
        fake = self.fake
        name = "question" if fake.chance(0.1) else "questions"
        asked = fake.rng.sample(_QUESTIONS, fake.rng.choice((0, 0, 1, 2)))
        return [
            {name: question, "answer": None if fake.chance(0.05) else fake.pick(_ANSWERS)}
            for question in asked
        ]
