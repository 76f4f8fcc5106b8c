"""What a stream's bookmark in STATE is of: its filters, its window. Of another question's nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.bookmarks import instant
from tap_core.filters import digest
from tap_core.versions import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from tap_core.stream import ApiStream

    State = MutableMapping[str, Any]

_FILTERS = "filters"
"""Of a stream's STATE, what tells the filters apart that its bookmark is of."""

LISTS = "lists"
"""Of a stream's STATE, the bookmarks of its lists by their parents' id, where each list has one."""

_START = "window_start"
"""Of a stream's STATE, the `start_date` of the windows that its bookmark is of."""


def forget_other_questions(stream: ApiStream, state: State) -> None:
    """Forget the bookmarks of a stream if they are of other filters, or of a later window.

    Args:
        stream: The stream.
        state: Its entry in STATE, which is read and written.
    """
    if state.get(_FILTERS) != (filters := digest(stream.filtered_by)):
        state[_FILTERS] = filters
        if _forget(state):
            stream.logger.info("%s: read from the start, as its filters have changed", stream.name)
    if _begin_window(state, stream.config):
        _forget(state)


def _begin_window(state: State, config: Mapping[str, Any]) -> bool:
    """Take note of the window that is read; whether the bookmark is of later rows alone.

    Windows that follow on one another go on from the bookmark. One that begins earlier has rows that none of
    them had. A bookmark of runs without `end_date` stands for all rows up to it, whatever window comes then.
    """
    kept, start = state.get(_START), config.get("start_date")
    if not config.get("end_date"):
        if kept:
            state[_START] = None
        return False
    if not kept and any(state.get(name) for name in ("replication_key_value", LISTS)):
        return False
    if kept or start:
        state[_START] = instant(start).isoformat() if start else None
    return bool(kept) and not _covers(kept, start)


def _covers(kept: Any, start: Any) -> bool:
    try:
        return start is not None and instant(kept) <= instant(start)
    except (ValueError, OverflowError):
        return False


def _forget(state: State) -> bool:
    """Forget the bookmarks of a stream; whether there were any.

    They become null, as a merge of two STATEs would bring back what is absent.
    """
    lists = state.get(LISTS)
    entries = [state, *(lists.values() if isinstance(lists, dict) else ())]
    found = [
        (entry, name) for entry in entries for name in ("replication_key_value", WHOLE) if entry.get(name)
    ]
    for entry, name in found:
        entry[name] = None
    return bool(found)
