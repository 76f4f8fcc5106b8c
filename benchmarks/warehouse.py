"""What a row costs on its way into DuckDB, beside DuckDB itself and dlt: processor seconds of all processes.

Tap and loader are those that Meltano has installed, joined by a pipe, or run by Meltano. Of each the same
work on 30 rows is subtracted, so that what is done once costs nothing in what is told of a row.

python -m benchmarks.warehouse         # all; writes WAREHOUSE.md, in about a quarter of an hour
python -m benchmarks.warehouse --small # a tenth of the rows, one round, as a trial: writes nothing
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import BIN, CONCURRENCY, DLT_PARQUET, PEERS, STREAMS, install, python, select
from benchmarks.measure import ROOT, Server, empty_folder, environment, machine, peak, run, summary
from benchmarks.server import KEY

from benchmarks import pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEW, MANY, MOST = "10x2", "1000x100", "10000x100"
ROUNDS = 3
AGAIN = 10
TAP = ROOT / ".meltano" / "extractors" / "tap-events" / "venv" / "bin" / "tap-events"
LOADER = ROOT / ".meltano" / "loaders" / "target-duckdb" / "venv" / "bin" / "target-duckdb-exact"


def rows(size: str) -> int:
    """Rows of an account: its events, and the attendees of each."""
    events, attendees = map(int, size.split("x"))
    return events * (attendees + 1)


@dataclass
class Took:
    """What a run took."""

    seconds: float
    cpu: float
    memory: tuple[int, ...]
    """Bytes at the peak, of tap and loader where there are two."""


def least(runs: Sequence[Took]) -> Took:
    """The least of some runs, and the most memory."""
    memory = tuple(map(max, zip(*(found.memory for found in runs), strict=True)))
    return Took(min(found.seconds for found in runs), min(found.cpu for found in runs), memory)


class Ways:
    """The ways into a warehouse, each as a function of the account's size."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._catalog = ""

    def _of(self, size: str) -> str:
        return f"{self._url}/{size}/0ms"

    def piped(self, size: str, folder: Path | None = None) -> Took:
        """`tap-events | target-duckdb-exact`; into a file that is there, if there is a folder with one."""
        return self._piped(TAP, size, folder or empty_folder("piped"))

    def arrow(self, size: str) -> Took:
        """The same with Arrow files in place of RECORD messages."""
        folder = empty_folder("arrow")
        storage = {"root": (folder / "files").as_uri()}
        batches = {"encoding": {"format": "arrow"}, "storage": storage}
        return self._piped(BIN / "tap-events", size, folder, batch_config=batches)  # which has pyarrow

    def _piped(self, command: Path, size: str, folder: Path, **settings: Any) -> Took:
        tap = {"api_url": self._of(size), "api_key": KEY, "concurrency": CONCURRENCY, **settings}
        tap["emit_activate_version_messages"] = True
        target = {"filepath": str(folder / "warehouse.duckdb"), "default_target_schema": "bench"}
        for name, content in (("tap", tap), ("target", target)):
            (folder / f"{name}.json").write_text(json.dumps(content))
        if not self._catalog:
            found = subprocess.run(
                [TAP, "--config", folder / "tap.json", "--discover"], check=True, capture_output=True
            )
            self._catalog = json.dumps(select(json.loads(found.stdout), STREAMS))
        (folder / "catalog.json").write_text(self._catalog)
        took = pipe(
            [str(command), "--config", f"{folder}/tap.json", "--catalog", f"{folder}/catalog.json"],
            [str(LOADER), "--config", f"{folder}/target.json"],
            folder,
        )
        check(sys.executable, size, folder / "warehouse.duckdb", "bench")
        return took

    def meltano(self, size: str) -> Took:
        """`meltano run tap-events target-duckdb`."""
        return self._contender(pipeline.SUITE, size, pipeline.settings(self._of(size), size))

    def dlt(self, size: str) -> Took:
        """The best merge of dlt."""
        return self._contender(DLT_PARQUET, size, {})

    def read_json(self, size: str) -> Took:
        """DuckDB's own `read_json` over HTTP."""
        folder = empty_folder("read_json")
        path = folder / "warehouse.duckdb"
        command = [python("duckdb"), PEERS / "read_json.py", self._of(size), KEY, path]
        seconds, cpu, memory = run([str(part) for part in command], folder, {})
        check(python("duckdb"), size, path, "bench")
        return Took(seconds, cpu, (memory,))

    def _contender(self, contender: Any, size: str, variables: Mapping[str, str]) -> Took:
        folder = empty_folder(contender.name)
        command = [str(part) for part in contender.command(self._of(size), folder)]
        seconds, cpu, memory = run(command, folder, variables)
        _, path, schema = contender.check(folder)
        check(contender.python, size, path, schema)
        return Took(seconds, cpu, (memory,))


