"""Lists that are read for the rows alone that a run reads: the bookmark of these leaves none behind.

STATE says of each such stream up to which bookmark of its parents its lists were read. Where it was not
selected for a run, or for none yet, the parents are read from there once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.bookmark_scope import SOURCE, START, covers
from tap_core.filters import digest
from tap_core.positions import instant_or_none, position

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from tap_core.stream import ApiStream

    State = MutableMapping[str, Any]

READ_FOR = "read_for"
"""Of a child stream's STATE, up to which bookmark of each stream above the lists were read, and what tells
the filters, the account and the window apart that they were read with."""


def go_back(stream: ApiStream, state: State, followers: Iterable[ApiStream]) -> None:
    """Set a stream's bookmark back to where the lists below it were read.

    Args:
        stream: The stream.
        state: Its entry in STATE, which is read and written.
        followers: The streams below it that are read for its new rows alone.
    """
    before = start = state.get("replication_key_value")
    behind = []
    for below in followers if before is not None else ():
        mark = _mark(below, stream, state)
        if mark != before and not _reaches(mark, before):
            behind.append(below.name)
            start = _earlier(mark, start)
    if behind:
        state["replication_key_value"] = start
        since = "the start" if start is None else start
        text = "%s: read from %s, as lists of %s were not read for all of its rows"
        stream.logger.info(text, stream.name, since, ", ".join(behind))


def keep(stream: ApiStream, state: State, followers: Iterable[ApiStream]) -> None:
    """Remember that the lists below a stream were read up to its bookmark."""
    value = state.get("replication_key_value")
    for below in followers if value is not None else ():
        mark = {"stream": stream.name, "to": value, **_rows_of(below, state), "since": state.get(START)}
        below.stream_state[READ_FOR] = [*({**_marks(below), stream.name: mark}).values()]
        below.state_changed()


def _mark(below: ApiStream, stream: ApiStream, state: State) -> Any:
    """Up to where lists were read for a stream; None if that was of other rows, or does not say of which."""
    mark = _marks(below).get(stream.name, {})
    same = all(mark.get(name) == value for name, value in _rows_of(below, state).items())
    since = mark.get("since")
    is_from_start = since is None and "since" in mark
    fits = same and (is_from_start or covers(since, instant_or_none(state.get(START))))
    return mark.get("to") if fits else None


def _rows_of(below: ApiStream, state: State) -> State:
    """What tells apart of which rows lists were read, whenever these were made."""
    return {"filters": digest(below.narrowed_by), "source": state.get(SOURCE)}


def _marks(below: ApiStream) -> dict[str, dict[str, Any]]:
    """What a stream was read for, by the streams above it; earlier versions had an object of them."""
    kept = below.stream_state.get(READ_FOR)
    if isinstance(kept, dict):
        kept = [{**mark, "stream": name} for name, mark in kept.items() if isinstance(mark, dict)]
    marks = [mark for mark in kept if isinstance(mark, dict)] if isinstance(kept, list) else []
    return {mark["stream"]: mark for mark in marks if isinstance(mark.get("stream"), str)}


def _reaches(mark: Any, value: Any) -> bool:
    ours, theirs = position(mark), position(value)
    return ours is not None and type(ours) is type(theirs) and bool(ours >= theirs)


def _earlier(mark: Any, value: Any) -> Any:
    """The earlier of two bookmarks; None, for the start, if they can't be compared."""
    ours, theirs = position(mark), position(value)
    if ours is None or type(ours) is not type(theirs):
        return None
    return min((ours, mark), (theirs, value))[1]
