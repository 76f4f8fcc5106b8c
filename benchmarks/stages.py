"""Where tap-events' time goes, by stage: the work (a) under Python's own profiler, one request at a time.

python -m benchmarks.stages   # prints the table of docs/performance.md

A profiler charges each call of a function, and so makes what consists of many small calls look dearer than
it is: the shares are hints. The seconds above them were measured without it.
"""

from __future__ import annotations

import cProfile
import json
import logging
import os
import pstats
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.contenders import catalog
from benchmarks.measure import Server
from benchmarks.server import KEY

from tap_events.tap import TapEvents

STAGES = {
    "HTTP": ("/tap_core/http/", "/urllib3/", "/requests/", "socket.py", "queue.py", "urllib/parse.py"),
    "to the envelope, and the records in it": ("records/jsonpath.py", "paging/page.py"),
    "keys, and what was read before": ("records/keys.py", "paging/window.py"),
    "paging, and the order of lists": ("/paging/", "listing.py", "plan.py", "fetcher.py", "run.py"),
    "records decoded and checked": ("/records/c", "/records/s", "/records/o", "/records/v"),
    "bookmarks, losses, what a run knows": ("reading.py", "replication.py", "bookmarks.py", "progress.py"),
    "messages written": ("writer.py", "encoding.py", "emit.py"),
    "the SDK": ("/singer_sdk/", "tap_core/sdk.py"),
}
_BUILT_IN = {
    "HTTP": ("recv_into", "sendall", "settimeout", "peek", "poll"),
    "messages written": ("encode_lines", "BufferedWriter", "isoformat"),
    "records decoded and checked": ("'extend'", "defstruct", "getattr", "'encode' of 'msgspec"),
    "to the envelope, and the records in it": ("msgspec.json.Decoder",),
    "keys, and what was read before": ("'update' of 'dict'", "builtins.hash", "fromkeys"),
}
OTHER = "built-in functions that all of these call"


def stage_of(place: tuple[str, int, str]) -> str:
    """The stage that a profiled function belongs to."""
    file, _, name = place
    stages = _BUILT_IN if file == "~" else STAGES
    where = name if file == "~" else file
    return next((stage for stage, parts in stages.items() if any(part in where for part in parts)), OTHER)


def read(url: str, profile: cProfile.Profile | None = None) -> float:
    """Read all of an account; returns the processor seconds without start-up."""
    config = {"api_url": url, "api_key": KEY, "concurrency": 1}
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        shown, sys.stdout = sys.stdout, nowhere
        try:
            tap = TapEvents(config=config, catalog=json.loads(catalog().read_text()))
            began = time.process_time()
            if profile:
                profile.runcall(tap.sync_all)
            else:
                tap.sync_all()
            return time.process_time() - began
        finally:
            sys.stdout = shown


def shares(url: str) -> dict[str, float]:
    """The share of each stage in the profile."""
    profile = cProfile.Profile()
    read(url, profile)
    found: Counter[str] = Counter()
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for place, (_, _, alone, *_) in stats.items():
        found[stage_of(place)] += alone
    return {stage: seconds / found.total() for stage, seconds in found.items()}


def main() -> None:
    """Print the table."""
    logging.disable(logging.CRITICAL)
    with Server.running() as server:
        urls = [f"{server.url}/1000x100/0ms{mix}" for mix in ("", "-dirty")]
        seconds = [min(read(url) for _ in range(3)) for url in urls]
        profiles = [shares(url) for url in urls]
    print("| stage | clean | dirty |\n|---|---:|---:|")
    print(f"| CPU seconds, without start-up | {seconds[0]:.2f} | {seconds[1]:.2f} |")
    for stage in [*STAGES, OTHER]:
        print(f"| {stage} | {profiles[0].get(stage, 0):.0%} | {profiles[1].get(stage, 0):.0%} |")


if __name__ == "__main__":
    main()
