"""`SecondTries`: lists that seem to be gone, or were tried in haste, are asked for once more in the run.

What stands before an API answers 404 or 403 for a moment too, as in mid-deploy. So where that came in place
of a list's first page, nothing is said of the list until it was asked for again. That costs a request for
each such list, and only a few where these say the same again. So is a list read again that had a first page
and then none: if that is gone too, the parent was deleted meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from requests import codes

from tap_core.errors import NotFound, Refused, Unanswered
from tap_core.losses import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_sdk.helpers.types import Context

    from tap_core.errors import ApiError
    from tap_core.left_below import Above
    from tap_core.reading import Reading

_MOST = 5000
"""Lists that wait for their second try; of any more the first one counts."""

_IN_VAIN = 5
"""Second tries in a row that say the same, until it is believed of the other lists too: that the key has no
right to any, say, or that most parents have none. One that is not answered counts as three: it takes long."""

_MOMENT = 1.0
"""Seconds that lie between the two tries at least, in so far as a run waits for that: once, and no longer."""

_NOT_THERE = {codes.not_found, codes.gone}
"""Of a list's later page, and then of the first: its parent was deleted while it was read."""

_OLD = 60.0
"""Seconds after which lists are tried again before the end is reached: checkpoints wait for them."""


@dataclass
class Doubt:
    """A list that is to be tried again."""

    reading: Reading
    context: Context | None
    above: tuple[Above, ...]
    """The streams above, the uppermost one first."""
    error: ApiError | None
    """How the first try failed; None if there was none."""
    kind: tuple[Any, ...]
    """What lists have in common that fail alike."""
    since: float
    is_hurried: bool
    """Whether it is worth a single request only."""
    again: ApiError | None = None
    """How the second one failed."""
    has_passed: bool = False


class SecondTries:
    """The lists of a run that are tried again.

    Args:
        moment: Seconds that lie between the two tries at least.
    """

    def __init__(self, moment: float) -> None:
        self.streams: list[Doubt] = []
        """Those of streams without a parent."""
        self.waiting: list[Doubt] = []
        """All others: those below the stream that is being read."""
        self.current: Doubt | None = None
        """What is tried again now."""
        self._moment = self._patience = min(moment, _MOMENT)
        self._in_vain: Counter[tuple[Any, ...]] = Counter()

    def keeps_failed(
        self, reading: Reading, context: Context | None, above: tuple[Above, ...], error: ApiError
    ) -> bool:
        """Whether nothing is to be said yet of a list that could not be read, or not to its end.

        Args:
            reading: The stream's.
            context: The parent's ids, or None.
            above: The streams above.
            error: How it failed.
        """
        if doubt := self.current_of(reading, context):
            error.had_begun = doubt.error is not None and not doubt.error.at_start
            doubt.again = error
            return True
        is_missing = reading.says_missing(error)
        in_haste = context is not None and reading.is_failing and not is_missing
        if context is not None and not is_missing and not isinstance(error, NotFound):
            reading.lists_fail(error)
        has_vanished = context is not None and not error.at_start and error.status in _NOT_THERE
        is_doubtful = has_vanished or (error.at_start and (in_haste or _seems_gone(reading, error)))
        return is_doubtful and self.keep(reading, context, above, error)

    def keep(
        self, reading: Reading, context: Context | None, above: tuple[Above, ...], error: ApiError | None
    ) -> bool:
        """Whether a list is tried again later, so that nothing is to be said of it now.

        Args:
            reading: The stream's.
            context: The parent's ids, or None.
            above: The streams above.
            error: How its first page failed; None if it was not asked for, as others failed alike.
        """
        kind = _kind(reading, context, error)
        if len(self.waiting) >= _MOST or self._is_sure(kind):
            return False
        is_hurried = error is None or not _seems_gone(reading, error)
        doubt = Doubt(reading, context, above, error, kind, time.monotonic(), is_hurried)
        (self.streams if context is None else self.waiting).append(doubt)
        return True

    def current_of(self, reading: Reading, context: Context | None) -> Doubt | None:
        """What is tried again now, if it is this list."""
        doubt = self.current
        is_it = doubt is not None and doubt.reading is reading and (doubt.context or {}) == (context or {})
        return doubt if is_it else None

    def due(self, *, at_end: bool) -> list[Doubt]:
        """Those to be tried now: at the end all, before it the old ones. They wait no more."""
        since = time.monotonic() - _OLD
        found = list(takewhile(lambda doubt: at_end or doubt.since < since, self.waiting))
        self.waiting = self.waiting[len(found) :]
        return found

    def try_again(self, doubts: Iterable[Doubt], read: Callable[[Doubt], None]) -> None:
        """Try lists again, the last one first: those that failed alike are neighbours.

        Args:
            doubts: The lists.
            read: Reads one; how that fails it puts down in `again`.
        """
        for doubt in reversed([*doubts]):
            if self._is_sure(doubt.kind):
                continue
            self._wait(doubt)
            self.current, doubt.reading.is_hurried = doubt, doubt.is_hurried
            try:
                read(doubt)
            finally:
                self.current, doubt.reading.is_hurried = None, False
            doubt.has_passed = doubt.again is None
            if doubt.again and doubt.again.at_start is (doubt.error is None or doubt.error.at_start):
                self._in_vain[doubt.kind] += 1 + 2 * isinstance(doubt.again, Unanswered)
            else:
                self._in_vain[doubt.kind] = 0

    def _is_sure(self, kind: tuple[Any, ...]) -> bool:
        return self._in_vain[kind] >= _IN_VAIN

    def _wait(self, doubt: Doubt) -> None:
        """Let a moment pass since the first try, if none has."""
        seconds = min(self._patience, doubt.since + self._moment - time.monotonic())
        if seconds > 0:
            self._patience -= seconds
            time.sleep(seconds)


def _seems_gone(reading: Reading, error: ApiError) -> bool:
    """Whether a status says that there is no such list, or none for this key; an API can have its own."""
    says_so = error.status is not None and reading.stream.means_no_such_list(error)
    return says_so or isinstance(error, (NotFound, Refused))


def _kind(reading: Reading, context: Context | None, error: ApiError | None) -> tuple[Any, ...]:
    """What the failure of a list has in common with others: the API's own words too, but for ids."""
    tells = error and _seems_gone(reading, error) and not isinstance(error, Refused)  # which can name each
    text = str(error) if tells else ""
    ids = [*"0123456789", *map(str, (context or {}).values())]
    words = " ".join(word for word in text.split() if not any(name in word for name in ids))
    return reading.name, *(kind_of(error) if error else reading.last_failure), words
