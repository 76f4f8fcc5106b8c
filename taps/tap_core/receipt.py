"""The receipt: what each stream of a run came to, as rows of a stream of the tap's own, in any warehouse.

It is in no catalog, as there is nothing to select: no stream map, version or bookmark concerns it.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import SchemaMessage

from tap_core.account import with_account
from tap_core.redaction import printable, redacted
from tap_core.replication import RESUMED
from tap_core.settings import RECEIPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_core.reading import Reading
    from tap_core.records.writer import MessageWriter
    from tap_core.stream import ApiStream

KEYS = ("stream", "started_at")

_LONGEST = 1000
"""Characters of a reason."""


def _field(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], "description": description, **more}


def _moment(description: str) -> dict[str, Any]:
    return _field("string", description, format="date-time")


FIELDS = {
    "stream": {"type": "string", "description": "Name of the stream"},
    "started_at": {
        "type": "string",
        "format": "date-time",
        "description": "When the run began; the same for all of its streams",
    },
    "ended_at": _moment("When the stream was done, or the run over"),
    "rows": _field("integer", "Records written, those that came twice included"),
    "total": _field("integer", "Records that there are, as the API says; null where it says nothing"),
    "lists": _field("integer", "Lists asked for: one, or one for each row of the stream above"),
    "requests": _field("integer", "Requests sent for it, retries included"),
    "retries": _field("integer", "Requests that were sent again"),
    "seconds_waited": _field("number", "Seconds waited before requests were sent again"),
    "bookmark_before": _field("string", "How far the stream had been read before"),
    "bookmark_after": _field("string", "How far it is read now"),
    "whole": _field("boolean", "Whether every row was read, so that rows which did not come are gone"),
    "reason": _field("string", "Why it was not read whole, or that its first rows came in an earlier run"),
    "tap_version": _field("string", "Version of the tap"),
}
SCHEMA = {"type": "object", "properties": FIELDS}


def write(writer: MessageWriter, rows: list[dict[str, Any]], columns: Mapping[str, str]) -> None:
    """Write the rows of a run that is over.

    Args:
        writer: Where they go.
        rows: The rows.
        columns: What each of them has besides: the account, if it has a name.
    """
    schema, keys = with_account(SCHEMA, columns), (*columns, *KEYS)
    writer.write_message(SchemaMessage(stream=RECEIPT, schema=schema, key_properties=keys))
    rows = [{**columns, **row} for row in rows]
    writer.write_records(RECEIPT, rows, version=None, time_extracted=datetime.now(timezone.utc))


def rows_of(
    streams: Iterable[ApiStream], readings: Mapping[str, Reading], began: datetime, unread: str
) -> Iterator[dict[str, Any]]:
    """A row for each stream that is selected, or was read for the streams below it.

    Args:
        streams: The tap's.
        readings: What was read, by stream.
        began: When the run began.
        unread: Why what was not read to its end was not.
    """
    now = datetime.now(timezone.utc)
    for stream in streams:
        reading = readings.get(stream.name)
        if stream.selected or (reading and reading.traffic.requests):
            row = {
                "stream": stream.name,
                "started_at": began.isoformat(),
                "ended_at": ((reading and reading.ended) or now).isoformat(),
                **(_read(reading, unread) if reading else _unread(stream, unread)),
                "tap_version": stream.tap.plugin_version,
            }
            yield {name: row[name] for name in FIELDS}


def _read(reading: Reading, unread: str) -> dict[str, Any]:
    reason = reading.why_not_whole or ((RESUMED.text if reading.resumed else "") if reading.done else unread)
    return {
        "rows": reading.rows,
        "total": reading.total,
        "lists": reading.lists,
        "requests": reading.traffic.requests,
        "retries": reading.traffic.retries,
        "seconds_waited": round(reading.traffic.waited, 3),
        "bookmark_before": _text(reading.bookmark_before),
        "bookmark_after": _text(reading.bookmark_kept),
        "whole": reading.whole,
        "reason": _told(reason) or None,
    }


def _unread(stream: ApiStream, why: str) -> dict[str, Any]:
    """Of a stream whose turn never came."""
    bookmark = _text(stream.stream_state.get("replication_key_value"))
    nothing = dict.fromkeys(("rows", "lists", "requests", "retries", "seconds_waited"), 0)
    kept = {"total": None, "bookmark_before": bookmark, "bookmark_after": bookmark}
    return {**nothing, **kept, "whole": False, "reason": _told(why)}


def _told(reason: str) -> str:
    return printable(redacted(reason))[:_LONGEST]


def _text(bookmark: Any) -> str | None:
    return None if bookmark is None else str(bookmark)
