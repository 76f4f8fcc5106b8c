"""What a contender delivered, as a count and a checksum of each stream that are the same for all.

    python -m benchmarks.check singer|airbyte|estuary|dlt FILE_OR_FOLDER [ids]
    python -m benchmarks.check duckdb FILE SCHEMA
    python -m benchmarks.check expected EVENTS ATTENDEES all|some|ids

With `ids` nothing else is compared, as contenders do not agree on what becomes of a value that does not fit.
It runs as a process of its own, after the measurement, in the environment of the contender.
"""

from __future__ import annotations

import gzip
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from benchmarks.data import FIRST_EVENT, attendee, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

COLUMNS = {
    "events": ("id", "title", "status", "tickets_sold", "url", "venue"),
    "attendees": ("id", "event_id", "email", "bar_code", "refno", "transaction_amount", "payment_type"),
}
"""What is compared in a database: columns that no loader turns into another type."""


IDS = {"events": ("id",), "attendees": ("id", "event_id")}


def _ids(rows: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((stream, {name: row[name] for name in IDS[stream]}) for stream, row in rows)


def summary(rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, list[int]]:
    """Count and checksum of the rows of each stream; the order of rows and fields plays no part."""
    sums: dict[str, list[int]] = {}
    for stream, row in rows:
        entry = sums.setdefault(stream, [0, 0])
        entry[0] += 1
        entry[1] += crc32(json.dumps(_clean(row), sort_keys=True).encode())
    return sums


def _clean(value: Any) -> Any:
    """A value without nulls and without what contenders add of their own."""
    if isinstance(value, dict):
        kept = {name: _clean(item) for name, item in value.items() if item is not None}
        return {name: item for name, item in kept.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return float(value) if number else value


def state_bytes(path: Path) -> int:
    """Bytes of all STATE messages in a Singer tap's output."""
    with path.open("rb") as lines:
        return sum(len(line) for line in lines if line[:30].replace(b" ", b"").startswith(b'{"type":"STATE"'))


def _singer(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with Path(path).open("rb") as lines:
        for line in lines:
            message = json.loads(line)
            if message["type"] == "RECORD":
                yield message["stream"], message["record"]


def _airbyte(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with Path(path).open("rb") as lines:
        for line in lines:
            message = json.loads(line)
            if message["type"] == "RECORD":
                yield message["record"]["stream"], message["record"]["data"]


def _estuary(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with Path(path).open("rb") as lines:
        for line in lines:
            if captured := json.loads(line).get("captured"):
                yield tuple(COLUMNS)[captured["binding"]], captured["doc"]


def _dlt(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in Path(folder).glob("bench/normalize/extracted/*/new_jobs/*.typed-jsonl*"):
        stream = path.name.partition(".")[0]
        if stream not in COLUMNS:
            continue
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                yield from ((stream, row) for row in json.loads(line))


def _duckdb(path: str, schema: str) -> Iterator[tuple[str, dict[str, Any]]]:
    import duckdb  # noqa: PLC0415  only the environments of loaders have it

    with duckdb.connect(path, read_only=True) as connection:
        for stream, names in COLUMNS.items():
            cursor = connection.execute(f"SELECT {', '.join(names)} FROM {schema}.{stream}")  # noqa: S608
            while rows := cursor.fetchmany(10_000):
                yield from ((stream, dict(zip(names, row, strict=True))) for row in rows)


def _expected(events: str, attendees: str, columns: str) -> Iterator[tuple[str, dict[str, Any]]]:
    names = IDS if columns == "ids" else COLUMNS

    def row(stream: str, whole: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return stream, whole if columns == "all" else {name: whole[name] for name in names[stream]}

    for event_id in range(FIRST_EVENT, FIRST_EVENT + int(events)):
        yield row("events", event(event_id))
        for place in range(int(attendees)):
            yield row("attendees", attendee(event_id, place))


def main(kind: str, *arguments: str) -> None:
    """Print what was delivered."""
    readers: dict[str, Callable[..., Iterator[tuple[str, dict[str, Any]]]]] = {
        "singer": _singer,
        "airbyte": _airbyte,
        "estuary": _estuary,
        "dlt": _dlt,
        "duckdb": _duckdb,
        "expected": _expected,
    }
    only_ids = kind != "expected" and arguments[-1] == "ids"
    rows = readers[kind](*arguments[:-1] if only_ids else arguments)
    print(json.dumps(summary(_ids(rows) if only_ids else rows), sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
