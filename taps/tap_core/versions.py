"""Versions, by which a target sees which rows are gone; and when a whole read is due.

STATE keeps the last version of each stream that has no parent, as versions may never go back, whatever the
clock does. The version that an interrupted read goes on with is in its checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.positions import instant_or_none

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from datetime import datetime

    from tap_core.stream import ApiStream

    State = MutableMapping[str, Any]

_LAST = "version"
_MOST = (1 << 63) - 1
WHOLE = "whole_read_at"
"""Of a stream's STATE, when it was read whole last."""


def is_too_large(version: Any) -> bool:
    """Whether a version of STATE leaves no room for the next one in the 64 bits that targets have for it."""
    return type(version) is int and version >= _MOST


def new_version(state: State, began: datetime) -> int:
    """A version for a read that begins: seconds since 1970, and more than any before; kept in STATE.

    Args:
        state: The stream's entry in STATE.
        began: When the run began.
    """
    last = state.get(_LAST)
    version = int(began.timestamp())
    if type(last) is int and not is_too_large(last):
        version = max(version, last + 1)
    state[_LAST] = version
    return version


def is_whole_due(stream: ApiStream, state: State, days: int | None, began: datetime) -> bool:
    """Whether an incremental stream is to be read whole, as the last such read is older than so many days.

    One that is in the future, as of a clock that was wrong, counts as this run's start from now on.

    Args:
        stream: The stream.
        state: Its entry in STATE, which is read and written.
        days: The setting; None for never.
        began: When the run began.
    """
    if days is None:
        return False
    last = instant_or_none(state.get(WHOLE))
    if last is not None and last > began:
        text = "%s: `%s` %.80r in STATE is in the future; this run's start counts (full_read_every)"
        stream.logger.warning(text, stream.name, WHOLE, state[WHOLE])
        last = began
        keep_whole(state, began)
    return last is None or (began - last).days >= days


def last_whole(state: State) -> str:
    """When the stream was read whole last, as the end of a sentence."""
    return f"on {str(state[WHOLE])[:10]}" if state.get(WHOLE) else "at a time that STATE does not tell"


def keep_whole(state: State, began: datetime) -> None:
    """Remember that the stream was read whole by a run that began then."""
    state[WHOLE] = began.isoformat()
