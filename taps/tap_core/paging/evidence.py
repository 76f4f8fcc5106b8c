"""What the lists of one endpoint have shown in this run: why an end is believed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_core.paging.page import Page

ALIKE = 5
"""Lists that must have shown the same before it is expected of another."""

_TINY = 10
_HEAVY = 0.75
_WHOLES = 50
"""Lists that must have been whole before others that are as heavy are believed to be."""

LIGHT = 20_000
"""Bytes that no server sends in two pieces."""


@dataclass
class Evidence:
    """What is known of one endpoint; shared by its lists, and forgotten with the run.

    Attributes:
        longest: Records in the longest page.
        heaviest: Bytes of the heaviest first page's records.
        confirmed_totals: How often a full page that reached a total of this many records was the last one.
        refuted_totals: Totals of records behind which more came.
        believed: Lengths of short pages that were taken for the last ones of their lists, without proof.
        short_ends: Lengths of last pages behind which nothing stood.
        proven_ends: How often nothing stood behind a short page of known rows; 0 again once something did.
        unpaged: Lists that came whole, whatever was asked for; 0 again once a list went on.
        longest_unpaged: Records in the longest of these.
        longest_whole: Records in the longest list that came in one response, behind which nothing stands.
        heaviest_whole: Bytes of the records of the heaviest one.
        heaviest_row: Bytes of the heaviest record of such lists.
        wholes: How many of them were looked behind.
        placeless: How many of them were refused at any place, the first one too.
        cuts: Whether a list that should come so went on behind its first page.
        volatile: Rows in a row that were sent unlike before although they had kept their place.
        steady: Looks in a row at ends of pages that no row had passed: others insert rows there.
    """

    longest: int = 0
    heaviest: int = 0
    confirmed_totals: Counter[int] = field(default_factory=Counter)
    refuted_totals: set[int] = field(default_factory=set)
    believed: set[int] = field(default_factory=set)
    short_ends: set[int] = field(default_factory=set)
    proven_ends: int = 0
    unpaged: int = 0
    longest_unpaged: int = 0
    longest_whole: int = 0
    heaviest_whole: int = 0
    heaviest_row: int = 0
    wholes: int = 0
    placeless: int = 0
    cuts: bool = False
    volatile: int = 0
    steady: int = 0

    def ends_short(self, page: Page, asked: int) -> bool:
        """Whether a page of few records is believed to be the last.

        Only where the server has sent longer pages: else the number can be its limit; so can one that comes
        twice, until nothing was behind such a page. And only if it is well below that length: pages that lack
        a few rows are those of servers that hide rows. It is not where so few rows weigh nearly as much as
        any page: some servers cut pages by their weight.
        """
        count = page.span
        if self.unpaged >= ALIKE and count < asked and count <= self.longest_unpaged:
            return True
        if count >= _TINY and self.is_unproved(count):
            return False
        if 2 * count > self.longest:
            return count < self.longest and _TINY * count <= asked
        return count < self.longest and page.weight <= _HEAVY * self.heaviest

    def is_unproved(self, length: int) -> bool:
        """Whether a list was taken to end with a page of this length, and none was seen to."""
        return length in self.believed and length not in self.short_ends

    def confirms(self, total: int) -> bool:
        """Whether a full page that reaches this total is known to be the last one."""
        return self.confirmed_totals[total] >= ALIKE and total not in self.refuted_totals

    def is_whole(self, count: int, weight: int) -> bool:
        """Whether a response is believed to be all of a list: no server's pages are so short, nor so light.

        Some cut what they send by its weight: another row would have had a place in it, unless many such
        lists were whole, and none was cut.
        """
        if count < _TINY and weight <= LIGHT:
            return not self.cuts or weight + self.heaviest_row <= self.heaviest
        margin = self.heaviest_row if self.wholes < _WHOLES else 0
        is_short = count < max(_TINY, self.longest_whole) and not self.is_unproved(count)
        return is_short and weight + margin <= self.heaviest_whole and not self.cuts

    def note_whole(self, count: int, weight: int) -> None:
        """Nothing stands behind a response of so many records and bytes."""
        self.wholes += 1
        self.short_ends.add(count)
        self.longest_whole = max(self.longest_whole, count)
        self.heaviest_whole = max(self.heaviest_whole, weight)