def pipe(tap: Sequence[str], loader: Sequence[str], folder: Path) -> Took:
    """Run two commands, one into the other.

    Raises:
        SystemExit: One of them failed.
    """
    variables, began = environment(folder), time.perf_counter()
    with (folder / "tap.log").open("wb") as tap_log, (folder / "loader.log").open("wb") as loader_log:
        first = subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=tap_log, env=variables)
        second = subprocess.Popen(
            loader, stdin=first.stdout, stdout=subprocess.DEVNULL, stderr=loader_log, env=variables
        )
        assert first.stdout is not None  # noqa: S101 - it is a pipe
        first.stdout.close()
        ends = [os.wait4(process.pid, 0) for process in (first, second)]
    seconds = time.perf_counter() - began
    for process, (_, status, _) in zip((first, second), ends, strict=True):
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{process.args!r} failed: see {folder}")
    usages = [usage for *_, usage in ends]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return Took(seconds, cpu, tuple(peak(usage) for usage in usages))


def check(interpreter: str | Path, size: str, path: str | Path, schema: str | Path) -> None:
    """Compare what is in a warehouse with what the server has.

    Raises:
        SystemExit: They differ.
    """
    there = summary(str(interpreter), "duckdb", str(path), str(schema))
    wanted = summary(sys.executable, "expected", *size.split("x"), "some")
    if there != wanted:
        raise SystemExit(f"{path} holds {there} in place of {wanted}")


@dataclass
class Figures:
    """All that was measured: by the way and the size; and runs again and again of an account as it was."""

    took: dict[tuple[str, str], Took]
    again: list[Took]
    """The first run, and those after it."""
    grown: float
    """Times the file's size after the first run."""
    many: str = MANY
    most: str = MOST

    def per_row(self, way: str) -> float:
        """Microseconds of a row, without start-ups."""
        many, few = self.took[way, self.many].cpu, self.took[way, FEW].cpu
        return 1e6 * (many - few) / (rows(self.many) - rows(FEW))


def measure(server: Server, many: str, most: str, rounds: int) -> Figures:
    """Measure all, the ways by turns; the largest account once."""
    ways = Ways(server)
    runs: dict[tuple[str, str], list[Took]] = {}
    for _ in range(rounds):
        for way in (ways.piped, ways.arrow, ways.meltano, ways.read_json, ways.dlt):
            for size in (FEW, many):
                found = way(size)
                runs.setdefault((way.__name__, size), []).append(found)
                print(f"{way.__name__:10} {size:9} {found.seconds:7.2f} s {found.cpu:7.2f} s cpu", flush=True)
    took = {key: least(found) for key, found in runs.items()}
    for way in (ways.piped, ways.arrow, ways.dlt):
        took[way.__name__, most] = way(most)
        print(f"{way.__name__:10} {most:9} {took[way.__name__, most].seconds:7.2f} s", flush=True)
    folder = empty_folder("again")
    again, sizes = [], []
    for _ in range(1 + AGAIN):
        again.append(ways.piped(many, folder))
        sizes.append((folder / "warehouse.duckdb").stat().st_size)
    return Figures(took, again, max(sizes) / sizes[0], many, most)


