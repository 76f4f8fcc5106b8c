"""`Endpoint`: what an endpoint of an API is, what a request to it is made of, what a response says."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from singer_sdk.schema.source import StreamSchema
from singer_sdk.streams.rest import PageContext, RESTStream

from tap_core.errors import ApiError
from tap_core.http.client import Traffic
from tap_core.http.response import read_answer
from tap_core.paging.page import Page
from tap_core.paging.paginator import Query, SinglePage
from tap_core.records import jsonpath
from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, key_reader

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from datetime import datetime

    import requests
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest

    from tap_core.bookmarks import Bookmark
    from tap_core.http.readahead import Fetch
    from tap_core.paging.paginator import Paginator
    from tap_core.tap import ApiTap


class ApiSchema(StreamSchema):
    """A stream's JSON schema from its file, with the column for what the file does not know."""

    def get_stream_schema(self, stream: Any, stream_class: Any) -> dict[str, Any]:
        """The schema of a stream of a configured tap."""
        schema: dict[str, Any] = super().get_stream_schema(stream, stream_class)
        if stream.config.get("unmapped_column", True):
            return {**schema, "properties": {**schema["properties"], UNMAPPED: UNMAPPED_SCHEMA}}
        return schema


class Endpoint(RESTStream[Query]):
    """One endpoint: a request in, a page of undecoded records out.

    A subclass states facts: `name`, `path`, keys, parent. Everything else has a default here.
    """

    primary_keys: Sequence[str] = ("id",)
    replication_key: str | None = None
    state_partitioning_keys: Sequence[str] | None = ()
    """One bookmark per stream: STATE does not grow with the number of parents."""

    params: ClassVar[Mapping[str, Any]] = {}
    """Query parameters of every request."""

    child_keys: ClassVar[Mapping[str, str]] = {}
    """What children are given of a record: the name in their paths, and the field it is read from."""

    parent_fields: ClassVar[Mapping[str, str]] = {}
    """Fields filled from the parent's keys under another name: `{"parent_event_id": "event_id"}`.

    A field that is called like the parent's key is filled without being named here."""

    since_param: str | None = None
    """Query parameter that takes the inclusive lower bound of an incremental read."""

    rights_by_parent = False
    """Whether the key's rights can differ between parents: then a refusal (403) ends only that list."""

    optional = False
    """Whether it is no fault when no parent at all has such a list (404)."""

    newest_first = False
    """Whether the list comes newest first by its replication key, so that reading can stop early.

    No page of an incremental read is then asked for before its turn."""

    oldest_first = False
    """Whether a list that has a lower bound comes oldest first by the replication key.

    Where nothing has changed, it ends with the row that the last run ended with, and is known to."""

    keeps_page_size = False
    """Whether STATE keeps the size of the largest page, so that a first page that is shorter ends the list.

    Shorter than half of it, in case the API has lowered its limit since."""

    lookback = 0
    """Seconds before the bookmark that are read again by default."""

    def __init__(self, tap: ApiTap) -> None:
        """Set up the stream of a tap; nothing is requested."""
        super().__init__(tap)
        self.tap = tap
        self.traffic = Traffic()
        self.bookmark: Bookmark | None = None

    # What a request is made of

    @property
    def url_base(self) -> str:
        """Where all paths begin: `api_url`, and the version if the API has it in its path."""
        version = self.config.get("api_version")
        return "/".join(filter(None, (str(self.config["api_url"]).rstrip("/"), version)))

    @property
    def authenticator(self) -> Any:
        """What adds the credential to a request; shared by all streams."""
        return self.tap.authenticator

    @property
    def requests_session(self) -> requests.Session:
        """The session that all streams share."""
        return self.tap.client.session

    def get_url(self, context: Context | None) -> str:
        """URL of the list that a context stands for; ids are quoted, so they cannot lead elsewhere."""
        path = self.path or ""
        for name, value in (context or {}).items():
            path = path.replace(f"{{{name}}}", _segment(value))
        return self.url_base + path

    def get_url_params(self, context: Context | None, next_page_token: Query | None) -> dict[str, Any]:
        """Query of one page: the stream's own parameters, the lower bound, and the paginator's token."""
        start = self.bookmark.start if self.bookmark else None
        since = self.since(start) if start else {}
        return {**self.params, **since, **(next_page_token or {})}

    def since(self, start: datetime) -> dict[str, Any]:
        """Query parameters that ask for rows from this moment on."""
        return {self.since_param: start.isoformat()} if self.since_param else {}

    def get_new_paginator(self) -> Paginator:
        """How the list is walked; a single page unless the API's tap says otherwise."""
        return SinglePage()

    # From a response to records

    def is_empty_list(self, status: int, message: str) -> bool:
        """Whether an error response means that a list has nothing in it."""
        return False

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The records of a response as Python objects; the SDK's own way, kept for its callers."""
        yield from map(jsonpath.decode, self.read_page(response).records)

    def read_page(self, response: requests.Response) -> Page:
        """The page that a response holds.

        Raises:
            Retriable: The body is malformed.
            ApiError: The status says that the request can't succeed.
        """
        document = read_answer(
            response,
            self.is_empty_list,
            self.tap.http_refusals,
        )
        return Page(document, self.records_jsonpath, self.key_of)

    @cached_property
    def key_of(self) -> Any:
        """Reads from an undecoded record what tells it apart in its list."""
        return key_reader(self.primary_keys)

    def request(self, context: Context | None, token: Query) -> tuple[Hashable, Fetch]:
        """A page's request: what tells it apart, and the function that fetches the page."""
        request: HTTPRequest = self.get_http_request(page=PageContext(context, token))
        key = (self.name, request.url, *sorted((name, str(value)) for name, value in request.params.items()))

        def fetch() -> Page:
            return self.tap.client.get(
                request.url,
                request.params,
                request.headers,
                self.read_page,
                self.traffic,
            )

        return key, fetch

    def first_request(self, context: Context) -> tuple[Hashable, Fetch]:
        """The request for the first page of the list that a context stands for."""
        return self.request(context, self.get_new_paginator().current_value)

    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any]:
        """The ids that the children's paths need, and no more."""
        own = {name: record[field] for name, field in self.child_keys.items()}
        return {**(context or {}), **own}


def _segment(value: Any) -> str:
    """A value as one segment of a path."""
    text = quote(str(value), safe="")
    if text in {"", ".", ".."}:
        msg = f"The API sent {str(value)!r} as an id, which makes no path"
        raise ApiError(msg)
    return text
