"""The rows of the events API: an organizer's account with its events, their tickets, buyers and guests."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from api_sandbox.events.orders import Orders, stamp
from api_sandbox.fake import Fake, slug, unique_ids

if TYPE_CHECKING:
    from random import Random

    from api_sandbox.fake import Place

_NEWEST_ID = 2_147_000_000
_CATEGORIES = (
    *(
        "Arts",
        "Business",
        "Charity",
        "Community",
        "Conferences",
        "Dance",
        "Education",
        "Family",
        "Fashion",
        "Film",
    ),
    *(
        "Food & Drink",
        "Health",
        "Hobbies",
        "Music",
        "Nightlife",
        "Outdoors",
        "Science",
        "Social Events",
        "Sports",
    ),
    *("Technology", "Théâtre"),
)
_SIZES = (100, 101, 200, 345, 120, 150, 133, 250, 118, 199)
"""Guests of the ten largest events: around the limit of a page."""


def generate(rng: Random, events: int = 300, users: int = 25) -> dict[str, Any]:
    """All tables of one account."""
    account = Account(Fake(rng))
    account.add_users(users)
    for number, event_id in enumerate(unique_ids(rng, events, 2_138_990_000, 1500)):
        account.add_event(number, event_id)
    rng.shuffle(account.tables["events"])
    return account.tables


class Account:
    """Tables that are being filled."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.tables: dict[str, Any] = {
            name: {} for name in ("attendees", "tickets", "donations", "transactions")
        }
        self.tables |= {"events": [], "users": [], "categories": [{"category": name} for name in _CATEGORIES]}
        self._last_ids: dict[str, int] = defaultdict(lambda: _NEWEST_ID)

    def new_id(self, table: str) -> int:
        """An id that no row of the table has yet: newer rows have smaller ones."""
        self._last_ids[table] -= self.fake.rng.randint(1, 40)
        return self._last_ids[table]

    def add_users(self, count: int) -> None:
        """The organizer, and those who work for it."""
        for number in range(count):
            fake, person, place = self.fake, self.fake.person(), self.fake.place()
            seen = fake.moment(datetime.fromisoformat("2025-01-01"), datetime.fromisoformat("2026-03-01"))
            row = {
                "id": self.new_id("users"),
                "username": f"{slug(person.first_name)}.{slug(person.last_name)}{number}",
                "first_name": person.first_name,
                "last_name": person.last_name,
                "company": fake.company(),
                "address_line1": fake.street(),
                "address_line2": "",
                "zip_code": place.zip_code,
                "address_locality": place.city,
                "address_region": place.region,
                "address_country": place.country,
                "email": person.email,
                "timezone": place.windows_zone,
                "website": fake.pick(("", f"https://{slug(person.last_name)}.example")),
                "phone_primary": fake.phone(),
                "avatar_url": "",
                "facebook_id": "",
                "twitter_id": "",
                "last_seen": fake.pick((stamp(seen), seen.strftime("%m/%d/%Y %I:%M:%S %p"))),
                "user_type": "sub-organizer" if number else "organizer",
            }
            self.tables["users"].append(fake.some_null(row, keep=("id", "username"), share=0.1))

    def add_event(self, number: int, event_id: int) -> None:
        """An event with everything below it."""
        fake, place = self.fake, self.fake.place()
        day = datetime.fromisoformat("2025-01-04") + timedelta(days=fake.rng.randrange(600))
        start = day + timedelta(minutes=15 * fake.rng.randrange(32, 84))
        guests = (
            _SIZES[number] if number < len(_SIZES) else 0 if fake.chance(0.15) else fake.rng.randint(1, 45)
        )
        event = self._event(event_id, place, start, guests)
        self.tables["events"].append(event)
        self.tables["tickets"][event_id] = tickets = self._tickets(
            start, none=guests == 0 and fake.chance(0.5)
        )
        self.tables["donations"][event_id] = self._donations(start) if fake.chance(0.15) else []
        self.tables["attendees"][event_id] = []
        self.tables["transactions"][event_id] = []
        if guests:
            Orders(self, event, start, tickets).sell(guests, singly=number == 0)

    def _event(self, event_id: int, place: Place, start: datetime, guests: int) -> dict[str, Any]:
        fake = self.fake
        title, text = fake.title(), fake.paragraph()
        end = start + timedelta(minutes=30 * fake.rng.randint(2, 20))
        row = {
            "id": event_id,
            "title": title,
            "description": text,
            "currency": place.symbol,
            "start_date": stamp(start.replace(hour=0, minute=0)),
            "start_time": f"{start:%H:%M}",
            "end_date": stamp(end.replace(hour=0, minute=0)),
            "end_time": f"{end:%H:%M}",
            "time_zone": place.windows_zone,
            "tickets_sold": guests,
            "tickets_total": guests + fake.rng.randrange(200),
            "status": fake.pick(("Live", "Live", "Completed", "Completed", "Unpublished"))
            if guests
            else "Draft",
            "show_remaining": fake.chance(0.5),
            "twitter_hashtag": fake.pick(("", "", f"#{slug(title).replace('-', '')}")),
            "utc_offset": place.utc_offset,
            "invite_code": "",
            "url": f"https://events.example/e/{slug(title)}-{event_id}",
            "logo_url": "",
            "bgimage_url": fake.pick(("", f"https://images.example/{event_id}.jpg")),
            "venue": f"{fake.street()}, {place.city}, {place.country}",
            "dateid": event_id - 380_298,
            "categories": ",".join(sorted(fake.rng.sample(_CATEGORIES, fake.rng.randint(1, 3)))),
            "language": "en",
            "description_html": f"<p>{text}</p>",
            "timezone_code": place.zone_code,
        }
        if fake.chance(0.05):
            del row["start_time"], row["end_time"]
        return fake.some_null(row, keep=("id", "url"))

    def _tickets(self, start: datetime, *, none: bool) -> list[dict[str, Any]]:
        """The kinds of tickets that are on sale."""
        names = (
            ()
            if none
            else self.fake.rng.sample(
                ("Standing", "Seat", "Student", "VIP ✨", "Früh", "Kids"), self.fake.rng.randint(1, 4)
            )
        )
        return [self._ticket(name, start) for name in names]

    def _ticket(self, name: str, start: datetime) -> dict[str, Any]:
        fake = self.fake
        free, instalments = fake.chance(0.2), fake.chance(0.1)
        price: int | Decimal = 0 if free else fake.rng.choice((5, 12, 45, Decimal("17.50"), Decimal("99.99")))
        row = {
            "id": self.new_id("tickets"),
            "title": name,
            "quantity_total": fake.rng.choice((20, 50, 100, 500)),
            "price": price,
            "description": fake.pick(("", fake.sentence())),
            "sales_start_date": f"{start.year - 1}-12-01T00:00:00",
            "sales_start_time": "08:00",
            "sales_end_date": stamp(start.replace(hour=0, minute=0)),
            "sales_end_time": "18:00",
            "group_discount": 0,
            "group_percentage": fake.rng.choice((0, 0, 10, Decimal("12.5"))),
            "group_price": 0,
            "additional_instructions": "",
            "unlock_code": fake.pick(("", "", fake.digits(4))),
            "ticket_type": "Free" if free else "Paid",
            "boxoffice_only": fake.chance(0.05),
            "is_visible": fake.chance(0.9),
            "limit_minimum": 1,
            "limit_maximum": fake.rng.choice((4, 8, 10)),
            "allow_partial_payment": instalments,
            "partial_payment_installments": 3 if instalments else 0,
            "partial_payment_frequency": "monthly" if instalments else "",
            "partial_payment_amount": Decimal(price) / 4 if instalments else 0,
        }
        fake.some_strings(row, ("quantity_total", "price", "group_discount"), 0.3)
        if free and fake.chance(0.2):
            row["price"] = ""
        return fake.some_null(row, keep=("id",))

    def _donations(self, start: datetime) -> list[dict[str, Any]]:
        """Gifts that are asked for beside the tickets."""
        row = {
            "donationid": self.new_id("donations"),
            "title": f"Support the {self.fake.title()}",
            "description": "Any amount helps",
            "quantity_total": 500,
            "donation_minimum": 5,
            "donation_start_date": stamp(start - timedelta(days=60)),
            "donation_end_date": stamp(start),
        }
        return [self.fake.some_strings(row, ("donation_minimum",), 0.5)]
