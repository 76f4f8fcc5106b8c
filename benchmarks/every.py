"""Every stream of every tap, clean and dirty, first and second run: processor seconds per row.

A tap's run is recorded once: its requests, and what the sandbox answered. Each measured run, and the bare
loop that sends the same requests, is then served from that record. Of each process what a small run of it
takes is subtracted, so that what is done once costs nothing here and all that is done per row counts.

python -m benchmarks.every           # all; writes STREAMS.md
python -m benchmarks.every customers # some, as a trial: writes nothing
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import BIN, PEERS, select
from benchmarks.measure import empty_folder, machine, run
from benchmarks.recorded import Record
from benchmarks.rows import ELSEWHERE, FEW, TABLES, parents_of, tables

from api_sandbox import APIS, SANDBOX_KEY, Sandbox
from tap_core import ApiTap
from tap_core.records.values import types_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.rows import Table

MIXES = ("clean", "dirty", "children", "second")
DOMAINS = ("events", "scheduling", "promotions", "billing", "rewards")
SMALL = 30
BIG = 20_000
_VERSION = {"promotions": "/v2"}
"""What comes after an API's name in its address."""
_LONG_AGO = "2001-01-01T00:00:00+00:00"
_UNPACED = 10_000_000
"""Requests a minute: no tap is to wait, where processor time is counted."""


@dataclass(frozen=True)
class Case:
    """A stream in a mix."""

    domain: str
    stream: Any
    table: Table
    mix: str

    @property
    def exists(self) -> bool:
        """Whether the stream can be read so."""
        if self.mix == "second":
            return bool(self.stream.replication_key)
        return self.mix != "children" or bool(self.table.parents)

    def tables(self, count: int) -> Any:
        """The account's."""
        if self.mix == "children":
            return parents_of(self.table, count)
        return tables(self.table, count, dirty=self.mix == "dirty")


@dataclass
class Line:
    """What one stream costs in one mix, in processor seconds."""

    stream: str
    mix: str
    rows: int
    tap: float
    loop: float

    @property
    def per_row(self) -> float:
        """Microseconds of the tap for a row."""
        return 1e6 * self.tap / self.rows

    @property
    def ratio(self) -> float:
        """Times what the bare loop takes."""
        return self.tap / self.loop


def measure(wanted: str, *, big: int = BIG, rounds: int = 3) -> Iterator[Line]:
    """Measure the streams whose name holds the text, each in every mix that it has.

    Raises:
        SystemExit: A stream is neither measured nor known to be small, or to lie elsewhere.
    """
    for domain in DOMAINS:
        streams = _streams(domain)
        missing = {(domain, name) for name in streams} - TABLES.keys() - FEW - ELSEWHERE
        if missing:
            raise SystemExit(f"not in benchmarks/rows.py: {sorted(missing)}")
        for name, stream in streams.items():
            table = TABLES.get((domain, name))
            if table and wanted in f"{domain}.{name}":
                cases = (Case(domain, stream, table, mix) for mix in MIXES)
                for case in cases:
                    if case.exists:
                        yield _line(case, big // 10 if case.mix == "children" else big, rounds)


def _streams(domain: str) -> dict[str, Any]:
    module = importlib.import_module(f"tap_{domain}.tap")
    tap = next(
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, ApiTap) and found is not ApiTap
    )
    return dict(tap(config=_config(domain, "http://127.0.0.1")).streams)


def _config(domain: str, url: str) -> dict[str, Any]:
    credential = "bearer_token" if domain == "promotions" else "api_key"
    return {"api_url": url, credential: SANDBOX_KEY, "concurrency": 1, "requests_per_minute": _UNPACED}


def _answers(stream: Any, path: str) -> bool:
    """Whether a request's path is one of a stream's lists."""
    return re.search(re.sub(r"\{\w+\}", "[^/]+", stream.path) + "$", path) is not None


def _line(case: Case, big: int, rounds: int) -> Line:
    """A stream in a mix: the least of some rounds, big runs and small ones by turns."""
    runs = {count: _Prepared(case, count) for count in (SMALL, big)}
    try:
        took: dict[int, list[tuple[float, float]]] = {count: [] for count in runs}
        for count in (SMALL, big, SMALL) * rounds:  # what is subtracted is to be as sure as what is left
            took[count].append(runs[count].once())
        tap, loop = (
            min(found[at] for found in took[big]) - min(found[at] for found in took[SMALL]) for at in (0, 1)
        )
        return Line(
            f"{case.domain}.{case.stream.name}", case.mix, runs[big].rows - runs[SMALL].rows, tap, loop
        )
    finally:
        for prepared in runs.values():
            prepared.close()


