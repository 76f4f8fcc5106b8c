"""Answers that several streams are made of: fetched once, whichever of the streams comes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

from tap_core.errors import ApiError, RunEnds

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import requests

_KEPT = 64
"""Answers that are kept until the other streams come for them."""


class SharedAnswers:
    """The last answers to requests that more than one stream sends; used by several threads."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Future[requests.Response]] = OrderedDict()
        self._given: dict[Hashable, set[str]] = {}
        self._lock = threading.Lock()

    def get(
        self, key: Hashable, stream: str, fetch: Callable[[], requests.Response]
    ) -> requests.Response | None:
        """The answer to a request: fetched now, or by whoever asked first.

        Args:
            key: What tells the request apart.
            stream: Who asks: a stream that asks again wants to know what has changed.
            fetch: Sends the request; what it raises is raised here, and the next one asks again.

        Returns:
            The answer; None if it was asked for by another stream, which had none: the lists of one answer
            can fail alone.

        Raises:
            RunEnds: No request can succeed any more.
        """
        with self._lock:
            future = self._answers.get(key)
            mine = future is None or stream in self._given[key]
            if future is None or mine:
                future = self._answers[key] = Future()
                self._given[key] = set()
                while len(self._answers) > _KEPT:
                    self._given.pop(self._answers.popitem(last=False)[0])
            self._given[key].add(stream)
        if mine:
            try:
                future.set_result(fetch())
            except BaseException as error:
                with self._lock:
                    self._answers.pop(key, None)
                    self._given.pop(key, None)
                future.set_exception(error)
                raise
        try:
            return future.result()
        except RunEnds:
            raise
        except ApiError:
            return None
