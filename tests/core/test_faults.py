"""Servers that fail: the complete data, or a named failure and a STATE that does not go past the gap."""

from __future__ import annotations

from bisect import bisect
from itertools import pairwise
from random import Random

import pytest

from api_sandbox import Sandbox
from api_sandbox.events.data import generate
from limits import try_enter
from support import KEY, Output, command, run
from tap_core.errors import ApiError
from tap_core.http.limiter import Limiter
from tap_core.http.request import segment
from tap_events.tap import TapEvents

STREAMS = ("events", "categories", "users", "attendees", "tickets", "transactions")
FAULTS = {
    "429, Retry-After in seconds": {"kind": "status", "status": 429, "retry_after": 0.05},
    "429, Retry-After as a date": {"kind": "status", "status": 429, "retry_after": "date:0"},
    "429 without Retry-After": {"kind": "status", "status": 429},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502},
    "503": {"kind": "status", "status": 503},
    "504": {"kind": "status", "status": 504},
    "connection reset": {"kind": "reset"},
    "connection closed": {"kind": "close"},
    "body cut": {"kind": "cut"},
    "invalid JSON": {"kind": "malformed"},
    "HTML with status 200": {"kind": "html"},
    "hang longer than the timeout": {"kind": "hang", "seconds": 1},
}


@pytest.fixture(scope="module")
def server():
    with Sandbox(data={"events": generate(Random(6), events=25)}) as sandbox:
        yield sandbox


@pytest.fixture
def config(server):
    server.clear()
    return {"api_url": f"{server.url}/events", "api_key": KEY, "request_timeout": 0.25}


@pytest.fixture(scope="module")
def whole(server):
    return run(TapEvents, {"api_url": f"{server.url}/events", "api_key": KEY}).records


@pytest.mark.parametrize("rate", [0.05, 0.3])
@pytest.mark.parametrize("fault", FAULTS)
def test_complete_whatever_fails(server, config, whole, reliability, fault, rate):
    rule = server.fault(rate=rate, **FAULTS[fault])
    output = run(TapEvents, {**config, "max_retries": 12, "concurrency": 16})
    assert output.records == whole
    assert rule.hits > 0
    output.check()
    rows = sum(map(len, whole.values()))
    reliability("Faults", f"{fault}, on {rate:.0%} of requests", f"{rule.hits} faults, {rows} of {rows} rows")


def test_failure_for_good_is_named_and_state_stops_before_it(server, config, tmp_path):
    event_id = server.data["events"]["events"][12]["id"]
    server.fault("status", status=500, path=f"/events/v1/events/{event_id}/tickets")
    config |= {"max_retries": 1, "backoff_factor": 0.01}
    done = command("tap_events", config=config, folder=tmp_path)
    assert done.returncode == 2
    assert f"events/{event_id}/tickets failed 2 times, at last with: 500" in done.stderr
    first = Output(done.stdout)
    server.clear()
    second = run(TapEvents, config, state=first.state)
    keys = {"transactions": "refno", "categories": "category"}
    for stream in STREAMS:
        key = keys.get(stream, "id")
        both = [*first.records.get(stream, []), *second.records.get(stream, [])]
        truth = server.data["events"][stream]
        rows = truth if isinstance(truth, list) else [row for rows in truth.values() for row in rows]
        assert {row[key] for row in both} == {row[key] for row in rows}


def test_retry_after_holds_back_every_request(server, config):
    server.fault("status", status=429, retry_after=0.6, after=20, times=1)
    run(TapEvents, {**config, "concurrency": 8})
    entries = sorted(server.requests, key=lambda entry: entry.time)
    refused = next(entry for entry in entries if entry.status == 429)
    told = refused.time + refused.seconds
    arrived = told + 0.2  # what was on its way has come by then, on a busy machine too
    assert not [entry for entry in entries if arrived < entry.time < told + 0.59]


def test_no_retry_before_its_time(server, config):
    server.fault("status", status=503, retry_after=0.4, path="/events/v1/users", times=1)
    run(TapEvents, config)
    first, second = server.matching("/events/v1/users")[:2]
    assert second.time - first.time >= 0.4


def test_back_off_grows(server, config):
    server.fault("status", status=503, path="/events/v1/users", times=3)
    run(TapEvents, {**config, "backoff_factor": 0.1})
    times = [entry.time for entry in server.matching("/events/v1/users")]
    waits = [after - before for before, after in pairwise(times)]
    assert [wait >= least for wait, least in zip(waits, (0.1, 0.2, 0.4), strict=False)] == [True] * 3


@pytest.mark.parametrize("budget", [1, 7, 60, 200, 1000])
def test_budget_is_kept_and_used(reliability, budget):
    now = 0.0
    limiter = Limiter(budget, clock=lambda: now)
    entries = []
    while now < 600:
        ticket = try_enter(limiter)
        if isinstance(ticket, float):
            now += ticket
        else:
            entries.append(now)
    fullest = max(bisect(entries, entry + 59.999) - index for index, entry in enumerate(entries))
    assert fullest <= max(budget, 1)
    assert len(entries) >= 0.9 * 10 * budget
    if budget == 200:
        figure = f"{len(entries) / 10:.0f} a minute, never more than {fullest} in any minute"
        reliability("Faults", "a budget of 200 requests a minute", figure)


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost"])
def test_the_key_does_not_follow_to_another_host(server, config, host):
    with Sandbox(data={"events": server.data["events"]}) as other:
        elsewhere = other.url.replace("127.0.0.1", host)
        server.fault(
            "raw_body", path="/events/v1/users", body="", status=302, headers={"Location": elsewhere}
        )
        with pytest.raises(ApiError, match="redirects to"):
            run(TapEvents, config)
        assert other.requests == []


def test_redirects_on_the_same_host_are_followed(server, config, whole):
    target = "/events/v1/users?offset=0&limit=100&moved=1"
    server.fault(
        "raw_body", path="/events/v1/users", body="", status=301, headers={"Location": target}, times=1
    )
    assert run(TapEvents, config).records["users"] == whole["users"]


@pytest.mark.parametrize(
    ("value", "quoted"), [("../x", "..%2Fx"), ("a%2fb", "a%252fb"), ("a?b=c#d", "a%3Fb%3Dc%23d"), (7, "7")]
)
def test_ids_cannot_change_the_request(value, quoted):
    assert segment(value) == quoted


@pytest.mark.parametrize("value", ["", ".", "..", "\ud800"])
def test_ids_that_make_no_path_are_refused(value):
    with pytest.raises(ApiError, match="makes no path"):
        segment(value)
