"""A server that is down for a while in mid-run, and one that does not come back."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from json_api import JsonApi
from lists import BY_OFFSET, cut, only, rows_of
from raw_server import RawServer, answer
from support import KEY, run
from tap_core.errors import Retriable
from tap_core.http import retry
from tap_core.http.outage import Outage
from tap_core.http.retry import Limits, outage_patience
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions

PATIENT = {"backoff_factor": 0.1, "max_retries": 2, "concurrency": 2, "request_timeout": 5}

TREES = {
    "events": (TapEvents, ["events", "attendees"], "attendees"),
    "promotions": (TapPromotions, ["promotions", "users"], "users"),
}
DOWN = {
    "502": answer(b"<h1>Bad Gateway</h1>", "502 Bad Gateway"),
    "503": answer(b"<h1>Busy</h1>", "503 Busy"),
    "reset": None,
    "page": answer(b"\n<!doctype html><h1>Be right back</h1>", Content_Type="text/html"),
}
LISTS, ROWS = 12, 3


def page(target):
    """Lists of two rows below each of some parents."""
    path, _, query = target.partition("?")
    asked = dict(pair.split("=") for pair in query.split("&") if "=" in pair)
    parts = path.strip("/").split("/")
    if "promotions" in parts:
        return {"items": [{"id": str(number)} for number in range(LISTS)], "paging": {}}
    if "users" in parts:
        return {"items": [{"id": f"{parts[-1]}-{number}"} for number in range(ROWS)], "paging": {}}
    if "attendees" in parts:
        rows = [{"id": 100 * int(parts[-2]) + number} for number in range(ROWS)]
        return {"attendees": cut(rows, asked)}
    return {"events": cut([{"id": number} for number in range(LISTS)], asked)}


def read(tap, streams, url, **more):
    config = {"api_url": url, tap.key_setting: KEY, "requests_per_minute": 100_000, **PATIENT, **more}
    return run(tap, config, catalog=only(tap, *streams))


@pytest.fixture
def time_enough(monkeypatch):
    """What is waited for does not depend on how busy this machine is."""
    monkeypatch.setattr(retry, "_OUTAGE", 60)


@pytest.mark.usefixtures("time_enough")
@pytest.mark.parametrize("kind", DOWN)
@pytest.mark.parametrize("name", TREES)
def test_D01_an_outage_longer_than_the_retries_costs_nothing(name, kind):
    tap, streams, child = TREES[name]

    def reply(target, sock):
        return DOWN[kind] if 6 < len(server.paths) <= 6 + 9 else answer(page(target))

    with RawServer(reply) as server:
        output = read(tap, streams, server.url)
    assert len({row["id"] for row in output.records[child]}) == LISTS * ROWS


class Redeployed(RawServer):
    """Refuses connections for a while after so many requests."""

    def __init__(self, after, seconds):
        def reply(target, sock):
            if len(self.paths) == after:
                port = self._listener.getsockname()[1]
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                threading.Timer(seconds, self._again, [port]).start()
            return answer(page(target), Connection="close")

        super().__init__(reply)

    def _again(self, port):
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self._accept()

    def _serve(self, sock):
        with sock, sock.makefile("rb") as lines:
            head = [lines.readline(), *iter(lines.readline, b"\r\n")]
            path = head[0].split()[1].decode()
            self.paths.append(path)
            sock.sendall(self.answer(path, sock))


@pytest.mark.usefixtures("time_enough")
@pytest.mark.parametrize("name", TREES)
def test_D01_connections_that_are_refused_for_a_while_cost_nothing(name):
    tap, streams, child = TREES[name]
    with Redeployed(6, 0.5) as server:
        output = read(tap, streams, server.url)
    assert len({row["id"] for row in output.records[child]}) == LISTS * ROWS


@pytest.mark.parametrize("name", TREES)
def test_D01_a_list_that_fails_for_good_is_not_waited_for(name):
    tap, streams, child = TREES[name]

    def handle(path, query):
        if path.endswith(("/3/attendees", "users/3")):
            return 502, {}
        target = f"{path}?" + "&".join(f"{name}={value}" for name, value in query.items())
        return page(target)

    with JsonApi(handle) as api:
        output = read(tap, streams, api.url, concurrency=1, allow_partial=True, backoff_factor=0.001)
    assert len({row["id"] for row in output.records[child]}) == (LISTS - 1) * ROWS
    broken = [path for path in api.paths if "/3/attendees" in path or "users/3" in path]
    with JsonApi(lambda path, query: handle(path.replace("/3", "/2"), query)) as whole:
        read(tap, streams, whole.url, concurrency=1)
    assert len(broken) < 10


BAD = Retriable("502 Bad Gateway", status=502, is_down=True)


class Clock:
    def __init__(self):
        self.now = 0.0
        self.outage = Outage(Limits(), lambda: self.now)

    def sleep(self, seconds):
        self.now += seconds

    def is_over(self, until, failure=BAD):
        """Whether a request goes again whose server is down until some moment."""

        def passes():
            if self.now < until:
                return False
            self.outage.answered()
            return True

        return self.outage.is_over(failure, self.outage.passed, passes, self.sleep)


@pytest.mark.parametrize("until", [20, 30, 40, 42])
def test_D01_an_outage_of_half_a_minute_is_waited_for_by_default(until):
    clock = Clock()
    clock.outage.failed(0.0)
    clock.now = 14.0
    assert clock.is_over(until)
    assert until <= clock.now < until + 3


def test_D01_an_outage_without_end_is_waited_for_once():
    clock = Clock()
    clock.outage.failed(0.0)
    assert not clock.is_over(10**6)
    assert clock.now == outage_patience(Limits()) == 42
    assert not clock.is_over(10**6)
    assert clock.now == 42, "nothing has passed since"
    clock.outage.answered()
    clock.outage.failed(50.0)
    clock.now = 64.0
    assert clock.is_over(70)


def test_D01_what_is_the_request_s_own_failure_is_not_waited_for():
    clock = Clock()
    clock.outage.failed(0.0)
    assert not clock.is_over(0), "another passes"
    clock.outage.failed(0.0)
    assert not clock.is_over(30, Retriable("the body is not whole JSON"))
    assert clock.now == 0
    assert outage_patience(Limits(max_retries=0)) == 0
    assert outage_patience(Limits(max_retries=1000)) == 60


@pytest.mark.parametrize("stream", BY_OFFSET)
def test_D01_a_server_that_stays_down_ends_the_run(stream):
    tap = BY_OFFSET[stream]
    began = []

    def handle(path, query):
        began.append(time.monotonic())
        return (502, {}) if len(began) > 1 else {stream: cut(rows_of(stream, 500), query)}

    with JsonApi(handle) as api, pytest.raises(Exception, match="at last with: 502"):
        read(tap, [stream], api.url, backoff_factor=0.01)
    assert len(api.paths) < 60
