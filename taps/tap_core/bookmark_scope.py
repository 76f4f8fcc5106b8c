"""What a stream's STATE holds for: its account, its filters, its window. Under others it is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_core.account import ACCOUNT
from tap_core.filters import digest
from tap_core.positions import instant, instant_or_none
from tap_core.versions import WHOLE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping

    from tap_core.stream import ApiStream

    State = MutableMapping[str, Any]

_SOURCE = "source"
"""Of a stream's STATE, what tells the account apart that it is of."""

_FILTERS = "filters"
"""Of a stream's STATE, what tells the filters apart that its bookmark is of."""

LISTS = "lists"
"""Of a stream's STATE, the bookmarks of its lists by their parents' id, where each list has one."""

_START = "window_start"
"""Of a stream's STATE, the `start_date` of the windows that its bookmark is of."""


WHOLE_PASS, LAST_PASS = "whole_pass_at", "last_pass_at"
"""Of a child stream's STATE, when its lists were read last, for all parents and for those that were due."""

CHECKPOINT = "checkpoint"
"""Of a stream's STATE, where a read was interrupted."""

_MARKS = ("replication_key_value", WHOLE, WHOLE_PASS, LAST_PASS, CHECKPOINT)


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
    before, state[_SOURCE] = state.get(_SOURCE), str(source)[:8]  # it is in every STATE, once for each stream
    if before not in (None, state[_SOURCE]) and _forget(state):
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


def forget_later_window(state: State, config: Mapping[str, Any]) -> None:
    """Take note of the window that is read, and forget bookmarks that are of later rows alone.

    Windows that follow on one another go on from the bookmark. One that begins earlier has rows that none of
    them had. A bookmark of runs without `end_date` stands for all rows up to it, whatever window comes then.

    Args:
        state: The stream's entry in STATE, which is read and written.
        config: The settings.
    """
    kept, start = state.get(_START), config.get("start_date")
    if not config.get("end_date"):
        if kept:
            state[_START] = None
        return
    if not kept and any(entry.get("replication_key_value") is not None for entry in entries(state)):
        return
    if kept or start:
        state[_START] = instant(start).isoformat() if start else None
    if kept and not _covers(kept, start):
        _forget(state)


def _covers(kept: Any, start: Any) -> bool:
    before, now = instant_or_none(kept), instant_or_none(start)
    return before is not None and now is not None and before <= now


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
    lists = state.get(LISTS)
    found = lists.values() if isinstance(lists, dict) else ()
    return [state, *(entry for entry in found if isinstance(entry, dict))]


def entry_of(state: State, name: str) -> dict[str, Any]:
    """A list's own entry in the STATE of its stream; what is no object there is as if it were not."""
    found = state.get(LISTS)
    lists: dict[str, Any] = found if isinstance(found, dict) else {}
    entry: dict[str, Any] = lists[name] if isinstance(lists.get(name), dict) else {}
    lists[name], state[LISTS] = entry, lists
    return entry


def forget_other_lists(state: State, names: Collection[str]) -> None:
    """Forget the bookmarks of all lists but these: null, as for all that is forgotten."""
    lists = state.get(LISTS)
    if isinstance(lists, dict):
        lists.update(dict.fromkeys(lists.keys() - {*names}))


def damaged_lists(state: State) -> str:
    """What is no object among a stream's entries for its lists, nor forgotten; empty if there is nothing."""
    lists = state.get(LISTS)
    if not isinstance(lists, dict):
        return "" if lists is None else f"`{LISTS}`"
    damaged = [name for name, entry in lists.items() if entry is not None and not isinstance(entry, dict)]
    return ", ".join(f"`{LISTS}.{name[:40]}`" for name in damaged)
