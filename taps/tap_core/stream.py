"""`ApiStream`: an endpoint of an API: its facts, a request to it, a page of it decoded."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.streams.rest import PageContext
from typing_extensions import override

from tap_core.account import account_columns
from tap_core.batches import are_by_list
from tap_core.bounds import BoundedStream
from tap_core.errors import NoSuchList, Retriable
from tap_core.http.request import Request, fill_path
from tap_core.http.response import check_finished, limit_inside, read_answer
from tap_core.paging.failures import hints_at_failure
from tap_core.paging.page import Page
from tap_core.paging.paginator import SinglePage
from tap_core.records import jsonpath
from tap_core.records.codec import UNMAPPED, Codec
from tap_core.records.conform import Conformer
from tap_core.records.keys import is_missing, key_reader
from tap_core.records.mapping import RecordMapping
from tap_core.records.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    import requests
    from singer_sdk.helpers.types import Context
    from singer_sdk.streams.rest import HTTPRequest

    from tap_core.errors import ApiError
    from tap_core.paging.page import Rows
    from tap_core.paging.paginator import Paginator, Query


class ApiStream(BoundedStream):
    """One endpoint: a request in, a page of undecoded records out, records that fit the schema.

    A subclass states facts: `name`, `path`, keys, parent. Everything else has a default here. What happens
    to a stream in a run is in its `Reading`.
    """

    primary_keys: Sequence[str] = ("id",)
    state_partitioning_keys: Sequence[str] | None = ()
    """One bookmark per stream: STATE does not grow with the number of parents."""

    params: ClassVar[Mapping[str, Any]] = {}
    """Query parameters of every request."""

    repairs: Mapping[str, Callable[[Any], Any]] = {}
    """What puts right values of some fields that do not fit as they came, by name or dotted path: a function
    that gives back those that it can do nothing for, and those that fit. What does not fit then is kept as it
    came."""

    post_process_fields: Collection[str] | None = None
    """Fields that `post_process` looks at: others alone need no call of it. None for all fields."""

    secrets: Collection[str] = ()
    """Fields that never leave the tap, as `records.Secrets` takes them, besides those of any API."""

    rights_by_parent = False
    """Whether the key's rights can differ between parents: then refusals (403) never end the stream."""

    may_be_missing = False
    """Whether an account or a server can lack this list: then a refusal of its first page (see
    `missing_statuses`) is no fault, and the list counts neither as read nor as empty."""

    missing_statuses: ClassVar[Sequence[int]] = (403, 404)
    """What a list that is missing is answered with."""

    missing_hint = ""
    """Where what such a list holds is found instead, as the end of a sentence."""

    total_counts_hidden = False
    """Whether the API's total counts rows that it leaves out of the pages: then any that fall short are no
    failure, and are only told."""

    null_is_empty = False
    """Whether the API sends null in place of an empty list."""

    resumable = True
    """Whether an interrupted read can go on from the last record that was written."""

    # What a request is made of

    @property
    @override
    def url_base(self) -> str:
        """Where all paths begin: `api_url`, and the version if the API has it in its path."""
        version = self.config.get("api_version")
        return "/".join(filter(None, (str(self.config["api_url"]).rstrip("/"), version)))

    @override
    def get_url(self, context: Context | None) -> str:
        """URL of the list that a context stands for; ids are quoted, so they cannot lead elsewhere."""
        return self.url_base + fill_path(self.path or "", context or {}, self.name)

    @override
    def get_url_params(self, context: Context | None, next_page_token: Query | None) -> dict[str, Any]:
        """Query of one page: the stream's own parameters, lower bound and filters, the paginator's token."""
        start, end = self._bounds(self.bookmark_of(context) if self.bookmark_of else self.bookmark)
        since = {} if start is None else self.since(start)
        # No bound of time beside one by id: APIs heed only one of the two.
        until = {} if end is None or isinstance(start, int) else self.until(end)
        return {**self.params, **since, **until, **self.filter_params, **(next_page_token or {})}

    @override
    def get_new_paginator(self) -> Paginator:
        """How the list is walked; a single page unless the API's tap says otherwise."""
        return SinglePage()

    def request(self, context: Context | None, token: Query) -> Request:
        """A page's request."""
        request: HTTPRequest = self.get_http_request(page=PageContext(context, token))
        return Request(request.url, request.params, request.headers)

    # From a response to records

    def means_no_such_list(self, error: ApiError) -> bool:
        """Whether a failure of a list's first page says that the account or the server has no such list."""
        refused = self.may_be_missing and error.status in self.missing_statuses
        return (refused and not error.passes) or isinstance(error, NoSuchList)

    def is_empty_list(self, status: int, message: str) -> bool:
        """Whether an error response means that a list has nothing in it."""
        return False

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The records of a response as Python objects; the SDK's own way, kept for its callers."""
        yield from map(jsonpath.decode, self.read_page(response).records)

    def read_page(self, response: requests.Response) -> Page:
        """The page that a response holds.

        Raises:
            Retriable: The body is malformed, has no list where the records are to be, or says that it failed.
            ApiError: The status says that the request can't succeed.
        """
        refusals, is_child = self.tap.http_refusals, self.parent is not None
        document = read_answer(response, self.is_empty_list, refusals, may_have_no_content=is_child)
        path = self.records_path(document)
        page = Page(document, path, self.key_of, links=response.headers.get("Link"))
        try:
            if document is not None or (response.ok and response.content):
                self.check_envelope(page)
            self.check_failure(page)
            check_finished(response, page)
        except Retriable:
            if member := page.limit:
                raise limit_inside(response, member) from None
            raise
        return page

    def check_failure(self, page: Page) -> None:
        """See that a page is not an answer that says that it failed, and may have only some of its rows.

        Raises:
            Retriable: It is.
        """
        if failure := page.failure:
            rows = "rows" if page.records else "no rows"
            msg = f"the answer has {rows} and says by `{failure}` that something failed"
            raise Retriable(msg, divisible=False)

    def records_path(self, document: Any) -> str:
        """JSONPath of the records in an answer, where not every answer has them at `records_jsonpath`."""
        return self.records_jsonpath

    def check_envelope(self, page: Page) -> None:
        """See that the records' place exists and holds a list, or a lone record; each, if there are many.

        Raises:
            Retriable: It does not: this is the answer to something else.
        """
        if not page.holds_lists(self.is_record, null_is_empty=self.null_is_empty):
            place = page.records_path.removesuffix("[*]")
            msg = f"the answer has no list at `{place}`; is it of another version?"
            raise Retriable(msg, divisible=False)

    def is_record(self, node: Mapping[str, Any]) -> bool:
        """Whether a lone object in the records' place is a record, and not an answer of another kind.

        Args:
            node: The object, its members undecoded.
        """
        fields = self.schema["properties"].keys() - self.keys_in_list
        if any(hints_at_failure(name, jsonpath.decode(node[name])) for name in node.keys() - fields):
            return False
        has_keys = not any(is_missing(jsonpath.decode(node.get(key))) for key in self.keys_in_list)
        return has_keys and not fields.isdisjoint(node)

    def transform_pages(self, pages: Iterable[Rows]) -> Iterator[Rows]:
        """The pages of a list, where records are to be put together otherwise than they came."""
        yield from pages

    @cached_property
    def key_of(self) -> Callable[[Any], Any]:
        """Reads from an undecoded record what tells it apart in its list."""
        return key_reader(self.keys_in_list, self.schema["properties"])

    @property
    def keys_in_list(self) -> Sequence[str]:
        """Those of the declared keys that tell records of one list apart: not those of its parent."""
        given: set[str] = {*self.parent_fields}
        above: Any = self.parent_stream_type
        while above is not None:
            given |= above.child_keys.keys()
            above = above.parent_stream_type
        return [key for key in self.declared_keys if key not in given]

    @property
    def declared_keys(self) -> Sequence[str]:
        """The API's own keys, which tell records apart whatever a catalog calls the table's keys."""
        return type(self).primary_keys

    @cached_property
    def unmapped_records(self) -> bool:
        """Whether no stream map or flattening changes the records."""
        return len(self.stream_maps) == 1 and all(
            type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
            for stream_map in self.stream_maps
        )

    @property
    def is_filtered_by_maps(self) -> bool:
        """Whether a stream map leaves rows out."""
        return bool(self.map_filters)

    @cached_property
    def mappings(self) -> list[RecordMapping]:
        """The stream maps that make records."""
        maps = (found for found in self.stream_maps if not isinstance(found, RemoveRecordTransform))
        return [RecordMapping(found, self.logger, self.secret_fields, self._reject) for found in maps]

    @cached_property
    @override
    def codec(self) -> Codec:
        """What makes records of this stream fit its schema."""
        schema = self.effective_schema
        dropped: list[tuple[str, ...]] = []
        if self.selected:  # else nothing is emitted, and the children need the keys
            dropped = [crumb[1::2] for crumb, selected in self.mask.items() if crumb and not selected]
        unmapped = UNMAPPED if UNMAPPED in schema["properties"] and (UNMAPPED,) not in dropped else None
        secret_fields, logger, utc = self.secret_fields, self.logger, self.config.get("timestamps") == "utc"
        constants = account_columns(self.config)
        conformer = Conformer(
            schema,
            unmapped=unmapped,
            deselected=dropped,
            secrets=secret_fields,
            utc=utc,
            logger=logger,
            constants=constants,
            repairs={tuple(path.split(".")): repair for path, repair in self.repairs.items()},
        )
        return Codec(
            self.name,
            schema,
            [name for name in self.primary_keys if name not in constants],
            typed=self.unmapped_records and not are_by_list(self.config),
            conformer=conformer,
            reject=self._reject,
            post_process_fields=self.post_process_fields,
        )

    @cached_property
    def secret_fields(self) -> Secrets:
        """The fields that never leave the tap."""
        return Secrets(self.secrets, self.logger)

    def without_secrets(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A catalog's schema without columns that must not be emitted."""
        return self.secret_fields.without(schema)

    on_reject: Callable[[str], None] | None = None
    """Is told of each row that can never be loaded; set by the reading."""

    def _reject(self, reason: str) -> None:
        if self.on_reject:
            self.on_reject(reason)

    def decode(self, raws: Iterable[Any], context: Context | None, *, typed: bool = True) -> list[Any]:
        """Records that fit the schema, with the parent's keys filled in; dicts if not `typed`."""

        def post_process(record: dict[str, Any]) -> dict[str, Any] | None:
            return self.post_process(record, context)

        mend = post_process if self.has_post_process else None
        return self.codec.decode(raws, mend, self._from_parent(context or {}), typed=typed)

    def _from_parent(self, context: Mapping[str, Any]) -> dict[str, Any]:
        properties = self.effective_schema["properties"]
        renamed = {field: context[name] for field, name in self.parent_fields.items() if name in context}
        named = {name: value for name, value in context.items() if name in properties}
        return renamed or named
