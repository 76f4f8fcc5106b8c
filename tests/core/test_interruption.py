"""Runs that are killed: the last STATE, fed back, loses nothing, and the read goes on where it was."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from random import Random

import pytest

from api_sandbox import Sandbox
from api_sandbox.events_data import generate
from support import KEY, Output

POINTS = int(os.environ.get("RELIABILITY_POINTS", "3"))
KEYS = {"attendees": "id", "tickets": "id", "transactions": "refno", "events": "id", "users": "id"}


@pytest.fixture(scope="module")
def server():
    with Sandbox(data={"events": generate(Random(5), events=120)}) as sandbox:
        yield sandbox


@pytest.fixture
def slow(server):
    """The server with every answer delayed, so that a run takes a second or so."""
    server.clear()
    server.fault("latency", seconds=0.01)
    return server


class Run:
    """A tap in a process of its own."""

    def __init__(self, server, folder, state=None, **config):
        path = folder / "config.json"
        path.write_text(json.dumps({"api_url": f"{server.url}/events", "api_key": KEY, **config}))
        words = [sys.executable, "-m", "tap_events", "--config", str(path)]
        if state is not None:
            (folder / "state.json").write_text(json.dumps(state))
            words += ["--state", str(folder / "state.json")]
        self.out = folder / "out.jsonl"
        self.log = folder / "log.txt"
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self.process = subprocess.Popen(words, stdout=out, stderr=log)

    def wait_for(self, messages):
        """Wait until so many messages are written, or the run is over."""
        while self.process.poll() is None and self.out.read_bytes().count(b"\n") < messages:
            time.sleep(0.005)

    def end(self, timeout=20):
        code = self.process.wait(timeout)
        text = self.out.read_text()
        return Output(text[: text.rfind("\n") + 1], self.log.read_text(), code)


def ids(*outputs):
    found = {stream: set() for stream in KEYS}
    for output in outputs:
        for stream, rows in output.records.items():
            if stream in KEYS:
                found[stream] |= {row[KEYS[stream]] for row in rows}
    return found


def truth(server):
    tables = server.data["events"]
    found = {stream: {row["id"] for row in tables[stream]} for stream in ("events", "users")}
    for stream in ("attendees", "tickets", "transactions"):
        rows = [row for rows in tables[stream].values() for row in rows]
        found[stream] = {row[KEYS[stream]] for row in rows}
    return found


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("point", range(POINTS))
def test_killed_anywhere_nothing_is_lost(slow, tmp_path, reliability, signum, point):
    messages = random.Random(f"{signum} {point}").randrange(0, 4000)
    first = Run(slow, tmp_path)
    first.wait_for(messages)
    begun = time.monotonic()
    first.process.send_signal(signum)
    killed = first.end(timeout=6)
    assert time.monotonic() - begun < 5
    if killed.code == 0:  # it was over before the signal
        assert ids(killed) == truth(slow)
        return
    if signum != signal.SIGKILL and killed.messages:
        assert killed.code == 128 + signum
        assert killed.messages[-1]["type"] == "STATE"
        assert "Traceback" not in killed.log
    second = Run(slow, tmp_path, state=killed.state).end()
    assert second.code == 0
    assert ids(killed, second) == truth(slow)
    assert "checkpoint" not in json.dumps(second.state)
    if point == POINTS - 1:
        name = signal.Signals(signum).name
        reliability(
            "Interruption", f"{name} at {POINTS} random points", "the last STATE, fed back: no row lost"
        )


@pytest.mark.parametrize("concurrency", [1, 8])
def test_resume_costs_what_is_left(slow, tmp_path, reliability, concurrency):
    Run(slow, tmp_path, concurrency=concurrency).end()
    pages = len(slow.requests)
    first = Run(slow, tmp_path, concurrency=concurrency)
    while len(slow.requests) < 1.5 * pages:
        time.sleep(0.005)
    first.process.kill()
    killed = first.end()
    time.sleep(0.2)
    before = len(slow.requests)
    second = Run(slow, tmp_path, state=killed.state, concurrency=concurrency).end()
    share = (len(slow.requests) - before) / pages
    assert ids(killed, second) == truth(slow)
    assert share <= 0.6
    assert "going on where the last run was interrupted" in second.log
    figure = f"the second run sends {share:.0%} of the requests of a whole one"
    reliability("Interruption", f"killed at 50%, concurrency {concurrency}", figure)


def test_checkpoint_that_no_longer_fits(slow, tmp_path):
    streams = ["attendees", "events", "tickets", "transactions"]
    for query, key in (({"offset": 0, "limit": 100}, "no such event"), ({"offset": "x"}, "1"), (None, "")):
        checkpoint = {"streams": streams, "since": None, "query": query, "key": key}
        state = {"bookmarks": {"events": {"checkpoint": checkpoint}}}
        output = Run(slow, tmp_path, state=state).end()
        assert output.code == 0
        assert ids(output) == truth(slow)
        assert "no longer fits" in output.log


@pytest.mark.parametrize("concurrency", [1, 8])
def test_checkpoint_at_the_end_of_a_list_that_ignores_the_offset(slow, tmp_path, concurrency):
    names = [row["category"] for row in slow.data["events"]["categories"]]
    query = {"offset": len(names) - 1, "limit": 100}
    checkpoint = {"streams": ["categories"], "since": None, "query": query, "key": names[-1]}
    state = {"bookmarks": {"categories": {"checkpoint": checkpoint}}}
    output = Run(slow, tmp_path, state=state, concurrency=concurrency).end()
    assert output.code == 0
    assert ids(output) == truth(slow)


def test_target_that_dies(slow, tmp_path):
    run = subprocess.Popen(
        [sys.executable, "-m", "tap_events"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TAP_EVENTS_API_URL": f"{slow.url}/events", "TAP_EVENTS_API_KEY": KEY},
        text=True,
    )
    run.stdout.readline()
    run.stdout.close()
    assert run.wait(5) == 1
    log = run.stderr.read()
    run.stderr.close()
    assert "The target closed its input" in log
    assert "Traceback" not in log
