"""Memory does not grow with rows or parents; a huge response costs a small multiple of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import msgspec
import pytest

from api_sandbox import Sandbox
from in_process import select
from json_api import JsonApi, cut, numbered
from support import KEY
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents

FULL = bool(os.environ.get("RELIABILITY_FULL"))
PARENTS = 1000 if FULL else 60
ROWS = 1000
HUGE = 200 if FULL else 40
"""Megabytes of the huge response; below 32 the C library keeps what was freed for itself."""

BROKEN = 1000
"""Rows without a key."""

MEASURED = """
import atexit, pathlib, re, sys
from tap_events.tap import TapEvents

def note():
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(sys.argv[-1]).with_name("peak").write_text(re.search(r"VmHWM:\\s+(\\d+)", status)[1])

atexit.register(note)
TapEvents.cli()
"""
"""The tap, which writes its own peak memory in kB beside its config; a parent's view includes the parent."""


def peak(server, folder, *, concurrency=8):
    """Rows written and peak memory in MB of a run in a process of its own."""
    path = folder / "config.json"
    config = {"api_url": f"{server.url}/events", "api_key": KEY, "concurrency": concurrency}
    path.write_text(json.dumps(config))
    with (folder / "out.jsonl").open("wb") as out:
        run = subprocess.Popen([sys.executable, "-c", MEASURED, "--config", path], stdout=out)
        assert run.wait(300) == 0
    with (folder / "out.jsonl").open("rb") as lines:
        rows = sum(line.startswith(b'{"type":"RECORD"') for line in lines)
    (folder / "out.jsonl").unlink()
    return rows, int((folder / "peak").read_text()) / 1024


def person(number):
    return {"id": number, "first_name": "Ada", "email": f"{number}@mail.example", "last_name": "7" * 200}


@pytest.fixture
def server():
    events = [{"id": number} for number in range(PARENTS)]
    nobody = dict.fromkeys(range(PARENTS), ())
    data = {"events": events, "categories": [], "users": [], "attendees": nobody, "donations": nobody}
    with Sandbox(data={"events": {**data, "tickets": nobody, "transactions": nobody}}) as sandbox:
        yield sandbox


def test_many_rows_over_many_parents(server, tmp_path, reliability):
    body = msgspec.json.encode({"attendees": [person(number) for number in range(ROWS)]}).decode()
    server.fault("raw_body", path="/events/v1/events/[0-9]+/attendees", body=body)
    rows, megabytes = peak(server, tmp_path)
    assert rows == PARENTS + PARENTS * ROWS
    assert megabytes < 150
    reliability("Memory", f"{rows:,} rows over {PARENTS:,} parents", f"peak {megabytes:.0f} MB")


def test_one_huge_response(server, tmp_path, reliability):
    count = HUGE * 1024 * 1024 // (len(json.dumps(person(10**6), separators=(",", ":"))) + 1)
    body = msgspec.json.encode({"users": [person(number) for number in range(count)]}).decode()
    _, base = peak(server, tmp_path)
    server.fault("raw_body", path="/events/v1/users", body=body)
    rows, megabytes = peak(server, tmp_path)
    assert rows == PARENTS + count
    assert megabytes - base < 3 * HUGE
    figure = f"peak {(megabytes - base) / HUGE:.1f} times its size above the tap itself"
    reliability("Memory", f"a response of {HUGE} MB", figure)


@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapEvents, "events")])
def test_rows_that_can_not_be_loaded_are_counted_and_not_kept(capsys, tap, stream):
    rows = [{"title": str(number)} for number in range(BROKEN)]

    def page(_, query):
        if tap is TapBilling:
            return numbered([{"customer": row} for row in rows], query)
        return {"pagination": [{"total": BROKEN}], "events": cut(rows, query)}

    with JsonApi(page) as api:
        config = {"api_url": api.url, "api_key": KEY, "receipt": True}
        broken = tap(config=config, catalog=select(tap, stream))
        with pytest.raises(ApiError):
            broken.run()
    reading = broken.current_run.readings[stream]
    assert reading.failed == reading.rejected == BROKEN
    assert len(reading.failures) <= 5
    assert f"; and {BROKEN - 1} more" in capsys.readouterr().out