class _Prepared:
    """A tap's run that was recorded, to be done again and again."""

    def __init__(self, case: Case, count: int) -> None:
        self._case = case
        self.folder = empty_folder(f"every-{count}")
        self._sandbox = Sandbox(data={case.domain: case.tables(count)})
        self._sandbox.__enter__()
        self._record = Record(self._sandbox)
        self._tap = [str(BIN / f"tap-{case.domain}"), *self._arguments()]
        run(self._tap, self.folder, {})
        self.rows = (self.folder / "out").read_bytes().count(b'{"type":"RECORD"')
        replay = [BIN / "python", PEERS / "replay.py", self._record.url, self._requests()]
        self._loop = [str(part) for part in replay]

    def _arguments(self) -> list[str]:
        domain, stream = self._case.domain, self._case.stream
        names = {stream.name, stream.parent.name} if self._case.mix == "children" else {stream.name}
        prefix = next(api.prefix for api in APIS if api.name == domain) + _VERSION.get(domain, "")
        files: dict[str, Any] = {
            "config": _config(domain, self._record.url + prefix),
            "catalog": select(stream.tap.catalog_dict, names),
        }
        if self._case.mix == "second":
            is_id = "integer" in types_of(stream.schema["properties"][stream.replication_key])
            since = 1 if is_id else _LONG_AGO
            entry = {"replication_key": stream.replication_key, "replication_key_value": since}
            files["state"] = {"bookmarks": {stream.name: entry}}
        arguments = []
        for name, content in files.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content, default=str))
            arguments += [f"--{name}", str(path)]
        return arguments

    def _requests(self) -> Path:
        """What the bare loop sends: the requests of the tap, each with the place of its records."""
        lines, stream = [], self._case.stream
        for target, headers in self._record.asked:
            source = stream if _answers(stream, target.split("?")[0]) else stream.parent
            steps = source.records_jsonpath.removeprefix("$").replace("[*]", ".*").strip(".").split(".")
            lines.append(json.dumps([target, headers, source.name, steps]))
        path = self.folder / "requests"
        path.write_text("\n".join(lines))
        return path

    def once(self) -> tuple[float, float]:
        """Processor seconds of the tap, and of the bare loop."""
        return run(self._tap, self.folder, {})[1], run(self._loop, self.folder, {})[1]

    def close(self) -> None:
        """Stop the servers."""
        self._record.shutdown()
        self._record.server_close()
        self._sandbox.__exit__(None, None, None)


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("wanted", nargs="?", default="", help="part of the names of some streams")
    parser.add_argument("--rows", type=int, default=BIG)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    lines = []
    for line in measure(options.wanted, big=options.rows, rounds=options.rounds):
        lines.append(line)
        print(
            f"{line.stream:32} {line.mix:8} {line.rows:6} rows {line.per_row:6.1f} µs {line.ratio:5.2f}x",
            flush=True,
        )
    if not options.wanted:
        (Path(__file__).parent / "STREAMS.md").write_text(_page(lines, load, options), encoding="utf-8")


def _page(lines: list[Line], load: float, options: argparse.Namespace) -> str:
    about = machine()
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    head = f"""# What a row of each stream costs

`make bench` writes this table; see [every.py](every.py). {today}, {about["machine"]}, load {load:.1f} before
the run, Python {about["python"]}.

Microseconds of processor time for a row, as a whole process, concurrency 1, start-up not counted; and times
what a bare loop takes that sends the same requests, decodes and encodes the answers, and does nothing else.
Clean: as the sandbox's rows. Dirty: a field more in every row, one that does not fit in one row of ten, odd
texts in another one of ten. Second: the run after the first, with a bookmark that all rows are newer than.
Each of them a run of {options.rows:,} rows less one of {SMALL}. Children: {options.rows // 10:,} parents with
one child each, both read. The least of {options.rounds} rounds.
"""
    table = [f"| stream | {' | '.join(MIXES)} |", "|---" * (len(MIXES) + 1) + "|"]
    for stream in dict.fromkeys(line.stream for line in lines):
        own = {
            line.mix: f"{line.per_row:.1f} µs, {line.ratio:.1f}×" for line in lines if line.stream == stream
        }
        table.append(f"| {stream} | {' | '.join(own.get(mix, '') for mix in MIXES)} |")
    return head + "\n" + "\n".join(table) + "\n"


if __name__ == "__main__":
    main()
