"""Ordered read-ahead: requests that will be needed are sent before it is their turn.

A bounded pool fetches; the main thread takes the results in its own order. What comes out is the same
as without the pool, where every request is sent when its turn comes. That is done too while the server
answers so soon that threads, which wait for each other, take longer than they save.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

T = TypeVar("T")

QUICK = 0.002
"""Seconds of waiting for an answer below which reading ahead gains nothing; from twice as many on it does."""
_LAST = 8
"""Answers of whose waits the average is taken."""

_MOMENT = 0.5
"""Seconds."""

AHEAD = 2
"""Lists, or pages of one list, that are looked ahead for, by each worker."""


class ReadAhead(Generic[T]):
    """Pages on their way, by the request that they answer.

    The workers are daemons: an interrupted run does not wait for a server that hangs.

    Args:
        concurrency: Requests in flight at once; with 1, none is sent before its turn.
    """

    def __init__(self, concurrency: int) -> None:
        self.depth = AHEAD * concurrency if concurrency > 1 else 1
        self._room = 2 * self.depth  # pages in flight or waiting; lists have more than one
        self.waiting = False
        """Whether the main thread waits for a page, and nothing else is half done."""
        self._workers = concurrency if concurrency > 1 else 0
        self._started = 0
        self._threads: list[threading.Thread] = []
        self._in_flight = threading.Semaphore(concurrency)
        self._arrival = threading.Event()
        self.watchers: list[Callable[[], None]] = []
        """Called by the main thread, while it waits for a page, when others have come."""
        self._queue: SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = SimpleQueue()
        self._pages: dict[Hashable, Future[T]] = {}
        self._waits: deque[float] = deque(maxlen=_LAST)
        self._quick = True  # until an answer has been waited for

    def has_room(self, *, next_up: bool) -> bool:
        """Whether `want` would start a request."""
        room = self._room + next_up * self.depth
        return self._workers > 0 and not self._quick and len(self._pages) < room

    def want(self, key: Hashable, fetch: Callable[[], T], *, next_up: bool = False) -> None:
        """Start a request, if there is room, that `take` will probably be called for.

        Args:
            key: What tells the request apart.
            fetch: Sends the request.
            next_up: Whether its turn comes before that of most others that were asked for.
        """
        if key in self._pages or not self.has_room(next_up=next_up):
            return
        if self._started < self._workers:
            self._started += 1
            worker = threading.Thread(target=self._work, name=f"read-ahead-{self._started}", daemon=True)
            self._threads.append(worker)
            worker.start()
        future: Future[T] = Future()
        self._pages[key] = future
        self._queue.put((future, fetch))

    def take(self, key: Hashable, fetch: Callable[[], T]) -> T:
        """The page of a request, sent now if it was not before.

        A worker sends it, if there is one: the main thread looks after the other lists meanwhile.
        """
        self.want(key, fetch, next_up=True)
        future = self._pages.pop(key, None)
        self.waiting = True
        try:
            if future is None:
                return self._fetch(fetch)
            while not future.done():
                self._arrival.wait()
                self._arrival.clear()
                for watcher in self.watchers:
                    watcher()
            return future.result()
        finally:
            self.waiting = False

    def peek(self, key: Hashable) -> T | None:
        """The page of a request whose turn has not come; None if it is not there yet, or never comes."""
        future = self._pages.get(key)
        if future is None or not future.done() or future.cancelled() or future.exception():
            return None
        return future.result()

    def forget(self, keys: Iterable[Hashable]) -> int:
        """Drop requests that turned out not to be needed; returns how many there were."""
        dropped = [future for key in keys if (future := self._pages.pop(key, None))]
        for future in dropped:
            future.cancel()
        return len(dropped)

    def close(self) -> None:
        """Drop all that is waiting and let the workers end; what is in flight has a moment to arrive."""
        self.forget(list(self._pages))
        for _ in range(self._started):
            self._queue.put(None)
        self._started = 0
        deadline = time.monotonic() + _MOMENT
        while self._threads:
            self._threads.pop().join(max(0.0, deadline - time.monotonic()))

    def _fetch(self, fetch: Callable[[], T]) -> T:
        with self._in_flight:
            return fetch()

    def answered(self, waited: float) -> None:
        """Take note of how long an answer was waited for.

        In a thread among others a wait is longer than it need be: there one that is short says enough.

        Args:
            waited: Seconds, without those in which the thread was at work.
        """
        if not self._quick:
            self._quick = waited < QUICK
            self._waits.clear()
        elif not self._pages:
            self._waits.append(waited)
            waits = list(self._waits)
            self._quick = sum(waits) < 2 * QUICK * len(waits)

    def _work(self) -> None:
        while job := self._queue.get():
            future, fetch = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._fetch(fetch))
            except BaseException as error:  # noqa: BLE001  it surfaces where the page is taken
                future.set_exception(error)
            self._arrival.set()
            del job, future  # a page must not outlive its turn here
