"""Runs all contenders in turn, several rounds, and writes RESULTS.md and results.svg.

python -m benchmarks.run             # all; about half an hour on a quiet machine
python -m benchmarks.run a           # some of it again: the report says so
python -m benchmarks.run a d --small # some of it, on a tenth of the data, as a trial: writes nothing
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.check import state_bytes
from benchmarks.contenders import (
    AIRBYTE,
    CURL,
    DLT,
    DLT_10,
    DLT_MERGE,
    DLT_PARQUET,
    ESTUARY,
    LOOP,
    LOOP_10,
    SDK,
    SUITE,
    SUITE_1,
    SUITE_4,
)
from benchmarks.measure import WORK, Sample, Server, machine

from benchmarks import contenders, measure, pipeline, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders import Contender


@dataclass(frozen=True)
class Work:
    """One kind of measurement."""

    name: str
    contenders: Sequence[Contender]
    sizes: Sequence[str] = ("1000x100",)
    """Events, and attendees of each."""
    latency: int = 0
    dirty: bool = False
    """Whether values are not all as the schema says."""
    rounds: int = 3
    start_ups: bool = True
    """Whether every round begins with a tiny account; Meltano would discover the catalog anew each time."""
    once: Sequence[Contender] = ()
    """Those whose runs are so long that one has to do."""


WORKS = (
    Work("a", (SUITE, SUITE_1, LOOP, CURL, ESTUARY, DLT, DLT_10, AIRBYTE, SDK)),
    Work("dirty", (SUITE, SUITE_1, LOOP, DLT, SDK), dirty=True),
    Work("b", (SUITE, LOOP_10, DLT_10, AIRBYTE, SDK), latency=50, once=(DLT_10, AIRBYTE, SDK)),
    Work("b", (SUITE_4,), sizes=("200x100",), latency=200, rounds=1),
    Work(
        "c",
        (pipeline.SUITE, pipeline.REPLAY, DLT_PARQUET, DLT_MERGE, pipeline.PLAIN),
        start_ups=False,
        once=(DLT_MERGE, pipeline.PLAIN),
    ),
    Work("d", (SUITE,), sizes=("100x100", "1000x100", "10000x100")),
    Work("d", (SDK,), sizes=("100x100",), rounds=1),
    Work("d", (SUITE,), sizes=("1x100000", "1x1000000"), rounds=1),
    Work("d", (SUITE_1, LOOP), sizes=("100000x1",), rounds=1),
)


class Bench:
    """The measurements of one run."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.samples: list[Sample] = []

    def measure(self, work: Work) -> None:
        """Do one kind of work: first a tiny account, which warms up and shows the start-up; then all."""
        for number in range(work.rounds):
            for contender in work.contenders:
                if number and contender in work.once:
                    continue
                if number == 0 or work.start_ups:
                    self.once(work, contender, "1x1")
                for size in work.sizes:
                    self.once(work, contender, size)

    def once(self, work: Work, contender: Contender, size: str) -> None:
        """One run; what it delivered is checked."""
        messages = pipeline.messages(size)
        if contender is pipeline.REPLAY and not messages.exists():
            self.once(replace(work, name="a"), SUITE, size)
        folder = measure.empty_folder(contender.name)
        url = f"{self._server.url}/{size}/{work.latency}ms{'-dirty' if work.dirty else ''}"
        command = [str(part) for part in contender.command(url, folder)]
        self._server.stats()
        took = measure.run(command, folder, pipeline.settings(url, size))
        stats = self._server.stats()
        sample = Sample(work.name, contender.name, size, *took, stats["requests"], stats["seconds"])
        self._check(contender, [str(part) for part in contender.check(folder)], work, size)
        if contender in {SUITE, SDK}:
            sample.state = state_bytes(folder / "out")
        if contender is SUITE and work.name == "a":
            (folder / "out").replace(messages)
        shutil.rmtree(folder)
        self.samples.append(sample)
        print(
            f"({work.name}) {contender.name:15} {size:9} {sample.seconds:7.2f} s {sample.cpu:7.2f} s cpu"
            f" {sample.memory / 1e6:5.0f} MB {sample.requests:6} requests",
            flush=True,
        )

    def _check(self, contender: Contender, arguments: Sequence[str], work: Work, size: str) -> None:
        columns = "ids" if work.dirty else "some" if arguments[0] == "duckdb" else "all"
        expected = _expected(*size.split("x"), columns)
        found = measure.summary(str(contender.python), *arguments, *(["ids"] if work.dirty else []))
        if found != expected:
            raise SystemExit(f"{contender.label} delivered {found} in place of {expected}")


@cache
def _expected(*arguments: str) -> str:
    return measure.summary(sys.executable, "expected", *arguments)


def main() -> None:
    """Install, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("works", nargs="*", help="a, dirty, b, c, d; all if none is named")
    parser.add_argument("--small", action="store_true", help="a tenth of the data, one round, no report")
    parser.add_argument("--report", action="store_true", help="write the report of the last run anew")
    options = parser.parse_args()
    results = WORK / "results.json"
    if (options.report or (options.works and not options.small)) and not results.exists():
        parser.error("no run of all of them is kept here that these could be added to")
    if not options.report:
        contenders.install()
        pipeline.set_up()
        works = [work for work in WORKS if not options.works or work.name in options.works]
        if options.small:
            works = [
                replace(work, sizes=[size.replace("000", "00", 1) for size in work.sizes], rounds=1)
                for work in works
            ]
        load = os.getloadavg()[0]
        with Server.running() as server:
            bench = Bench(server)
            for work in works:
                bench.measure(work)
        if options.small:
            return
        now = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}"
        if options.works:
            run = json.loads(results.read_text())
            run["samples"] = [one for one in run["samples"] if one["work"] not in options.works]
            run["about"].setdefault("again", {}).update(dict.fromkeys(options.works, now))
        else:
            about = {"date": now, "load": load, **machine(), **contenders.versions()}
            run = {"about": about, "samples": []}
        run["samples"] += [asdict(sample) for sample in bench.samples]
        results.write_text(json.dumps(run))
    report.write(json.loads(results.read_text()))


if __name__ == "__main__":
    main()
