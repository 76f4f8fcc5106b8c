"""`Run`: all selected streams read once: their readings, STATE, failures, the stop, and the end."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException

from tap_core import receipt
from tap_core.account import account_columns
from tap_core.batches import are_by_list
from tap_core.emit import mapped, write_rows
from tap_core.errors import ApiError, RunEnds, Stopped
from tap_core.fetcher import Fetcher
from tap_core.left_below import followers, stay_before_left
from tap_core.losses import Gap, Reason
from tap_core.plan import Failure, PageRows, Plan
from tap_core.progress import Progress, summarize
from tap_core.reading import Reading
from tap_core.second_tries import SecondTries

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_core.left_below import Above
    from tap_core.plan import Parent
    from tap_core.records.writer import MessageWriter
    from tap_core.sdk import SdkTap
    from tap_core.second_tries import Doubt
    from tap_core.stream import ApiStream

_STATE_SHARE = 0.05
"""STATE is written when so much of a run's pages has come since the last one: seldom in a long run."""

_STATE_PAGES = 10
_STATE_SECONDS = 60.0


class Run:
    """One run of a tap.

    Args:
        tap: Gives streams, client and writer.
        writer: Where messages go.
        began: When the run began.
    """

    def __init__(self, tap: SdkTap, writer: MessageWriter, began: datetime) -> None:
        self._tap = tap
        self._writer = writer
        self._began = began
        self._batches = are_by_list(tap.config)
        streams: list[Any] = [stream for stream in tap.streams.values() if stream.selected]
        self.fetcher = Fetcher(tap.client, streams)
        self.readings: dict[str, Reading] = {}
        self.ended_by: RunEnds | None = None
        self._later = SecondTries(tap.client.limits.backoff_factor)
        self._above: tuple[Above, ...] = ()
        self._stopped_by = 0
        self._progress = Progress()
        self._pages = self._pages_saved = 0
        self._saved_at = time.monotonic()

    def start(self) -> None:
        """The run begins."""
        self._progress.start()

    def stop(self, signum: int) -> None:
        """End the run at the next point where STATE is whole; right now if that is here."""
        self._stopped_by = signum
        self._tap.client.stop()
        if self.fetcher.waiting:
            self._check_stopped()

    @property
    def _unread(self) -> str:
        """Why what was not read to its end was not."""
        if self.ended_by:
            return str(self.ended_by)
        return (
            f"the run was stopped by signal {self._stopped_by}" if self._stopped_by else "the run broke off"
        )

    @property
    def stopped_by(self) -> int:
        """The signal that asks the run to end; 0 for none."""
        return self._stopped_by

    # Reading

    def write(self, stream: ApiStream, context: Context | None) -> None:
        """Read a list of a stream, and the children of its records, into messages.

        Raises:
            RunEnds: No request can succeed any more.
        """
        reading = self._open(stream) if context is None else self._reading_of(stream)
        pages = self._read(reading, context)
        for rows in pages:
            if not stream.selected:
                continue
            try:
                write_rows(reading, rows, context, self._writer)
            except ApiError as error:
                with contextlib.suppress(StopIteration):
                    pages.throw(error)

    def records(self, stream: ApiStream, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read a list of a stream, and the children of its records; yields the stream's own, mapped."""
        reading = self._open(stream) if context is None else self._reading_of(stream)
        for rows in self._read(reading, context):
            if stream.selected or context is not None:
                records = stream.decode(rows.raws, context, typed=False)
                written = yield from mapped(stream, records)
                reading.written(records, context, rows=written)

    def _read(self, reading: Reading, context: Context | None) -> Generator[PageRows, None, None]:
        begun = time.monotonic()
        came = is_kept = False
        try:
            yield from self._read_list(reading, context)
            came = True
        except RunEnds as end:
            self.ended_by = end
            raise
        except ApiError as error:
            is_kept = self._later.keeps_failed(reading, context, self._above, error)
            if not is_kept:
                reading.lose(context, error)
        finally:
            reading.seconds += time.monotonic() - begun
        if context is None and not is_kept:
            self._try_again(at_end=True)
            self._close(reading, came=came)

    def _read_list(self, reading: Reading, context: Context | None) -> Iterator[PageRows]:
        has_children = bool(reading.stream.children)
        checkpoint = reading.checkpoint if context is None else None
        for item in Plan(reading, context, self.fetcher, self._reading_of).items():
            self._check_stopped()
            if isinstance(item, Failure):
                raise item.error
            if isinstance(item, PageRows):
                yield item
                # A page without new records may be one that the reader steps back from.
                if item.raws and not has_children and not item.is_late and checkpoint:
                    self._pass(reading, item, reading.stream.key_of(item.page.records[-1]))
                self._page_done()
                item.release()
            else:
                self._read_children(item, reading, context)
                if checkpoint and not item.is_late:
                    self._pass(reading, item, item.key)
                if context is None:
                    self._try_again(at_end=False)

    def _pass(self, reading: Reading, item: PageRows | Parent, key: Any) -> None:
        """Let an interrupted read go on from a record, unless something before it is left to be read."""
        streams = [reading.stream, *reading.stream.descendent_streams]
        concerned = [self.readings[one.name] for one in streams if one.name in self.readings]
        if reading.checkpoint and not self._later.waiting and not any(one.has_leftovers for one in concerned):
            version = reading.stream.version
            whole = version is not None and not any(one.why_not_whole for one in concerned)
            reading.checkpoint.put(item.query, key, item.before, version if whole else None)

    def _read_children(self, item: Parent, above: Reading, above_context: Context | None) -> None:
        place = (above, above_context, item.at)
        path, self._above = self._above, (*self._above, place)
        with stay_before_left(self.readings, place):
            for child in item.lists:
                child.reading.lists += 1
                if not child.reading.given_up:
                    self._read_child(child.reading, child.context)
                elif not self._later.keep(child.reading, child.context, self._above, None):
                    child.reading.lose(child.context, None)
        self._above = path

    def _read_child(self, reading: Reading, context: Context | None) -> None:
        # a dry run can have read enough
        with contextlib.suppress(AbortedSyncFailedException, AbortedSyncPausedException):
            if self._batches:
                reading.stream.sync(context)
            else:
                self.write(reading.stream, context)

    # Once more

    def _try_again(self, *, at_end: bool) -> None:
        """Try lists again that seemed to be gone: at the end all, before it those of long ago."""
        while doubts := self._later.due(at_end=at_end):
            self._later.try_again(doubts, self._read_again)
            for doubt in doubts:
                if not doubt.has_passed:
                    with stay_before_left(self.readings, *doubt.above):
                        doubt.reading.lose(doubt.context, doubt.again or doubt.error)

    def _read_again(self, doubt: Doubt) -> None:
        self._above = doubt.above
        with stay_before_left(self.readings, *doubt.above):
            self._read_child(doubt.reading, doubt.context)
        self._above = ()

    def try_streams_again(self) -> None:
        """At the end: try those again whose own list seemed not to be there, unless nothing at all was."""
        later = self._later
        if self._tap.client.answered:
            later.try_again(later.streams, lambda doubt: doubt.reading.stream.sync(None))
        for doubt in later.streams:
            if not doubt.has_passed:
                self._try_again(at_end=True)
                doubt.reading.lose(None, doubt.again or doubt.error)
                self._close(doubt.reading, came=False)

    def _open(self, stream: ApiStream) -> Reading:
        """Begin to read a stream that has no parent; its children's SCHEMA comes here, parents or not."""
        before = self.readings.get(stream.name)
        if before and self._later.current_of(before, None):
            return before  # nothing was read of it
        self._later.waiting.clear()
        self._above = ()
        reading = self.readings[stream.name] = Reading(stream, began=self._began)
        for child in stream.selected_descendants:
            self.readings.pop(child.name, None)
            if not self._batches:
                child.write_schema()
        return reading

    def _reading_of(self, stream: ApiStream) -> Reading:
        if stream.name not in self.readings:
            above = self._reading_of(stream.parent) if stream.parent else None
            self.readings[stream.name] = Reading(stream, began=above.began if above else self._began)
        return self.readings[stream.name]

    def _close(self, reading: Reading, *, came: bool) -> None:
        came = came or bool(reading.missing)
        if any(below.is_mostly_gone for below in followers(reading, self.readings)):
            reading.stay_before(None, None)
        reading.close(bookmark=came)
        reason = reading.why_lists_not_whole
        all_came = came and (reason is None or reason.gap is not Gap.MISSED)
        below = [self._reading_of(child) for child in reading.stream.children]
        for child in below:
            if not all_came:
                child.mark_not_whole(Reason(f"not all {reading.name} were read"))
            elif reason and reason.gap is Gap.RESUMED:
                child.mark_not_whole(reason)
            self._close(child, came=came)
            streams = (child.stream, *child.stream.selected_descendants)
            if all_came and child.parents and not any(self._reading_of(one).may_come_yet for one in streams):
                child.parents.done(reading.began_at_most)
        counts = {child.name: child.parents.skipped for child in below if child.parents}
        skipped = [f"{count} of {name}" for name, count in counts.items() if count]
        if skipped:
            text = "%s: lists not read, as they had ended (children_since): %s"
            self._tap.logger.info(text, reading.name, ", ".join(skipped))

    # STATE

    def _page_done(self) -> None:
        """A page was written: write STATE too, now and then."""
        self._progress.tell(self.readings.values())
        self._pages += 1
        if self._batches:
            return  # rows wait for their file: the SDK writes STATE behind each of these
        few = self._pages - self._pages_saved < max(_STATE_PAGES, self._pages * _STATE_SHARE)
        files = self._writer.files
        if (few or (files and not files.is_due)) and time.monotonic() - self._saved_at < _STATE_SECONDS:
            return
        self._pages_saved, self._saved_at = self._pages, time.monotonic()
        self._tap.write_state()

    def _check_stopped(self) -> None:
        if self._stopped_by:
            raise Stopped(self._stopped_by)

    # The end

    def close(self) -> None:
        """All was tried: let go of connections, write the last STATE, say what each stream came to."""
        self._progress.close()
        self.fetcher.close()
        self._tap.client.stop()  # nothing more is sent: what was counted is all
        if self._tap.config.get("receipt") and not self._is_fruitless:
            streams: list[Any] = list(self._tap.streams.values())
            rows = receipt.rows_of(streams, self.readings, self._began, self._unread)
            receipt.write(self._writer, list(rows), account_columns(self._tap.config))
        self._tap.write_state(again=self._writer.unstated)
        summarize(self.readings.values(), self._tap.logger)

    @property
    def _is_fruitless(self) -> bool:
        """Whether it failed without a single good answer: `meltano config test` must see no RECORD then."""
        has_failed = self.ended_by or any(reading.failures for reading in self.readings.values())
        return bool(has_failed) and not self._tap.client.answered
