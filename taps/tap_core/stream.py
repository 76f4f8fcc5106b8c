"""`ApiStream`: one endpoint of an API as a Singer stream."""

from __future__ import annotations

import logging
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import quote

from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.schema.source import StreamSchema
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams.rest import PageContext, RESTStream

from tap_core import jsonpath
from tap_core.answers import read_answer
from tap_core.bookmarks import Bookmark
from tap_core.client import Traffic
from tap_core.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec, key_reader
from tap_core.conform import Conformer
from tap_core.errors import ApiError
from tap_core.page import Page
from tap_core.pagination import Evidence, Query, SinglePage
from tap_core.sync import read

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import requests
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest

    from tap_core.pagination import Paginator
    from tap_core.readahead import Fetch, ReadAhead
    from tap_core.tap import ApiTap


MANY = 4
"""Parents from which on it can't be chance that all of them are gone."""


class ApiSchema(StreamSchema):
    """A stream's JSON schema from its file, with the column for what the file does not know."""

    def get_stream_schema(self, stream: Any, stream_class: Any) -> dict[str, Any]:
        """The schema of a stream of a configured tap."""
        schema: dict[str, Any] = super().get_stream_schema(stream, stream_class)
        if stream.config.get("unmapped_column", True):
            return {**schema, "properties": {**schema["properties"], UNMAPPED: UNMAPPED_SCHEMA}}
        return schema


