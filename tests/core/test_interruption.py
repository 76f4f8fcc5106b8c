"""Runs that are killed: the last STATE, fed back, loses nothing, and the read goes on where it was."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from datetime import datetime, timedelta, timezone
from itertools import islice
from random import Random

import pytest

import starter
from api_sandbox import Sandbox
from api_sandbox.events.data import generate
from billing import truth as billing
from support import KEY, Output
from tap_billing.tap import TapBilling
from tap_core.errors import Stopped
from tap_events.tap import TapEvents

POINTS = int(os.environ.get("RELIABILITY_POINTS", "1"))
KEYS = {"attendees": "id", "tickets": "id", "transactions": "refno", "events": "id", "users": "id"}
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]


@pytest.fixture(scope="module")
def server():
    with Sandbox(data={"events": generate(Random(5), events=60)}) as sandbox:
        yield sandbox


@pytest.fixture
def slow(server):
    """The server with every answer delayed, so that a run takes a second or so."""
    server.clear()
    server.fault("latency", seconds=0.01)
    return server


class Run:
    """A tap in a process of its own."""

    def __init__(self, server, folder, state=None, api="events", *, piped=False, catalog=None, **config):
        path = folder / "config.json"
        path.write_text(json.dumps({"api_url": f"{server.url}/{api}", "api_key": KEY, **config}))
        words = ["--config", str(path)]
        if state is not None:
            (folder / "state.json").write_text(json.dumps(state))
            words += ["--state", str(folder / "state.json")]
        if catalog is not None:
            (folder / "catalog.json").write_text(json.dumps(catalog))
            words += ["--catalog", str(folder / "catalog.json")]
        self.out = folder / "out.jsonl"
        self.log = folder / "log.txt"
        with contextlib.ExitStack() as files:
            out, log = (files.enter_context(path.open("wb")) for path in (self.out, self.log))
            if piped:
                reading, writing = os.pipe()
                self.pipe, out = os.fdopen(reading, "rb"), files.enter_context(os.fdopen(writing, "wb"))
            self.process = starter.start(f"tap_{api}", words, stdout=out, stderr=log)

    def wait_for(self, messages):
        """Wait until so many messages are written, or the run is over."""
        while self.process.poll() is None and self.out.read_bytes().count(b"\n") < messages:
            time.sleep(0.005)

    def end(self):
        code = self.process.wait()
        text = self.out.read_text()
        return Output(text[: text.rfind("\n") + 1], self.log.read_text(), code)

    def stop(self, how, messages):
        """Stop it by a signal, or by a target that dies, once so many messages were written."""
        if how == "broken pipe":
            with self.pipe as pipe, self.out.open("wb") as out:
                out.writelines(islice(pipe, messages))
        else:
            self.wait_for(messages)
            self.process.send_signal(how)
        output = self.end()
        assert "Traceback" not in output.log
        if how in {signal.SIGTERM, signal.SIGINT} and output.code and output.messages:
            assert output.code == 128 + how
            assert output.messages[-1]["type"] == "STATE"
        elif how == "broken pipe" and output.code:
            assert output.code == 1
            assert "The target closed its input" in output.log
        return output


def ids(*outputs):
    found = {stream: set() for stream in KEYS}
    for output in outputs:
        for stream, rows in output.records.items():
            if stream in KEYS:
                found[stream] |= {row[KEYS[stream]] for row in rows}
    return found


def claimed(*outputs):
    """The rows that the last output calls whole: those that came under its versions, whenever they did."""
    whole = {m["stream"]: m["version"] for m in outputs[-1].messages if m["type"] == "ACTIVATE_VERSION"}
    found = {stream: set() for stream in KEYS}
    for message in (message for output in outputs for message in output.messages):
        stream = message.get("stream")
        if message["type"] == "RECORD" and stream in KEYS and message["version"] == whole.get(stream):
            found[stream].add(message["record"][KEYS[stream]])
    return found


def truth(server):
    tables = server.data["events"]
    found = {stream: {row["id"] for row in tables[stream]} for stream in ("events", "users")}
    for stream in ("attendees", "tickets", "transactions"):
        rows = [row for rows in tables[stream].values() for row in rows]
        found[stream] = {row[KEYS[stream]] for row in rows}
    return found


def told(how):
    """The way to stop a run, for the page."""
    return f"{getattr(how, 'name', how)} at {POINTS} random points"


@pytest.mark.parametrize("how", [*SIGNALS, "broken pipe"])
@pytest.mark.parametrize("point", range(POINTS))
def test_parents_and_children_nothing_is_lost(slow, tmp_path, reliability, how, point):
    messages = random.Random(f"{how} {point}").randrange(0, 4200)
    claims = {"emit_activate_version_messages": True}
    stopped = Run(slow, tmp_path, piped=how == "broken pipe", **claims).stop(how, messages)
    if how in SIGNALS and stopped.code == 0:  # it was over before the signal
        assert ids(stopped) == truth(slow)
    second = Run(slow, tmp_path, state=stopped.state, **claims).end()
    assert second.code == 0
    assert ids(stopped, second) == truth(slow)
    assert claimed(stopped, second) == truth(slow)
    assert '"checkpoint": [' not in json.dumps(second.state)
    reliability("Interruption", f"a read of parents and children, {told(how)}", "no row lost")


@pytest.fixture(scope="module")
def changed():
    """A billing site of which half has changed since a first whole run; and that run's output."""
    with Sandbox() as sandbox:
        sandbox.fault("page_cap", size=40)
        first = billing.run(TapBilling, billing.settings(sandbox))
        for number, stream in enumerate(billing.STREAMS):
            for at, row in enumerate(sandbox.data["billing"][stream][::2]):
                moment = datetime(2026, 6, 1 + number, tzinfo=timezone.utc) + timedelta(minutes=at)
                row["created_at" if stream == "transactions" else "updated_at"] = moment.isoformat()
        sandbox.fault("latency", seconds=0.01)
        yield sandbox, first


