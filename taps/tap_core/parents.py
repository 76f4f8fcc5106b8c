"""`children_since`: which parents the lists of a child stream are read for, and when they were for all.

A pass over all parents is due on a first run, every `full_read_every` days, and where the setting is not
set. Other passes leave out the lists of parents that had ended so long before the last pass that this one
read them when they had settled. STATE remembers both, for each child stream.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_core.bookmark_scope import LAST_PASS, WHOLE_PASS, forget_other_account, forget_other_filters
from tap_core.positions import instant_or_none
from tap_core.redaction import brief
from tap_core.selection import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_core.stream import ApiStream


class Parents:
    """The parents whose lists of a child stream are read in one run.

    Args:
        stream: The child.
        began: When the reading of the parents began.

    Attributes:
        are_all: Whether none is to be left out.
        is_due: Why, if that is so as the last such pass is long ago.
        skipped: How many were.
    """

    def __init__(self, stream: ApiStream, began: datetime) -> None:
        self._parent: ApiStream = stream.parent
        self._streams = [found for found in (stream, *stream.selected_descendants) if found.selected]
        for found in self._streams:
            forget_other_account(found, found.stream_state)
            forget_other_filters(found, found.stream_state)
        whole, last = (_earliest(self._streams, name, began) for name in (WHOLE_PASS, LAST_PASS))
        days, every = _days(stream.config, self._parent.name), stream.config.get("full_read_every")
        self._last = last or began
        self._ended_before = self._last - timedelta(days=days or 0)
        due = days is not None and every and whole and whole <= began - timedelta(days=every)
        self.are_all = days is None or not whole or bool(due)
        self.skipped = 0
        self.is_due = f"as it was so last on {str(whole)[:10]} (full_read_every)" if due else ""

    def has(self, record: Any) -> bool:
        """Whether the list of a parent is read; counts those that are not."""
        if self.are_all:
            return True
        ended = instant_or_none(self._parent.ended(record))
        if ended is None or ended >= self._ended_before:
            return True
        field = self._parent.made_at
        made = instant_or_none(self._parent.codec.get(record, field)) if field else None
        if made is not None and made >= self._last:
            return True
        self.skipped += 1
        return False

    @property
    def why_not_whole(self) -> str:
        """What was not read; empty if nothing was left out."""
        lists = f"lists of {self.skipped} {self._parent.name} that had ended"
        return f"{lists} were not read (children_since)" if self.skipped else ""

    def done(self, began: datetime) -> None:
        """All lists that were to be read were, in a pass that began then.

        One that was to leave some out, and found none, is not known to: it may have gone on behind some.
        """
        marks = (LAST_PASS, WHOLE_PASS) if self.are_all else (LAST_PASS,)
        for stream in self._streams:
            stream.stream_state.update(dict.fromkeys(marks, began.isoformat()))
            stream.state_changed()


def _earliest(streams: Iterable[ApiStream], mark: str, began: datetime) -> datetime | None:
    """The earliest of a mark in some streams' STATE; None if one has none that can be."""
    moments = [instant_or_none(stream.stream_state.get(mark)) for stream in streams]
    found = [moment for moment in moments if moment is not None and moment <= began]
    return min(found) if found and len(found) == len(moments) else None


def _days(config: Mapping[str, Any], parent: str) -> int | None:
    given = config.get("children_since")
    found: int | None = given.get(parent) if isinstance(given, dict) else given
    return found


def parents_errors(given: Any, ending: Collection[str]) -> Iterator[str]:
    """What is wrong with the setting.

    Args:
        given: The setting, which has the right type.
        ending: Names of the streams whose rows end.
    """
    for name in given if isinstance(given, dict) else ():
        if name not in ending:
            meant = did_you_mean(name, ending)
            yield f"children_since: `{brief(name)}` is no stream with rows that end{meant}"
