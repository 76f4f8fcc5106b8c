"""What the lists of one endpoint have shown in this run: why an end is believed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

ALIKE = 5
"""Lists that must have shown the same before it is expected of another."""

_TINY = 10


@dataclass
class Evidence:
    """What is known of one endpoint; shared by its lists, and forgotten with the run.

    Attributes:
        longest: Records in the longest page.
        confirmed_totals: How often a full page that reached a total of this many records was the last one.
        unpaged: Lists that came whole, whatever was asked for; 0 again once a list went on.
        longest_unpaged: Records in the longest of these.
        longest_whole: Records in the longest list that came in one response, behind which nothing stands.
        volatile: Rows in a row that were sent unlike before although they had kept their place.
    """

    longest: int = 0
    confirmed_totals: Counter[int] = field(default_factory=Counter)
    unpaged: int = 0
    longest_unpaged: int = 0
    longest_whole: int = 0
    volatile: int = 0

    def ends_short(self, count: int, asked: int) -> bool:
        """Whether a first page of so few records is believed to be all.

        Only where the server has sent longer pages: else the number can be its limit. And only if it is
        well below that length: pages that lack a few rows are those of servers that hide rows.
        """
        if self.unpaged >= ALIKE and count < asked and count <= self.longest_unpaged:
            return True
        return count < self.longest and (2 * count <= self.longest or _TINY * count <= asked)

    def confirms(self, total: int) -> bool:
        """Whether a full page that reaches this total is known to be the last one."""
        return self.confirmed_totals[total] >= ALIKE

    def is_whole(self, count: int) -> bool:
        """Whether a response of so few records is believed to be all: no server's pages are so short."""
        return count < max(_TINY, self.longest_whole)
