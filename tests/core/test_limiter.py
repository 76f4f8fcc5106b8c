"""Servers that allow so many requests a second, on a clock of the test's own; the default settings."""

from __future__ import annotations

import heapq
import random
from itertools import count
from math import inf

import pytest

from limits import Bucket, try_enter
from tap_core.http.limiter import Limiter
from tap_core.http.retry import Limits, refusal_wait

LIMITS = Limits(150, 3, 2, None, 8)


class Seconds:
    """Allows so many requests in each second by the clock."""

    def __init__(self, rate):
        self.rate, self.second, self.used = rate, None, 0

    def allows(self, now):
        if int(now + 0.4) != self.second:
            self.second, self.used = int(now + 0.4), 0
        self.used += 1
        return self.used <= self.rate


class Random:
    """Refuses at random, whatever the pace."""

    def __init__(self, share):
        self.share, self.dice = share, random.Random(4)

    def allows(self, now):
        return self.dice.random() >= self.share


class Block:
    """Blocks for a minute at the second request."""

    def __init__(self):
        self.requests, self.until = 0, 0.0

    def allows(self, now):
        self.requests += 1
        if self.requests == 2:
            self.until = now + 60
        return now >= self.until


class AtOnce:
    """Allows so many at once, each of which takes its time."""

    def __init__(self, most, seconds):
        self.most, self.seconds, self.ends = most, seconds, []

    def allows(self, now):
        self.ends = [end for end in self.ends if end > now]
        if len(self.ends) >= self.most:
            return False
        self.ends.append(now + self.seconds)
        return True


class Client:
    """Sends requests as the client does, so many at a time."""

    factor, counts = 1, False

    def __init__(self, server, named, requests, latency=0.02, limits=LIMITS):
        self.now, self.server, self.named, self.latency, self.limits = 0.0, server, named, latency, limits
        self.left, self.done, self.refused, self.gave_up = requests, 0, 0, False
        self.limiter = Limiter(clock=lambda: self.now)
        self._order = count()
        self._events = []
        self._waiting = []
        for _ in range(limits.concurrency):
            self._at(0.0, self._start)
        while self._events and not self.gave_up:
            self.now, _, step, arguments = heapq.heappop(self._events)
            step(*arguments)

    def _at(self, when, step, *arguments):
        heapq.heappush(self._events, (when, next(self._order), step, arguments))

    def _start(self):
        if self.left:
            self.left -= 1
            self._enter(again=False)

    def _enter(self, *, again, counted=False):
        if again and not counted:
            self.limiter._waiting_again += 1
        ticket = try_enter(self.limiter, again=again)
        if ticket == inf:
            self._waiting.append(again)
        elif isinstance(ticket, float):
            self._at(self.now + ticket + 0.0005, lambda: self._enter(again=again, counted=True))
        else:
            self.limiter._waiting_again -= again
            self._at(self.now + self.latency / 2, self._serve, ticket)

    def _serve(self, ticket):
        self._at(self.now + self.latency / 2, self._take, ticket, self.server.allows(self.now))

    def _take(self, ticket, allowed):
        if allowed:
            self.done += 1
            self.limiter.passed(ticket)
            self._start()
        else:
            self.refused += 1
            self.limiter.refused(ticket, self._wait, counts=self.counts and self.named is None)
            self._enter(again=True)
        waiting, self._waiting = self._waiting, []
        for again in waiting:
            self._enter(again=again, counted=True)

    def _wait(self, before):
        first = not self.limiter.has_recovered
        wait = refusal_wait(self.limits, before, self.named, factor=self.factor, first=first)
        self.gave_up = wait is None
        return wait or 0.0


@pytest.mark.parametrize("named", [0.0, 0.2, 1.0, None])
@pytest.mark.parametrize("rate", [2, 5, 10])
@pytest.mark.parametrize("kind", ["no bursts", "bursts", "by the second"])
def test_C01_C02_a_limit_of_so_many_a_second_is_used_and_kept(kind, rate, named):
    server = Seconds(rate) if kind == "by the second" else Bucket(rate, rate if kind == "bursts" else 1)
    requests = 60 * rate
    client = Client(server, named, requests)
    assert not client.gave_up
    assert client.done == requests
    assert client.now <= requests / rate / 0.8
    assert client.refused <= requests / 3


@pytest.mark.parametrize("named", [0.0, 0.2, 1.0, None])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_C01_a_server_that_refuses_at_random_does_not_slow_a_run_down_without_end(share, named):
    """Each refusal costs a few times the wait for it, also after many."""
    limits = Limits(150, 12, 2, None, 8)
    short, long = (Client(Random(share), named, requests, limits=limits) for requests in (300, 1200))
    assert not long.gave_up
    assert long.done == 1200
    assert long.now < 6 * short.now


