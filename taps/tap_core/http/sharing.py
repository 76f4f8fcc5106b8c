"""Answers that several streams are made of: fetched once, whichever of the streams comes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import requests

_KEPT = 64
"""Answers that are kept until the other streams come for them."""


class SharedAnswers:
    """The last answers to requests that more than one stream sends; used by several threads."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Future[requests.Response]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, fetch: Callable[[], requests.Response]) -> requests.Response:
        """The answer to a request: fetched now, or by whoever asked first.

        Args:
            key: What tells the request apart.
            fetch: Sends the request; what it raises is raised here, and the next one asks again.
        """
        with self._lock:
            future = self._answers.get(key)
            mine = future is None
            if future is None:
                future = self._answers[key] = Future()
                while len(self._answers) > _KEPT:
                    self._answers.popitem(last=False)
        if mine:
            try:
                future.set_result(fetch())
            except BaseException as error:
                with self._lock:
                    self._answers.pop(key, None)
                future.set_exception(error)
                raise
        return future.result()