@pytest.mark.parametrize("how", [*SIGNALS, "broken pipe"])
@pytest.mark.parametrize("point", range(POINTS))
def test_an_incremental_read_nothing_is_lost(changed, tmp_path, reliability, how, point):
    sandbox, first = changed
    messages = random.Random(f"{how} {point} incremental").randrange(0, 2500)
    catalog = billing.only(*billing.STREAMS)
    started = Run(sandbox, tmp_path, first.state, "billing", piped=how == "broken pipe", catalog=catalog)
    stopped = started.stop(how, messages)
    second = Run(sandbox, tmp_path, stopped.state or first.state, "billing", catalog=catalog).end()
    assert second.code == 0
    for stream in billing.STREAMS:
        rows = {}
        for output in (first, stopped, second):
            rows |= {billing.key_of(stream, row): row for row in output.records.get(stream, [])}
        assert rows == billing.expected(sandbox, stream), stream
    assert '"checkpoint": [' not in json.dumps(second.state)
    reliability("Interruption", f"an incremental read, {told(how)}", "no row lost")


@pytest.fixture(scope="module")
def larger():
    """A server with so many rows that STATE is written often."""
    with Sandbox(data={"events": generate(Random(5), events=150)}) as sandbox:
        sandbox.fault("latency", seconds=0.01)
        yield sandbox


@pytest.mark.parametrize("concurrency", [1, 8] if os.environ.get("RELIABILITY_FULL") else [8])
def test_resume_costs_what_is_left(larger, tmp_path, reliability, concurrency):
    larger.requests.clear()
    whole = Run(larger, tmp_path, concurrency=concurrency).end()
    pages = len(larger.requests)
    first = Run(larger, tmp_path, concurrency=concurrency)
    first.wait_for(len(whole.messages) // 2)
    first.process.kill()
    killed = first.end()
    time.sleep(0.2)
    before = len(larger.requests)
    second = Run(larger, tmp_path, state=killed.state, concurrency=concurrency).end()
    share = (len(larger.requests) - before) / pages
    assert ids(killed, second) == truth(larger)
    events = {row["event_id"] for row in killed.records["attendees"]}
    left = 1 - len(events) / len({row["event_id"] for row in whole.records["attendees"]})
    assert share <= left + 0.1
    assert "going on where the last run was interrupted" in second.log
    figure = (
        f"with {left:.0%} of the lists left, the second run sends {share:.0%} of the requests of a whole one"
    )
    reliability("Interruption", f"killed at half of the rows, concurrency {concurrency}", figure)


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
    output = Run(slow, tmp_path, piped=True).stop("broken pipe", 1)
    assert output.code == 1
    assert "The target closed its input" in output.log


@pytest.mark.parametrize("config", [{}, {"api_key": KEY}])
def test_a_tap_that_has_begun_nothing_stops_at_once(config):
    tap = TapEvents(config=config, validate_config=False)
    with pytest.raises(Stopped, match="15"):
        tap.stop(signal.SIGTERM)
