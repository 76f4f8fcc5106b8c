"""Believable names, words and places, chosen by a seeded source of chance."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from random import Random

_TEXT = """
first: Noor Dana Amara Björn Chloé Diego Eilidh Farid Grace Hana
first: Ivan Jürgen Kofi Lena Mateus Nadia Olu Priya Quinn
first: Rosa Søren Tariq Uma Viktor Wanda Xiomara Yusuf Zoë 美咲
first: Дмитрий Ἑλένη محمد Ümit Łukasz Siobhán D'Arcy
last: Haddad Reyes Okafor Lindström Müller O'Brien Nguyễn Kowalski Rossi Dubois
last: Schmidt Tanaka Ivanova García Chen
last: Patel Smith Johansson Şahin Costa van-der-Berg Mbeki Kim Novák Papadopoulos 𠮷田 Петров الحسن
noun: harbour orchestra garden market pier lantern river library bakery studio
noun: bridge meadow workshop comet gallery
noun: anchor museum forest theatre kitchen
adjective: quiet bright annual open little northern golden rolling hidden first
adjective: local silver wandering early
verb: explore taste build hear meet draw repair plant discuss celebrate
firm: Arts Group GmbH Söhne Ltd Collective
emoji: 🎷 🎪 🎟️ 🧑‍🍳 🌍 🪩
"""
_PLACES = """
Boston|MA|United States|US|02110|America/New_York|Eastern Standard Time|EST|-05:00|USD|$
Denver|CO|United States|US|80202|America/Denver|Mountain Standard Time|MST|-07:00|USD|$
Leeds||United Kingdom|GB|LS1 4AP|Europe/London|GMT Standard Time|GMT|+00:00|GBP|£
Malmö|Skåne|Sweden|SE|211 20|Europe/Stockholm|W. Europe Standard Time|CET|+01:00|SEK|kr
Köln|NRW|Germany|DE|50667|Europe/Berlin|W. Europe Standard Time|CET|+01:00|EUR|€
Bengaluru|KA|India|IN|560001|Asia/Kolkata|India Standard Time|IST|+05:30|INR|₹
大阪|大阪府|Japan|JP|530-0001|Asia/Tokyo|Tokyo Standard Time|JST|+09:00|JPY|¥
São Paulo|SP|Brazil|BR|01001-000|America/Sao_Paulo|E. South America Standard Time|BRT|-03:00|BRL|R$
"""
_STREETS = (
    "Harbour Road",
    "Mill Lane",
    "Königsallee",
    "Rue de l'Église",
    "5th Avenue",
    "Calle del Río",
    "Kungsgatan",
)


def _word_lists() -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for line in _TEXT.strip().splitlines():
        name, _, words = line.partition(": ")
        lists.setdefault(name, []).extend(words.split())
    return lists


_WORDS = _word_lists()


class Place(NamedTuple):
    """A city with what forms and APIs want to know of it."""

    city: str
    region: str
    country: str
    country_code: str
    zip_code: str
    zone: str
    windows_zone: str
    zone_code: str
    utc_offset: str
    currency: str
    symbol: str


PLACES = tuple(Place(*line.split("|")) for line in _PLACES.strip().splitlines())


class Person(NamedTuple):
    """Somebody with a mail address."""

    first_name: str
    last_name: str
    email: str


class Fake:
    """Chance, dressed up."""

    def __init__(self, rng: Random) -> None:
        """All chance comes from ``rng``."""
        self.rng = rng

    def chance(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.rng.random() < share

    def pick(self, choices: Iterable[str]) -> str:
        """One of them."""
        return self.rng.choice(tuple(choices))

    def word(self, kind: str) -> str:
        """A word of a kind: first, last, noun, adjective, verb, firm or emoji."""
        return self.rng.choice(_WORDS[kind])

    def person(self) -> Person:
        """A name, and an address that fits it."""
        first, last = self.word("first"), self.word("last")
        return Person(first, last, f"{slug(first)}.{slug(last)}{self.rng.randrange(1000)}@mail.example")

    def company(self) -> str:
        """A firm's name."""
        return f"{self.word('noun').title()} & {self.word('firm')}"

    def title(self) -> str:
        """Some words with capitals; now and then with a character outside of the basic plane."""
        title = f"{self.word('adjective')} {self.word('noun')} {self.word('noun')}".title()
        return f"{title} {self.word('emoji')}" if self.chance(0.08) else title

    def sentence(self) -> str:
        """One sentence."""
        verbs = (
            f"{self.word('verb')} the {self.word('adjective')} {self.word('noun')} and {self.word('verb')}"
        )
        return f"{verbs} a {self.word('noun')}.".capitalize()

    def paragraph(self) -> str:
        """A few sentences, some with line breaks, quotes, entities and characters of 4 bytes."""
        text = " ".join(self.sentence() for _ in range(self.rng.randint(1, 4)))
        odd = f'"{text}"\nSee you & yours\u2028there!'
        return self.rng.choice((text, text, odd, f"{text} {self.word('emoji')}"))

    def street(self) -> str:
        """A house number and a street."""
        return f"{self.rng.randint(1, 240)} {self.rng.choice(_STREETS)}"

    def place(self) -> Place:
        """A city."""
        return self.rng.choice(PLACES)

    def phone(self) -> str:
        """A number that nobody has."""
        return f"+1 617 555 {self.rng.randint(100, 199):04d}"

    def digits(self, length: int) -> str:
        """A string of digits, the first not 0."""
        return str(self.rng.randint(10 ** (length - 1), 10**length - 1))

    def moment(self, start: datetime, end: datetime) -> datetime:
        """A whole second between two others."""
        return start + timedelta(seconds=self.rng.randrange(max(1, int((end - start).total_seconds()))))

    def some_null(self, row: dict[str, Any], keep: Iterable[str], share: float = 0.02) -> dict[str, Any]:
        """Set this share of the fields, but for those to ``keep``, to null."""
        for name in row:
            if name not in keep and self.chance(share):
                row[name] = None
        return row

    def some_strings(self, row: dict[str, Any], names: Iterable[str], share: float = 0.1) -> dict[str, Any]:
        """Turn the named numbers into strings in this share of the rows."""
        if self.chance(share):
            row.update({name: str(row[name]) for name in names if row.get(name) is not None})
        return row


def slug(text: str) -> str:
    """The text as a part of an address: lower-case ASCII, never empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or f"x{sum(map(ord, text)) % 1000}"


def unique_ids(rng: Random, count: int, below: int, step: int) -> list[int]:
    """Ids that fall from ``below`` by up to ``step`` each: newer things have smaller ones."""
    ids = []
    for _ in range(count):
        below -= rng.randint(1, step)
        ids.append(below)
    return ids