def goals(f: Figures) -> list[tuple[str, str, str]]:
    """What was wanted, and what is."""
    piped, dlt = f.took["piped", f.many], f.took["dlt", f.many]
    large, slow = f.took["piped", f.most], f.took["dlt", f.most]
    first, *later = f.again
    count = f"{rows(f.many):,} rows"
    return [
        (f"`tap-events \\| target-duckdb-exact`, {count}", "≤ 35 µs a row", f"{f.per_row('piped'):.1f} µs"),
        (
            "… times DuckDB's own `read_json` over HTTP",
            "≤ 1.6×",
            f"{f.per_row('piped') / f.per_row('read_json'):.2f}×",
        ),
        (f"`meltano run`, {count}", "≤ 30 µs a row", f"{f.per_row('meltano'):.1f} µs"),
        (f"faster than dlt's best merge, {count}, wall", "≥ 2×", f"{dlt.seconds / piped.seconds:.1f}×"),
        (f"faster than dlt's best merge, {count}, CPU", "≥ 2×", f"{dlt.cpu / piped.cpu:.1f}×"),
        (
            f"faster than dlt's best merge, {rows(f.most):,} rows",
            "≥ 4×",
            f"{slow.seconds / large.seconds:.1f}×",
        ),
        ("… memory of the loader", "≤ 400 MB", f"{large.memory[1] / 1e6:.0f} MB"),
        ("… sum of the peaks of tap and loader", "≤ 700 MB", f"{sum(large.memory) / 1e6:.0f} MB"),
        (
            f"{AGAIN} more runs, nothing changed: the slowest, CPU",
            "≤ the first",
            f"{max(run.cpu for run in later) / first.cpu:.2f}×",
        ),
        ("… the file", "≤ 1.2×", f"{f.grown:.2f}×"),
    ]


LABELS = {
    "piped": "`tap-events \\| target-duckdb-exact`",
    "arrow": "`tap-events \\| target-duckdb-exact`, Arrow files",
    "meltano": "`meltano run tap-events target-duckdb`",
    "read_json": "DuckDB's `read_json` over HTTP",
    "dlt": "dlt, merge from parquet",
}


def page(f: Figures, load: float) -> str:
    """The page."""
    about, today = machine(), f"{datetime.now(timezone.utc):%Y-%m-%d}"
    lines = [
        f"""# Into DuckDB

`make bench` writes this page; see [warehouse.py](warehouse.py). {today}, {about["machine"]}, load {load:.1f}
before the run, Python {about["python"]}.

Processor seconds of all processes, the least of {ROUNDS} rounds by turns; the largest account was read once.
µs a row are without start-ups, which are what {rows(FEW)} rows take in the same way. What each loaded is
compared with the server's data. `read_json` infers types, knows no keys, and is told every address; dlt
merges by the same keys.
""",
        "| | goal | measured |\n|---|---|---|",
        *(f"| {' | '.join(cells)} |" for cells in goals(f)),
        "\n| | rows | seconds | CPU | memory | µs a row |\n|---|--:|--:|--:|--:|--:|",
    ]
    for (way, size), took in sorted(f.took.items(), key=lambda item: (rows(item[0][1]), item[1].cpu)):
        each = f"{f.per_row(way):.1f}" if size == f.many else ""
        memory = " + ".join(f"{part / 1e6:.0f}" for part in took.memory)
        cells = (
            LABELS[way],
            f"{rows(size):,}",
            f"{took.seconds:.2f}",
            f"{took.cpu:.2f}",
            f"{memory} MB",
            each,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Install, measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a tenth of the rows, one round, no page")
    options = parser.parse_args()
    install()
    pipeline.set_up()
    load = os.getloadavg()[0]
    sizes = ("100x100", "1000x100", 1) if options.small else (MANY, MOST, ROUNDS)
    with Server.running() as server:
        text = page(measure(server, *sizes), load)
    if options.small:
        print(text)
    else:
        (Path(__file__).parent / "WAREHOUSE.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
