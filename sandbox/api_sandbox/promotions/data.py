"""The rows of the promotions API: an account's brands and promotions, and who took part in them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from api_sandbox.fake import Fake, slug
from api_sandbox.promotions.extras import EXTRAS, add_extras
from api_sandbox.promotions.people import People

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

CHILDREN = ("stages", "users", "participations", "prizes", "rankings", "requirements")
"""Tables by the promotion's id as a string; requirements come only with full participations."""

_GAME = 12
_TYPES = ("0", "3", "7", str(_GAME), str(_GAME))
_LANGUAGES = ("deu", "eng", "spa", "fra", "cat", "ara", "en")
_KINDS = ("wheel", "quiz", "game", "form", "scratch card")
_STATUSES = ("active", "expired", "expired", "draft")
_SIZES = (100, 101, 250, 99, 200, 0)
"""Users of the first promotions: around the size of a page."""

_YEAR = 365
_FEWEST_DAYS = 3


def generate(
    rng: Random, promotions: int = 300, brands: int = 130, sizes: Sequence[int] = _SIZES
) -> dict[str, Any]:
    """All tables of one account, the oldest rows first; `sizes` are the users of the first promotions."""
    account = Account(Fake(rng), sizes)
    account.add_brands(brands)
    for number in range(promotions):
        account.add_promotion(number, created=timedelta(days=number * _YEAR / promotions))
    add_extras(account)
    return account.tables


class Account:
    """Tables that are being filled."""

    def __init__(self, fake: Fake, sizes: Sequence[int]) -> None:
        self.fake, self._sizes = fake, sizes
        self.tables: dict[str, Any] = {"promotions": [], "organizing_brands": []}
        self.tables |= {name: {} for name in (*CHILDREN, *EXTRAS)}
        self._ids = Counter({"brands": 5_000, "promotions": 301_000, "stages": 660_000, "users": 88_120_000})
        self._ids |= Counter({"participations": 91_500_000, "prizes": 4_410_000, "properties": 4_400})
        self._ids |= Counter({"coins": 552_000})

    def new_id(self, table: str) -> str:
        """An id that no row of the table has yet: newer rows have larger ones."""
        self._ids[table] += self.fake.rng.randint(1, 9)
        return str(self._ids[table])

    def add_brands(self, count: int) -> None:
        """Brands; most ids are strings, as everywhere in this API."""
        for number in range(count):
            wire = Wire(number)
            name = None if one_in(50, number) else self.fake.company()
            self.tables["organizing_brands"].append({"id": wire.code(self.new_id("brands")), "name": name})

    def add_promotion(self, number: int, created: timedelta) -> None:
        """A promotion with everything below it."""
        fake, wire = self.fake, Wire(number)
        first = datetime.fromisoformat("2025-02-01T08:00:00") + created
        start = first + timedelta(days=fake.rng.randint(1, 20))
        end = start + timedelta(days=fake.rng.randint(_FEWEST_DAYS, 60))
        promotion = self._promotion(wire, (first, start, end))
        self.tables["promotions"].append(promotion)
        count = 0 if one_in(29, number) else fake.rng.randint(1, 3)
        stages = [self._stage(wire, start, end) for _ in range(count)]
        people = People(self, wire, promotion["id"], [stage["id"] for stage in stages])
        users = self._sizes[number] if number < len(self._sizes) else fake.rng.choice((0, 2, 5, 11, 17, 24))
        people.join(
            users, start, end, keen=users == max(self._sizes), game=int(promotion["promotion_type"]) == _GAME
        )
        for name in CHILDREN:
            self.tables[name][str(promotion["id"])] = stages if name == "stages" else people.tables[name]

    def _promotion(self, wire: Wire, moments: tuple[datetime, datetime, datetime]) -> dict[str, Any]:
        fake, (created, start, end) = self.fake, moments
        promotion_id, title = self.new_id("promotions"), fake.title()
        brand = fake.rng.choice(self.tables["organizing_brands"])
        row: dict[str, Any] = {
            "id": wire.code(promotion_id),
            "organizing_brand": fake.rng.choice((brand, brand, brand, [], None)),
            "promotion_type": wire.code(fake.pick(_TYPES)),
            "title": title,
            "internal_ref": f"{slug(title).upper()}-{created:%y}",
            "description": fake.paragraph(),
            "status": fake.pick(_STATUSES),
            "timezone": fake.place().zone,
            "start_date": wire.moment(start),
            "end_date": wire.moment(end),
            "default_language": fake.pick(_LANGUAGES),
            "created": wire.moment(created),
            "url": f"https://promo.example/p/{promotion_id}",
        }
        if fake.chance(0.1):
            del row["internal_ref"]
        return fake.some_null(row, keep=("id", "created", "promotion_type"))

    def _stage(self, wire: Wire, start: datetime, end: datetime) -> dict[str, Any]:
        row = {
            "id": wire.code(self.new_id("stages")),
            "name": self.fake.title(),
            "type": self.fake.pick(_KINDS),
            "start_date": wire.moment(start),
            "end_date": wire.moment(end),
            "visible": self.fake.rng.choice((True, True, False, 1, 0, "1", "0")),
        }
        return self.fake.some_null(row, keep=("id",), share=0.04)


def one_in(step: int, number: int) -> bool:
    """True for one number in so many, and not for the first ones."""
    return number % step == step // 2


class Wire:
    """How the values of one promotion go over the wire: the API is not of one mind about it."""

    def __init__(self, number: int) -> None:
        self.numbers = one_in(5, number)
        """Ids and codes as numbers, as the reference has them, and not as strings."""
        self.zone = not one_in(7, number)
        """Moments in RFC 3339, and not with a blank and without a zone."""
        self.variant = number % 3
        """Shape of the entries of the ranking."""

    def code(self, digits: str) -> str | int:
        """An id or a code."""
        return int(digits) if self.numbers else digits

    def moment(self, moment: datetime) -> str:
        """A moment in UTC."""
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if self.zone else f"{moment:%Y-%m-%d %H:%M:%S}"
