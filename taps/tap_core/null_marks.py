"""What STATE has of each stream from the first message on: null for every mark that there is none of yet.

Meltano gives no STATE to a full refresh, and merges what comes of one that did not end well into the STATE
of before. What is absent is brought back by that, for streams too that had failed or not begun; null is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_core.bookmark_scope import CHECKPOINT, LAST_PASS, LISTS, START, VALUE, WHOLE_PASS
from tap_core.followers import READ_FOR
from tap_core.versions import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_core.stream import ApiStream


def set_null_marks(streams: Iterable[ApiStream]) -> None:
    """Make the marks null that a stream can have, is read without, and has none of.

    The version stays away: that of before, if a merge brings it back, is one that none may go behind.
    """
    for stream in streams:
        for name in _marks_of(stream):
            stream.stream_state.setdefault(name, None)


def _marks_of(stream: ApiStream) -> Iterator[str]:
    if not stream.parent and stream.resumable and (stream.selected or stream.selected_descendants):
        yield CHECKPOINT
    if not stream.selected:
        return
    if stream.replication_key:
        yield from (LISTS if stream.bookmark_per else VALUE, WHOLE, START)
    above = [*_above(stream)]
    if any(one.ends_at for one in above):
        yield from (WHOLE_PASS, LAST_PASS)
    if any(one.replication_key for one in above) and not stream.for_every_parent:
        yield READ_FOR


def _above(stream: ApiStream) -> Iterator[ApiStream]:
    while stream := stream.parent:
        yield stream
