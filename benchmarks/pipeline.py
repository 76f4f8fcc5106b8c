"""`meltano run` into DuckDB: the project's own plugins, in a Meltano project of the benchmark's.

It is a copy of the project's meltano.yml with taps added, and its plugins are the project's, linked. So
nothing is installed twice, and the project's own state and warehouse stay as they are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.contenders import BIN, CONCURRENCY, PEERS, STREAMS, Contender, python
from benchmarks.measure import ROOT, WORK
from benchmarks.server import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PROJECT = WORK / "project"

_TAPS = """
  - name: tap-replay
    namespace: tap_replay
    executable: ./replay
  - name: tap-plain
    namespace: tap_plain
    executable: ./plain
    settings: [{name: api_url}, {name: api_key}]
"""


def messages(size: str) -> Path:
    """Where the messages are that tap-events wrote, to be replayed."""
    return WORK / f"messages-{size}.jsonl"


def settings(url: str, size: str) -> dict[str, str]:
    """Variables that tell the taps what to read."""
    return {
        "BENCH_MESSAGES": str(messages(size)),
        "TAP_EVENTS_API_URL": url,
        "TAP_EVENTS_API_KEY": KEY,
        "TAP_EVENTS_CONCURRENCY": str(CONCURRENCY),
        "TAP_EVENTS__SELECT": json.dumps([f"{stream}.*" for stream in STREAMS]),
        "TAP_PLAIN_API_URL": url,
        "TAP_PLAIN_API_KEY": KEY,
    }


def set_up() -> None:
    """Write the Meltano project."""
    for folder in (PROJECT / ".meltano", PROJECT / "output"):
        folder.mkdir(parents=True, exist_ok=True)
    for kind in ("extractors", "loaders"):
        link = PROJECT / ".meltano" / kind
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / ".meltano" / kind)
    head = "\n  extractors:"
    before, after = (ROOT / "meltano.yml").read_text().split(f"{head}\n", 1)
    (PROJECT / "meltano.yml").write_text(f"{before}{head}{_TAPS}{after}")
    for name, line in {
        "replay": 'exec cat "$BENCH_MESSAGES"',
        "plain": f'exec {python("sdk")} {PEERS / "sdk_tap.py"} "$@"',
    }.items():
        (PROJECT / name).write_text(f"#!/bin/sh\n{line}\n")
        (PROJECT / name).chmod(0o755)


def _run(tap: str) -> Callable[[str, Path], Sequence[str | Path]]:
    def command(_: str, __: Path) -> Sequence[str | Path]:
        for path in (PROJECT / "output").iterdir():
            path.unlink()
        meltano: list[str | Path] = [BIN / "meltano", "--cwd", PROJECT, "--log-level", "warning", "run"]
        return [*meltano, "--no-install", "--no-state-update", tap, "target-duckdb"]

    return command


def _warehouse(schema: str) -> Callable[[Path], Sequence[str | Path]]:
    return lambda _: ["duckdb", PROJECT / "output" / "warehouse.duckdb", schema]


SUITE = Contender(
    "meltano-suite",
    "meltano run tap-events target-duckdb",
    _run("tap-events"),
    _warehouse("tap_events"),
    "dlt",
)
REPLAY = Contender(
    "meltano-replay",
    "meltano run, the same messages from a file",
    _run("tap-replay"),
    _warehouse("tap_replay"),
    "dlt",
)
PLAIN = Contender(
    "meltano-plain", "meltano run, plain Singer SDK tap", _run("tap-plain"), _warehouse("tap_plain"), "dlt"
)
