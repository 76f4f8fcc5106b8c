"""The order of a read: a stream's pages, and after each page the children of its records.

The work ahead is planned in the order in which it will be written, and its requests are sent early;
what is written, and when a failure surfaces, does not depend on how early.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException

from tap_core.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context

    from tap_core.http.readahead import ReadAhead
    from tap_core.paging.page import Page
    from tap_core.stream import ApiStream

_SLICE = 1000
"""Records decoded and written at once."""

_REFUSALS = 3
"""Parents whose children are refused before the child stream is given up, if none was allowed."""


@dataclass
class Rows:
    """A page of the stream's own records, undecoded until they are written."""

    query: dict[str, Any]
    page: Page
    raws: list[Any]

    def release(self) -> None:
        """Let go of the response: the next one may be as large."""
        self.raws.clear()
        self.page.release()


@dataclass
class Parent:
    """A record whose children are to be read: one list for each child stream and context."""

    query: dict[str, Any]
    key: Any
    lists: list[tuple[ApiStream, Context]]


@dataclass
class Failure:
    """What ended the planning, to be raised in its turn."""

    error: BaseException


def read(
    stream: ApiStream, context: Context | None, ahead: ReadAhead, *, write: bool
) -> Iterator[dict[str, Any]]:
    """Read one list of a stream, and the children of its records.

    Args:
        stream: What to read.
        context: The parent's ids, or None.
        ahead: Where pages come from.
        write: Whether to write messages; else the records are yielded.
    """
    begun = time.monotonic()
    if context is not None:
        yield from _read_list(stream, context, ahead, write=write)
        stream.seconds += time.monotonic() - begun
        return
    stream.open(write=write)
    try:
        yield from _read_list(stream, None, ahead, write=write)
    except Refused as refusal:
        stream.tap.refused(stream, refusal)
    else:
        stream.close()
    finally:
        stream.seconds += time.monotonic() - begun


def _read_list(
    stream: ApiStream, context: Context | None, ahead: ReadAhead, *, write: bool
) -> Iterator[dict[str, Any]]:
    checkpoint = stream.checkpoint if context is None else None
    for item in _in_order(stream, context, ahead):
        stream.tap.check_stopped()
        if isinstance(item, Failure):
            raise item.error
        if isinstance(item, Parent):
            for child, child_context in item.lists:
                _read_children(child, child_context, ahead, write=write)
            if checkpoint:
                checkpoint.put(item.query, item.key)
        elif write:
            _write(stream, item, context)
            # A page without new records may be one that the reader steps back from.
            if checkpoint and item.raws and not stream.wanted_children:
                checkpoint.put(item.query, stream.key_of(item.page.records[-1]))
            stream.tap.page_done()
            item.release()
        elif stream.selected:
            yield from stream.decode(item.raws, context)


def _in_order(
    stream: ApiStream, context: Context | None, ahead: ReadAhead
) -> Iterator[Rows | Parent | Failure]:
    """The items of a plan, each with its requests sent as far ahead as there is room."""
    plan = _plan(stream, context, ahead)
    waiting: deque[Rows | Parent | Failure] = deque()
    unasked: deque[tuple[Parent, ApiStream, Context]] = deque()
    depth = ahead.depth if stream.wanted_children else 1
    item: Rows | Parent | Failure | None
    planned = False
    while True:
        while not planned and len(waiting) < depth:
            try:
                item = next(plan, None)
            except Exception as error:  # noqa: BLE001  it is raised when its turn comes
                item = Failure(error)
            planned = item is None or isinstance(item, Failure)
            if item is not None:
                waiting.append(item)
            if isinstance(item, Parent):
                unasked.extend((item, *wanted) for wanted in item.lists)
        while unasked and ahead.has_room:
            _, child, child_context = unasked.popleft()
            ahead.want(*child.first_request(child_context))
        if not waiting:
            return
        first = waiting.popleft()
        while unasked and unasked[0][0] is first:
            unasked.popleft()  # no room for these: they are asked for when they are read
        yield first


def _plan(stream: ApiStream, context: Context | None, ahead: ReadAhead) -> Iterator[Rows | Parent]:
    limit = stream.ABORT_AT_RECORD_COUNT
    children = stream.wanted_children
    count = 0
    for query, page, raws in stream.pages(context, ahead):
        rows = Rows(query, page, raws if limit is None else raws[: limit - count])
        count += len(rows.raws)
        parents = stream.decode(rows.raws, context) if children else []
        goes_on = not stream.newest_first or not raws or stream.goes_on(stream.decode(raws[-1:], context))
        yield rows
        for record in parents:
            if stream.plain or stream.stream_maps[0].get_filter_result(record):
                contexts = [found for found in stream.generate_child_contexts(record, context) if found]
                lists = [(child, found) for found in contexts for child in children]
                yield Parent(query, tuple(record[key] for key in stream.primary_keys), lists)
        if not goes_on:
            return
        if limit is not None and count >= limit:
            stream._check_max_record_limit(count)  # noqa: SLF001  the SDK's dry run ends here


def _read_children(stream: ApiStream, context: Context, ahead: ReadAhead, *, write: bool) -> None:
    if stream.given_up:
        ahead.forget([stream.first_request(context)[0]])
        return
    stream.totals["lists"] += 1
    try:
        if write and not stream.tap.batches:
            for _ in read(stream, context, ahead, write=True):
                pass
        else:
            stream.sync(context)
    except (AbortedSyncFailedException, AbortedSyncPausedException):
        return
    except NotFound:
        stream.totals["gone"] += 1
    except Refused as refusal:
        stream.totals["refused"] += 1
        if not stream.rights_by_parent:
            stream.given_up = stream.totals["refused"] == stream.totals["lists"] >= _REFUSALS
        stream.tap.refused(stream, refusal)


def _write(stream: ApiStream, rows: Rows, context: Context | None) -> None:
    """Write a page's records, some at a time, so that a huge page is never decoded as a whole."""
    if not stream.selected:
        return
    for start in range(0, len(rows.raws), _SLICE):
        raws = rows.raws[start : start + _SLICE]
        stream.write_records(stream.decode(raws, context), rows.page.time_extracted)
