"""`Fetcher`: pages for the lists of a run: ahead of their turn, shared, in pieces where they fail."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_core.errors import PageFailed, Retriable
from tap_core.http.readahead import ReadAhead
from tap_core.http.sharing import SharedAnswers
from tap_core.pieces import read_in_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from datetime import datetime

    import requests
    from singer_sdk.helpers.types import Context

    from tap_core.http.client import ApiClient
    from tap_core.http.request import Request
    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Paginator, Query
    from tap_core.reading import Reading
    from tap_core.stream import ApiStream


class Fetcher:
    """Gets pages, for all lists of a run.

    Args:
        client: Sends the requests.
        streams: All streams that are read: those with one address share their answers.
    """

    def __init__(self, client: ApiClient, streams: Iterable[ApiStream]) -> None:
        self._client = client
        self._ahead: ReadAhead[Page] = ReadAhead(client.limits.concurrency)
        client.on_wait = self._ahead.answered
        self._shared = SharedAnswers()
        addresses = {stream.name: _address(stream) for stream in streams}
        count = Counter(addresses.values())
        self._sharing = {name for name, address in addresses.items() if count[address] > 1}

    @property
    def depth(self) -> int:
        """How far to look ahead: lists, or pages of one."""
        return self._ahead.depth

    def has_room(self, *, next_up: bool = True) -> bool:
        """Whether `want` would send a request now."""
        return self._ahead.has_room(next_up=next_up)

    @property
    def watchers(self) -> list[Callable[[], None]]:
        """Called by the main thread, while it waits for a page, when others have come."""
        return self._ahead.watchers

    @property
    def waiting(self) -> bool:
        """Whether the main thread waits for a page, and nothing else is half done."""
        return self._ahead.waiting

    @property
    def server_began(self) -> datetime | None:
        """What the server's clock said at the first answer; None if it says nothing."""
        return self._client.first_date

    def want(
        self,
        reading: Reading,
        context: Context | None,
        query: Query,
        paginator: Paginator,
        *,
        next_up: bool = True,
    ) -> Hashable | None:
        """Send a request, if there is room, whose turn will probably come.

        Args:
            reading: The stream's.
            context: The parent's ids, or None.
            query: Of the page.
            paginator: The list's.
            next_up: Whether its turn comes before that of most others that were asked for.

        Returns:
            What the request is called, for `forget`; None if it was not sent.
        """
        if not self._ahead.has_room(next_up=next_up):
            return None
        request = reading.stream.request(context, query)
        key = reading.name, request.key
        self._ahead.want(key, self._fetch(reading, context, query, paginator, request), next_up=next_up)
        return key

    def take(self, reading: Reading, context: Context | None, query: Query, paginator: Paginator) -> Page:
        """A page, sent for now if it was not before.

        Raises:
            ApiError: It can't be had.
        """
        request = reading.stream.request(context, query)
        fetch = self._fetch(reading, context, query, paginator, request)
        return self._ahead.take((reading.name, request.key), fetch)

    def again(self, reading: Reading, context: Context | None, paginator: Paginator) -> Page:
        """The first page of a list once more."""
        return self._get(reading, reading.stream.request(context, paginator.current_value))

    def peek(self, key: Hashable) -> Page | None:
        """A page that came before its turn; None if it has not."""
        return self._ahead.peek(key)

    def forget(self, keys: Iterable[Hashable]) -> int:
        """Drop requests that turned out not to be needed; returns how many there were."""
        return self._ahead.forget(keys)

    def close(self) -> None:
        """Drop all that is in flight or waiting."""
        self._ahead.close()

    def _fetch(
        self,
        reading: Reading,
        context: Context | None,
        query: Query,
        paginator: Paginator,
        request: Request,
    ) -> Callable[[], Page]:
        if paginator.probing:
            return partial(self._get, reading, request, retries=None if paginator.insists else 1)

        def page() -> Page:
            try:
                return self._get(reading, request)
            except PageFailed as failure:
                if reading.is_failing:
                    raise
                return read_in_pieces(part, paginator, query, failure)

        def part(query: Query) -> Page:
            return self._get(reading, reading.stream.request(context, query), retries=0)

        return page

    def _get(self, reading: Reading, request: Request, *, retries: int | None = None) -> Page:
        stream = reading.stream
        retries = 0 if retries is None and reading.is_failing else retries

        def get(read: Any) -> Any:
            return self._client.get(
                request.url, request.params, request.headers, read, reading.traffic, retries=retries
            )

        if reading.name not in self._sharing:
            page: Page = get(stream.read_page)
            return page

        def whole(response: requests.Response) -> requests.Response:
            stream.read_page(response)  # which asks again if the answer is not whole
            return response

        answer = self._shared.get(request.key, reading.name, lambda: get(whole))
        try:
            if answer is not None:
                return stream.read_page(answer)
        except Retriable:
            pass
        own: Page = get(stream.read_page)  # what is no answer to one stream can be one to another
        return own


def _address(stream: ApiStream) -> Hashable:
    """What the requests of a stream have in common, whatever the parent and the page."""
    asked = {**stream.params, **stream.filter_params}
    params = tuple(sorted((name, str(value)) for name, value in asked.items()))
    return stream.path, params, tuple(sorted(stream.http_headers.items())), stream.replication_method