class ApiStream(RESTStream[Query]):
    """One endpoint: a request in, a page of records out.

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
    """Whether the list comes newest first by its replication key, so that reading can stop early."""

    lookback = 0
    """Seconds before the bookmark that are read again by default."""

    def __init__(self, tap: ApiTap) -> None:
        """Set up the stream of a tap; nothing is requested."""
        super().__init__(tap)
        self.tap = tap
        self.evidence = Evidence()
        self.traffic = Traffic()
        self.totals: Counter[str] = Counter()
        self.bookmark: Bookmark | None = None
        self.given_up = False
        """Whether the key may not read this stream under any parent."""
        self._schema_written = False

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Keep what the SDK says of each sync for debugging; the tap itself says what matters."""
        super().log(message, *args, level=min(level, logging.DEBUG), **kwargs)

    # What a request is made of

    @property
    def url_base(self) -> str:
        """Where all paths begin."""
        return str(self.config["api_url"]).rstrip("/")

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
        document = read_answer(response, self.is_empty_list, key_setting=self.tap.key_setting)
        return Page(document, self.records_jsonpath, self._key_of)

    @cached_property
    def _key_of(self) -> Any:
        return key_reader(self.primary_keys)

    @cached_property
    def plain(self) -> bool:
        """Whether no stream map or flattening changes the records."""
        return len(self.stream_maps) == 1 and all(
            type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
            for stream_map in self.stream_maps
        )

    @cached_property
    def codec(self) -> Codec:
        """What makes records of this stream fit its schema."""
        schema = self.effective_schema
        deselected = [crumb[1::2] for crumb, selected in self.mask.items() if crumb and not selected]
        unmapped = UNMAPPED if UNMAPPED in schema["properties"] and (UNMAPPED,) not in deselected else None
        conformer = Conformer(schema, unmapped=unmapped, deselected=deselected, logger=self.logger)
        typed = self.plain and not deselected and not self.child_streams and not self.tap.batches
        return Codec(self.name, schema, self.primary_keys, typed=typed, conformer=conformer)

    def decode(self, raws: Iterable[Any], context: Context | None, *, typed: bool = True) -> list[Any]:
        """Records that fit the schema, with the parent's keys filled in."""
        return self.codec.decode(
            raws,
            lambda record: self.post_process(record, context),
            self._from_parent(context or {}),
            typed=typed,
        )

    def _from_parent(self, context: Mapping[str, Any]) -> dict[str, Any]:
        properties = self.effective_schema["properties"]
        renamed = {field: context[name] for field, name in self.parent_fields.items() if name in context}
        named = {name: value for name, value in context.items() if name in properties}
        return renamed or named

    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any]:
        """The ids that the children's paths need, and no more."""
        own = {name: record[field] for name, field in self.child_keys.items()}
        return {**(context or {}), **own}

    # Reading

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

    def pages(self, context: Context | None, ahead: ReadAhead) -> Iterator[tuple[Page, list[Any]]]:
        """The pages of one list in order, each with its records that were not in an earlier one."""
        paginator = self.get_new_paginator()
        paginator.evidence = self.evidence
        reach = 1 if self.has_selected_descendents else ahead.depth
        expected: set[Hashable] = set()
        try:
            while not paginator.finished:
                key, fetch = self.request(context, paginator.current_value)
                page = ahead.take(key, fetch)
                expected.discard(key)
                fresh = paginator.take(page)
                for query in paginator.upcoming()[:reach]:
                    key, fetch = self.request(context, query)
                    ahead.want(key, fetch, next_up=True)
                    expected.add(key)
                yield page, fresh
        finally:
            ahead.forget(expected)
        if paginator.total is not None and paginator.total != paginator.records_read:
            self.log_difference(paginator.records_read, paginator.total)

    def first_request(self, context: Context) -> tuple[Hashable, Fetch]:
        """The request for the first page of the list that a context stands for."""
        return self.request(context, self.get_new_paginator().current_value)

    def log_difference(self, read_count: int, total: int) -> None:
        """Say that a list did not hold as many records as the API said."""
        self.totals["differing totals"] += 1
        self.logger.warning(
            "%s: read %d records where the API says there are %d", self.name, read_count, total
        )

    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], None, None]:
        """Read the stream and its children; replaces the SDK's record by record loop.

        Yields:
            The records, when they are to be batched and not written.
        """
        yield from read(self, context, self.tap.ahead, write=write_messages)

    def write_page(self, records: list[Any], page: Page) -> None:
        """Write those records of a page that are wanted, and take note of how far that is."""
        bookmark, key = self.bookmark, self.replication_key or ""
        records = [record for record in records if self._wants(record)]
        self._write_records(records, page)
        self.totals["rows"] += len(records)
        self.state_manager.is_flushed = False
        if bookmark:
            bookmark.see(self.codec.get(record, key) for record in records)
            if self.is_sorted:
                bookmark.save()

    def _wants(self, record: Any) -> bool:
        bookmark = self.bookmark
        return (
            not bookmark
            or not bookmark.start
            or bookmark.wants(self.codec.get(record, self.replication_key or ""))
        )

    def any_wanted(self, records: list[Any]) -> bool:
        """Whether a page holds a record that is new enough; more of them may follow then."""
        return not records or any(self._wants(record) for record in records)

    def _write_records(self, records: list[Any], page: Page) -> None:
        for stream_map in self.stream_maps:
            if isinstance(stream_map, RemoveRecordTransform):
                continue
            mapped = records if self.plain else [stream_map.transform(dict(record)) for record in records]
            self.tap.message_writer.write_records(
                stream_map.stream_alias,
                [record for record in mapped if record is not None],
                version=self._stream_version,
                time_extracted=page.time_extracted,
            )

    @property
    def wanted_children(self) -> list[ApiStream]:
        """The child streams that are selected, or have selected children of their own."""
        children = cast("list[ApiStream]", self.child_streams)
        return [child for child in children if child.selected or child.has_selected_descendents]

    def check_gone(self) -> None:
        """Say how many parents had nothing at this stream's path; all of them is a failure."""
        gone, lists = self.totals["gone"], self.totals["lists"]
        if gone and gone == lists >= MANY and not self.optional:
            self.tap.failed(
                f"{self.name}: nothing is at {self.path} for any of {lists} parents (404): check api_url"
            )
        elif gone:
            self.logger.warning(
                "%s: %d of %d parents were gone, or have no such list (404)", self.name, gone, lists
            )

    def open(self, *, write: bool) -> None:
        """Begin to read a stream that has no parent.

        Args:
            write: Whether messages are written; then the children's SCHEMA comes here, parents or not.
        """
        for child in self.descendent_streams:
            if child.selected and write:
                child._write_schema_message()  # noqa: SLF001
        if self.replication_method != REPLICATION_INCREMENTAL or not self.replication_key:
            return
        lookback = self.config.get("lookback")
        self.bookmark = Bookmark(
            self.stream_state,
            self.replication_key,
            start_date=self.config.get("start_date"),
            lookback=self.lookback if lookback is None else lookback,
            now=self.tap.began,
        )

    def close(self) -> None:
        """All of the stream was written: its bookmark may move."""
        if self.bookmark:
            self.bookmark.save()
        for child in cast("list[ApiStream]", self.descendent_streams):
            child.check_gone()

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark itself never passes the start of the run."""

    def _write_schema_message(self) -> None:
        """SCHEMA once per stream, however many parents it has."""
        if not self._schema_written:
            self._schema_written = True
            super()._write_schema_message()

    def apply_catalog(self, catalog: Any) -> None:
        """Take selection and overrides from a catalog; what it leaves out stays as the tap knows it."""
        keys, replication_key = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        entry = catalog.get_stream(self.name)
        if entry is None:
            return
        self.primary_keys = self.primary_keys or keys
        self.replication_key = self.replication_key or replication_key


def _segment(value: Any) -> str:
    """A value as one segment of a path."""
    text = quote(str(value), safe="")
    if text in {"", ".", ".."}:
        msg = f"The API sent {str(value)!r} as an id, which makes no path"
        raise ApiError(msg)
    return text
