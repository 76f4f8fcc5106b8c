"""`SchemaDrift`: which fields of a stream come otherwise than its schema says, and often."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tap_core.records.conform import UNMAPPED
from tap_core.records.values import is_field_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_core.records.conform import Path

_FEW = 4
_MOST_LEARNED, _MOST_COUNTED = 128, 1000


class SchemaDrift:
    """The fields that a stream's struct is to take loosely, learned from records that did not fit it.

    A struct is built anew after 1, 2, 4, 8, … more such records, so that building costs little next to
    them. Fields that hardly any record has are not learned: where each record has others, they have no end.
    """

    def __init__(self) -> None:
        self.learned: set[Path] = set()
        self._counts: Counter[Path] = Counter()
        self._records = 0
        self._enough = 1

    def note(self, odd: Iterable[Path]) -> bool:
        """Count the odd fields of a record; whether there is more to be learned now."""
        self._records += 1
        if len(self._counts) < _MOST_COUNTED:
            self._counts.update(odd)
        if self._records < self._enough:
            return False
        least = 1 if self._records <= _FEW else max(2, self._records // _MOST_LEARNED)
        known = len(self.learned)
        for path, count in self._counts.most_common(_MOST_LEARNED - known):
            if count >= least and all(map(is_field_name, path)) and path != (UNMAPPED,):
                self.learned.add(path)
        self._counts.clear()
        self._records = 0
        self._enough *= 2
        return len(self.learned) > known