class CountedClient(Client):
    """Of an API that is known to count requests at once: it names no time, and advises to wait for long."""

    factor, counts = 15, True


@pytest.mark.parametrize("latency", [0.1, 0.4, 2])
@pytest.mark.parametrize("most", [1, 2, 3])
def test_C01_of_a_limit_of_requests_at_once_only_the_first_refusal_is_waited_for(most, latency):
    limits = Limits(150, 3, 2, None, 4)
    client = CountedClient(AtOnce(most, latency / 2), None, 100, latency, limits)
    assert client.done == 100
    assert client.refused < 4
    assert client.now < 15 * LIMITS.backoff_factor + 1.05 * 100 * latency / most + 3 * latency


def test_C01_once_others_have_gone_more_at_once_is_tried():
    class Freed(AtOnce):
        def allows(self, now):
            self.most = 1 if now < 60 else 4
            return super().allows(now)

    client = CountedClient(Freed(1, 0.5), None, 4000, 1, Limits(150, 3, 2, None, 4))
    assert client.done == 4000
    assert client.now < 0.6 * 4000  # one by one it takes 4,000 s


@pytest.mark.parametrize("rate", [1, 2, 5, 10])
@pytest.mark.parametrize("burst", [1, 5, 20])
def test_C01_a_pace_is_learned_too_where_requests_at_once_are_counted(rate, burst):
    """The long wait that the API advises is for the first refusal: short ones then show whether they do."""
    requests = 100 * rate
    client = CountedClient(Bucket(rate, burst), None, requests, 0.02, Limits(150, 3, 2, None, 4))
    assert not client.gave_up
    assert client.done == requests
    assert client.refused < 30
    assert client.now - 15 * LIMITS.backoff_factor <= 100 / 0.8


def test_C01_short_waits_that_do_not_help_are_followed_by_what_the_api_advises():
    later = [refusal_wait(LIMITS, before, None, factor=15, first=False) for before in range(7)]
    assert later == [0.5, 1.0, 30, 60, 120, 60, None]
    assert [refusal_wait(LIMITS, before, None, first=False) for before in range(6)] == [
        refusal_wait(LIMITS, before, None) for before in range(6)
    ]


def test_C01_nothing_is_slowed_down_without_a_refusal():
    client = Client(Bucket(1e9, 1e9), None, 400)
    assert client.now == pytest.approx(400 * 0.02 / 8, rel=0.1)


@pytest.mark.parametrize("named", [0.0, 0.2, None])
def test_C02_a_short_wait_does_not_use_up_the_retries(named):
    class Closed:
        def allows(self, now):
            return now > 5

    client = Client(Closed(), named, 20)
    assert client.done == 20
    assert client.refused < 20


def test_H05_a_block_of_a_minute_that_no_header_names_is_waited_for_once():
    client = Client(Block(), None, 20, limits=Limits(150, 3, 2, None, 1))
    assert client.done == 20
    assert client.refused <= 6


def test_H05_the_window_is_waited_for_once_and_within_max_wait():
    patient = [refusal_wait(LIMITS, before, None) for before in range(6)]
    assert patient == [0.5, 1.0, 4.0, 8.0, 60, None]
    hasty = Limits(150, 3, 2, None, 8, max_wait=30)
    assert refusal_wait(hasty, 4, None) is None


@pytest.mark.parametrize("named", [0.0, 0.2, 1.0])
def test_H05_the_window_is_waited_for_whatever_second_a_refusal_names(named):
    """Some servers name the same second, however long they go on to refuse."""
    waits = [refusal_wait(LIMITS, before, named) for before in range(10)]
    assert waits[-2:] == [60, None]
    assert refusal_wait(LIMITS, len(waits) - 2, 90.0) is None


@pytest.mark.parametrize("named", [None, 0.0, 0.2])
def test_C02_short_waits_use_up_no_retry_of_a_busy_server(named):
    """As 503 says with a `Retry-After` of 0: what it is waited for is never less than the back-off."""
    waits = [refusal_wait(LIMITS, before, named, blocks=False) for before in range(10)]
    assert [wait for wait in waits if wait][-1] == 8.0
    assert waits[-1] is None


def test_B03_no_back_off_is_longer_than_max_wait():
    limits = Limits(150, 5000, 2, None, 8, max_wait=30)
    assert refusal_wait(limits, 4000, None) == 30
    assert refusal_wait(limits, 4000, None, factor=15) == 30


def test_C01_what_an_api_advises_where_no_wait_is_named_is_for_there_alone():
    plain = [refusal_wait(LIMITS, before, 1.0) for before in range(6)]
    assert [refusal_wait(LIMITS, before, 1.0, factor=15) for before in range(6)] == plain
    assert refusal_wait(LIMITS, 0, None, factor=15) == 15 * LIMITS.backoff_factor
