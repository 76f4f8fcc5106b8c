"""The order of a read: a stream's pages, and after each page the children of its records.

The work ahead is planned in the order in which it will be written, and its requests are sent early; what is
written, and when a failure surfaces, does not depend on how early.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_core.errors import ApiError
from tap_core.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from singer_sdk.helpers.types import Context

    from tap_core.fetcher import Fetcher
    from tap_core.paging.page import Page, Rows
    from tap_core.paging.paginator import Query
    from tap_core.reading import Reading


NEEDLESS = 20
"""Requests sent ahead for nothing until a stream's lists are asked for their first pages alone."""


@dataclass
class PageRows:
    """Records of one page of a stream: undecoded, or decoded where more is to be known of them."""

    query: Query
    page: Page
    raws: list[Any]
    before: int
    """Records of the list before the page."""
    decoded: list[Any] | None = None
    is_late: bool = False
    """Whether they come again, as they can have changed and kept their replication key."""

    def release(self) -> None:
        """Let go of the response: the next one may be as large."""
        self.raws.clear()  # in place: who planned the page holds this list too
        self.decoded = None
        self.page.release()


@dataclass
class ChildList:
    """One list of a child stream."""

    reading: Reading
    context: Context
    lookahead: Listing | None = None
    """Goes before the listing that reads it, once its first request was sent ahead."""
    requests: list[Hashable] = field(default_factory=list)
    """What the requests are called that were sent ahead."""
    is_due: bool = False
    """Whether the one behind them is known, and waits for room."""


@dataclass
class Parent:
    """A record whose children are to be read: one list for each child stream and context."""

    query: Query
    before: int
    """Records of the list before its page."""
    key: Any
    at: Any
    """Its replication key's value; None where it comes again, as it may be older than what is read."""
    lists: list[ChildList] = field(default_factory=list)
    is_late: bool = False
    """Whether it comes again, from a list of its own."""


@dataclass
class Failure:
    """What ended the planning, to be raised in its turn."""

    error: BaseException


Item = PageRows | Parent | Failure


class Plan:
    """What a list of a stream, and the children of its records, consist of, in order.

    Args:
        reading: The stream's.
        context: The parent's ids, or None.
        fetcher: Where pages come from.
        reading_of: Gives the readings of child streams.
    """

    def __init__(
        self,
        reading: Reading,
        context: Context | None,
        fetcher: Fetcher,
        reading_of: Callable[[Any], Reading],
    ) -> None:
        self._reading = reading
        self._context = context
        self._fetcher = fetcher
        self._children = [reading_of(child) for child in reading.stream.children]
        self._asked: list[ChildList] = []

    def items(self) -> Iterator[Item]:
        """The items, each with its requests sent as far ahead as there is room."""
        if not self._children:
            yield from self._planned()
            return
        self._fetcher.watchers.append(self._request_followups)
        try:
            yield from self._ahead()
        finally:
            self._fetcher.watchers.remove(self._request_followups)

    def _ahead(self) -> Iterator[Item]:
        planned = self._planned()
        waiting: deque[Item] = deque()
        unasked: deque[ChildList] = deque()
        depth = self._fetcher.depth
        more = True
        while True:
            while more and len(waiting) < depth:
                item = next(planned, None)
                more = item is not None and not isinstance(item, Failure)
                if item is not None:
                    waiting.append(item)
                if isinstance(item, Parent):
                    unasked.extend(item.lists)
            while unasked and self._fetcher.has_room(next_up=False):
                self._request_first_page(unasked.popleft())
            self._request_followups()
            if not waiting:
                return
            first = waiting.popleft()
            lists = first.lists if isinstance(first, Parent) else []
            while unasked and any(unasked[0] is child for child in lists):
                unasked.popleft()  # no room for these: they are asked for when they are read
            yield first
            for child in lists:
                child.lookahead = None
                child.reading.needless += self._fetcher.forget(child.requests)

    def _request_first_page(self, child: ChildList) -> None:
        if child.reading.given_up:
            return
        listing = Listing(child.reading, child.context, self._fetcher)
        with contextlib.suppress(ApiError):  # it is told when the list's turn comes
            request = listing.want_next(next_up=False)
            if request is not None:
                child.requests.append(request)
                child.lookahead = listing
                self._asked.append(child)

    def _request_followups(self) -> None:
        """Ask for what is behind pages that have come before their turn, with room kept for the nearest."""
        near = self._fetcher.depth // 2
        self._asked = [
            child for at, child in enumerate(self._asked) if self._keep_watching(child, next_up=at < near)
        ]

    def _keep_watching(self, child: ChildList, *, next_up: bool) -> bool:
        """Whether to look at a list again; the page behind one that has come is asked for."""
        if child.lookahead is None or child.reading.needless > NEEDLESS:
            return False
        try:
            if not child.is_due:
                page = self._fetcher.peek(child.requests[-1])
                if page is None:
                    return True
                child.is_due = child.lookahead.skip_past(page)
            request = child.lookahead.want_next(next_up=next_up) if child.is_due else None
        except ApiError:
            return False  # it is told when the list's turn comes
        if request is None:
            return child.is_due
        child.requests.append(request)
        child.is_due = False
        return True

    def _planned(self) -> Iterator[Item]:
        began = False
        try:
            for item in self._in_order():
                began = True
                yield item
        except Exception as error:  # noqa: BLE001  it is raised when its turn comes
            if isinstance(error, ApiError):
                error.at_start = not began
            yield Failure(error)

    def _in_order(self) -> Iterator[PageRows | Parent]:
        stream = self._reading.stream
        limit, count = stream.ABORT_AT_RECORD_COUNT, 0
        for listing in self._listings() if not self._reading.is_past_end(self._context) else ():
            for rows in listing.pages():
                raws = rows.raws if limit is None else rows.raws[: limit - count]
                count += len(raws)
                decoded = self._children or listing.stops_early
                records = stream.decode(raws, self._context) if decoded else None
                is_past = listing.is_past(records or [])
                yield PageRows(rows.query, rows.page, raws, rows.before, records, is_late=listing.is_late)
                parents = records or [] if self._children else []
                if listing.is_late or not stream.is_fetched_whole:
                    parents = self._reading.wanted(parents, self._context, late=listing.is_late)
                for record in parents:
                    yield self._parent(rows, record, late=listing.is_late)
                if is_past:
                    break
                if limit is not None and count >= limit:
                    stream.check_limit(count)

    def _listings(self) -> Iterator[Listing]:
        yield Listing(self._reading, self._context, self._fetcher)
        for paginator in self._reading.late_changes():
            yield Listing(self._reading, self._context, self._fetcher, paginator)

    def _parent(self, rows: Rows, record: Any, *, late: bool) -> Parent:
        stream = self._reading.stream
        contexts = stream.child_contexts(record, self._context)
        if not contexts and (null_key := stream.null_child_key(record)):
            self._reading.warn_null_child_key(null_key, self._children)
        lists = [
            ChildList(child, context)
            for context in contexts
            for child in self._children
            if child.has_list(stream, record, context)
        ]
        key = tuple(stream.codec.get(record, name) for name in stream.declared_keys)
        at = None if late else stream.codec.get(record, stream.replication_key or "")
        return Parent(rows.query, rows.before, key, at, lists, is_late=late)
