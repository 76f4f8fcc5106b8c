"""What a stream's STATE holds for: its account, its filters, its window. Under others it is forgotten.

What has parts is kept as a list. A merge of two STATEs, as Meltano does, puts a list in the place of what was
there; of objects it makes one, and fails at one that comes where null was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_core.account import ACCOUNT
from tap_core.filters import digest
from tap_core.positions import instant, instant_or_none
from tap_core.redaction import brief
from tap_core.versions import WHOLE

if TYPE_CHECKING:
    from collections.abc import Collection, MutableMapping
    from datetime import datetime

    from tap_core.stream import ApiStream

    State = MutableMapping[str, Any]

SOURCE = "source"
"""Of a stream's STATE, what tells the account apart that it is of."""

_FILTERS = "filters"
"""Of a stream's STATE, what tells the filters apart that its bookmark is of."""

LISTS = "lists"
"""Of a stream's STATE, the bookmarks of its lists, where each list has one."""

_OF = "of"
"""Of a list's bookmark, the id of the parent that the list is of."""

START = "window_start"
"""Of a stream's STATE, from when on all rows up to its bookmark were read; null for all."""

WHOLE_PASS, LAST_PASS = "whole_pass_at", "last_pass_at"
"""Of a child stream's STATE, when its lists were read last, for all parents and for those that were due."""

CHECKPOINT = "checkpoint"
"""Of a stream's STATE, where a read was interrupted."""

VALUE = "replication_key_value"
"""Of a stream's STATE, or of a list's entry in it, the bookmark."""

HAD_ROWS = "had_rows"
"""Of the STATE of a stream that an account can lack, whether rows of it came once."""

_MARKS = (VALUE, WHOLE, WHOLE_PASS, LAST_PASS, CHECKPOINT)


def forget_other_account(stream: ApiStream, state: State) -> None:
    """Forget how far a stream was read if that is of another account, or of another server.

    Known by the setting `account`, and the host and path of `api_url`; not by the key, which may change.

    Args:
        stream: The stream.
        state: Its entry in STATE, which is read and written.
    """
    url = urlsplit(str(stream.config["api_url"]))
    server = [(url.hostname or "").rstrip("."), url.path.strip("/")]
    source = digest({"server": server, ACCOUNT: stream.config.get(ACCOUNT)})
    before, state[SOURCE] = state.get(SOURCE), str(source)[:8]  # it is in every STATE, once for each stream
    if before in (None, state[SOURCE]):
        return
    if HAD_ROWS in state:
        state[HAD_ROWS] = None
    if _forget(state):
        stream.logger.warning(
            "%s: read from the start, as STATE is of another account: account, or the host or path of "
            "api_url, is not what it was",
            stream.name,
        )


def forget_other_filters(stream: ApiStream, state: State) -> None:
    """Forget how far a stream was read if that is of other filters.

    Args:
        stream: The stream.
        state: Its entry in STATE, which is read and written.
    """
    if state.get(_FILTERS) != (filters := digest(stream.narrowed_by)):
        state[_FILTERS] = filters
        if _forget(state):
            stream.logger.info("%s: read from the start, as its filters have changed", stream.name)


def forget_later_window(stream: ApiStream, state: State) -> None:
    """Take note from when on rows are read, and forget bookmarks that are of later rows alone.

    Windows that follow on one another go on from the bookmark. One that begins earlier has rows that none of
    them had; and one that begins behind the bookmark leaves out rows, which the bookmark passes.

    Args:
        stream: The stream.
        state: Its entry in STATE, which is read and written.
    """
    kept, start, text = state.get(START), *_start(stream)
    of_key = [entry for entry in entries(state) if entry.get("replication_key") == stream.replication_key]
    values = [entry[VALUE] for entry in of_key if entry.get(VALUE) not in (None, "")]
    if kept and not covers(kept, start):
        state[START] = text
        if _forget(state):
            line = "%s: read from %s, as the bookmark is of rows from %s on"
            stream.logger.info(line, stream.name, text or "the start", kept)
    elif not values:
        state[START] = text
    elif start and kept != text and any(_leaves_gap(value, start) for value in values):
        state[START] = text
        if not any(type(value) is int for value in values):  # of an id nothing tells
            line = "%s: rows from the bookmark (%s) to start_date are not read: an earlier one has them read"
            stream.logger.warning(line, stream.name, min(values))


def _start(stream: ApiStream) -> tuple[datetime | None, str | None]:
    """The setting, as a moment and as STATE has it."""
    given = stream.config.get("start_date")
    start = instant(given) if given else None
    return start, start.isoformat() if start else None


def _leaves_gap(value: Any, start: datetime) -> bool:
    """Whether rows between a bookmark and a moment are left out; of an id, whether some may be."""
    moment = instant_or_none(value)
    return moment is None or moment < start


def covers(kept: Any, start: datetime | None) -> bool:
    """Whether a window that began at a moment of STATE has all rows from `start` on, the first if None."""
    before = instant_or_none(kept)
    return before is not None and start is not None and before <= start


def _forget(state: State) -> bool:
    """Forget the bookmarks of a stream; whether there were any.

    They become null, as a merge of two STATEs would bring back what is absent.
    """
    found = [(entry, name) for entry in entries(state) for name in _MARKS if entry.get(name) is not None]
    for entry, name in found:
        entry[name] = None
    return bool(found)


def entries(state: State) -> list[State]:
    """The stream's own, and those of its lists."""
    return [state, *_lists(state).values()]


def _lists(state: State) -> dict[str, dict[str, Any]]:
    """The entries of a stream's lists by their parents' id, as they were an object of in earlier versions."""
    found = state.get(LISTS)
    if isinstance(found, list):
        return {entry[_OF]: entry for entry in found if _is_entry(entry)}
    kept = found.items() if isinstance(found, dict) else ()
    return {of: entry for of, entry in kept if isinstance(entry, dict)}


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get(_OF), str)


def entry_of(stream: ApiStream, name: str, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A list's own entry in the STATE of its stream; what is none there is as if it were not.

    Args:
        stream: The stream, whose STATE is read and written.
        name: The id of the list's parent.
        known: The entries of all lists by that, kept for the next call; empty at first.
    """
    state = stream.stream_state
    if not known:
        known |= _lists(state)
        for of, entry in known.items():
            entry[_OF] = of
        state[LISTS] = [*known.values()]
    if name not in known:
        known[name] = {_OF: name}
        state[LISTS].append(known[name])
    _note_window(stream, known[name])
    return known[name]


def _note_window(stream: ApiStream, entry: State) -> None:
    """Take note from when on rows of a list without a bookmark are read: that can be later than of others."""
    start, text = _start(stream)
    if entry.get(START) and not covers(entry[START], start):
        entry[START] = entry[VALUE] = None
    if text and entry.get(VALUE) in (None, ""):
        entry[START] = text


def forget_other_lists(state: State, names: Collection[str]) -> None:
    """Forget the bookmarks of all lists but these."""
    state[LISTS] = [entry for of, entry in _lists(state).items() if of in names]


def damaged_lists(state: State) -> str:
    """What can be no bookmark among those of a stream's lists; empty if there is nothing."""
    lists = state.get(LISTS)
    if isinstance(lists, list):
        damaged = [str(place) for place, entry in enumerate(lists) if not _is_entry(entry)]
    elif isinstance(lists, dict):  # of earlier versions
        damaged = [of for of, entry in lists.items() if entry is not None and not isinstance(entry, dict)]
    else:
        return "" if lists is None else f"`{LISTS}`"
    return ", ".join(f"`{LISTS}.{brief(of)}`" for of in damaged)
