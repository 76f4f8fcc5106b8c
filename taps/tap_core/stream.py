"""`ApiStream`: an endpoint of an API as a Singer stream."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams import Stream

from tap_core.bookmarks import Bookmark, instant
from tap_core.checkpoint import Checkpoint, name_of
from tap_core.endpoint import ApiSchema, Endpoint
from tap_core.errors import ApiError
from tap_core.paging.paginator import Evidence
from tap_core.records import jsonpath
from tap_core.records.codec import UNMAPPED, Codec
from tap_core.records.conform import Conformer
from tap_core.records.mapping import Mapped
from tap_core.sync import read

__all__ = ["ApiSchema", "ApiStream"]

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_core.http.readahead import ReadAhead
    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Paginator, Query
    from tap_core.tap import ApiTap


MANY = 4
"""Parents from which on it can't be chance that all of them are gone."""


class ApiStream(Endpoint):
    """An endpoint as a Singer stream: its pages in order, records that fit the schema, messages."""

    def __init__(self, tap: ApiTap) -> None:
        """Set up the stream of a tap; nothing is requested."""
        super().__init__(tap)
        self.evidence = Evidence()
        self.totals: Counter[str] = Counter()
        self.checkpoint: Checkpoint | None = None
        self.total: int | None = None
        """Records of the whole stream, where the API says so."""
        self.seconds = 0.0
        """Time spent on the stream, its children included."""
        self.given_up = False
        """Whether the key may not read this stream under any parent."""
        self.done = False
        """Whether all of it was written, children's lists included."""
        self._schema_written = False

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Keep what the SDK says of each sync for debugging; the tap itself says what matters."""
        super().log(message, *args, level=min(level, logging.DEBUG), **kwargs)

    @cached_property
    def plain(self) -> bool:
        """Whether no stream map or flattening changes the records."""
        return len(self.stream_maps) == 1 and all(
            type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
            for stream_map in self.stream_maps
        )

    @cached_property
    def _mappings(self) -> list[Mapped]:
        """The stream maps that make records."""
        maps = (found for found in self.stream_maps if not isinstance(found, RemoveRecordTransform))
        return [Mapped(stream_map, self.logger) for stream_map in maps]

    @cached_property
    def codec(self) -> Codec:
        """What makes records of this stream fit its schema."""
        schema = self.effective_schema
        deselected: list[tuple[str, ...]] = []
        if self.selected:  # else nothing is emitted, and the children need the keys
            deselected = [crumb[1::2] for crumb, selected in self.mask.items() if crumb and not selected]
        unmapped = UNMAPPED if UNMAPPED in schema["properties"] and (UNMAPPED,) not in deselected else None
        conformer = Conformer(schema, unmapped=unmapped, deselected=deselected, logger=self.logger)
        typed = self.plain and not self.child_streams and not self.tap.batches
        return Codec(
            self.name,
            schema,
            self.primary_keys,
            typed=typed,
            conformer=conformer,
            reject=self._reject,
            mended=self.mended,
        )

    def _reject(self, reason: str) -> None:
        """Note a record that can never be loaded; the first of a stream fails the run at its end."""
        self.totals["rejected"] += 1
        if self.totals["rejected"] == 1:
            self.tap.failed(f"{self.name}: the API sent {reason}; it cannot be loaded")

    def decode(self, raws: Iterable[Any], context: Context | None) -> list[Any]:
        """Records that fit the schema, with the parent's keys filled in."""
        post_process = None
        if type(self).post_process is not Stream.post_process:

            def post_process(record: dict[str, Any]) -> dict[str, Any] | None:
                return self.post_process(record, context)

        return self.codec.decode(raws, post_process, self._from_parent(context or {}))

    def _from_parent(self, context: Mapping[str, Any]) -> dict[str, Any]:
        properties = self.effective_schema["properties"]
        renamed = {field: context[name] for field, name in self.parent_fields.items() if name in context}
        named = {name: value for name, value in context.items() if name in properties}
        return renamed or named

    # Reading

    def pages(self, context: Context | None, ahead: ReadAhead) -> Iterator[tuple[Query, Page, list[Any]]]:
        """The pages of one list in order, each with its query and its records that are new."""
        paginator = self.get_new_paginator()
        done = self._resume(paginator, ahead) if context is None and self.checkpoint else ()
        paginator.evidence = self.evidence
        paginator.name = " ".join((self.name, *map(str, (context or {}).values())))
        reach = 1 if self.has_selected_descendents else ahead.depth
        if self.newest_first and self.bookmark and self.bookmark.start:
            reach = 0  # the bookmark may be on the first page
        expected: set[Hashable] = set()
        try:
            while not paginator.finished:
                asked = paginator.current_value
                key, fetch = self.request(context, asked)
                page = ahead.take(key, fetch)
                expected.discard(key)
                fresh = paginator.take(page)
                if context is None:
                    self.total = paginator.total
                if done:
                    fresh = [record for record in fresh if self.key_of(record) not in done]
                for query in paginator.upcoming()[:reach]:
                    key, fetch = self.request(context, query)
                    ahead.want(key, fetch, next_up=True)
                    expected.add(key)
                ended = self.oldest_first and self._ends_at_bookmark(page, paginator.size or 0)
                yield asked, page, fresh  # whose records may be taken out of it
                if ended:
                    return
        finally:
            ahead.forget(expected)
        if paginator.total is not None and paginator.total != paginator.records_read and not done:
            self.log_difference(paginator.records_read, paginator.total)

    def _ends_at_bookmark(self, page: Page, size: int) -> bool:
        """Whether a page ends where the last run did, and has room for what would have come since."""
        if self.bookmark is None or not 0 < 2 * len(page.records) <= size:
            return False
        last = jsonpath.first(page.records[-1], f"$.{self.replication_key}")
        with contextlib.suppress(ValueError):
            return self.bookmark.reached is not None and instant(last) == self.bookmark.reached
        return False

    def _resume(self, paginator: Paginator, ahead: ReadAhead) -> list[Any]:
        """Take the paginator to where the last run was interrupted.

        Returns:
            Keys of the records on that page that were dealt with; none if the read begins at the start.
        """
        checkpoint = cast("Checkpoint", self.checkpoint)
        if not checkpoint.given:
            return []
        if checkpoint.query is not None:
            with contextlib.suppress(ApiError):
                page = ahead.take(*self.request(None, checkpoint.query))
                names = [name_of(key) for key in page.keys]
                if checkpoint.key in names:
                    done = page.keys[: names.index(checkpoint.key) + 1]
                    paginator.resume(checkpoint.query, page, done)
                    self.logger.info("%s: going on where the last run was interrupted", self.name)
                    return done
        self.logger.info("%s: the last run's checkpoint no longer fits; reading from the start", self.name)
        return []

    def log_difference(self, read_count: int, total: int) -> None:
        """Say that a list did not hold as many records as the API said; for many lists, of the first few."""
        self.totals["differing totals"] += 1
        level = logging.WARNING if self.totals["differing totals"] < MANY else logging.DEBUG
        self.logger.log(
            level, "%s: read %d records where the API says there are %d", self.name, read_count, total
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

    def write_records(self, records: list[Any], time_extracted: datetime) -> None:
        """Write those records that are wanted, and take note of how far that is."""
        bookmark, key = self.bookmark, self.replication_key or ""
        records = [record for record in records if self._wants(record)]
        for mapping in self._mappings:
            mapped = records if self.plain else [mapping.transform(dict(record)) for record in records]
            self.tap.message_writer.write_records(
                mapping.alias,
                [record for record in mapped if record is not None],
                version=self._stream_version,
                time_extracted=time_extracted,
            )
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

    def goes_on(self, last: list[Any]) -> bool:
        """Whether a page of a list that is newest first ends with a record that is new enough."""
        return all(map(self._wants, last))

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
        for child in cast("list[ApiStream]", self.descendent_streams):
            if child.selected and write:
                child.announce()
        if self.replication_method == REPLICATION_INCREMENTAL and self.replication_key:
            self._open_bookmark(self.replication_key)
        if self.keeps_page_size and self.bookmark:
            asked = self.get_new_paginator().size or 0
            self.evidence.largest = (min(self._known_page_size, asked) + 1) // 2
        # A target that drops the rows of earlier versions needs all rows in one run.
        if not (self.bookmark and self.is_sorted) and not self.emit_activate_version_messages:
            streams = [self.name, *(child.name for child in self.descendent_streams if child.selected)]
            start = self.bookmark.start if self.bookmark else None
            since = start.isoformat() if start else None
            began = self.tap.began.isoformat() if self.bookmark else None
            self.checkpoint = Checkpoint(self.stream_state, streams, since, began)
            if self.bookmark and self.checkpoint.began:
                self.bookmark.hold(instant(self.checkpoint.began))

    @property
    def _known_page_size(self) -> int:
        """Records in the largest page of earlier runs."""
        size = self.stream_state.get("page_size")
        return size if isinstance(size, int) else 0

    def _open_bookmark(self, key: str) -> None:
        lookback = self.config.get("lookback")
        self.bookmark = Bookmark(
            self.stream_state,
            key,
            start_date=self.config.get("start_date"),
            lookback=self.lookback if lookback is None else lookback,
            now=self.tap.began,
        )

    def close(self) -> None:
        """All of the stream was written: its bookmark may move."""
        self.done = True
        if self.bookmark:
            self.bookmark.save()
        if self.keeps_page_size and self.bookmark:
            self.stream_state["page_size"] = max(self._known_page_size, self.evidence.largest)
        if self.checkpoint:
            self.checkpoint.drop()
        for child in cast("list[ApiStream]", self.descendent_streams):
            child.done = True
            child.check_gone()

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark itself never passes the start of the run."""

    def announce(self) -> None:
        """Write what comes before the records of a child stream, as `sync` does for the others."""
        self._write_schema_message()
        if self.emit_activate_version_messages:
            self._stream_version = self._initialized_at // 1000
            self._write_activate_version_message(self._stream_version)

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
