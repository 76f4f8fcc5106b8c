"""Lists below parents are read ahead to their ends: no request waits for another that it does not need."""

from __future__ import annotations

import threading

import pytest

from json_api import JsonApi, cut
from lists import only, settings
from support import KEY, run
from tap_core.http import readahead
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions

PARENTS, TOGETHER, SIZE = 6, 3, 100
"""So few that all their pages have room beside each other: else one may wait for others to be taken."""


class Account:
    """Parents with a list of some rows each; the second requests of lists are answered in threes."""

    def __init__(self, rows):
        self.rows = rows
        self.alone = 0
        self._met = threading.Barrier(TOGETHER, timeout=2)

    def meet(self):
        """Wait until others are under way."""
        try:
            self._met.wait()
        except threading.BrokenBarrierError:
            self.alone += 1


class Events(Account):
    tap, streams = TapEvents, ("events", "attendees")

    def __call__(self, path, query):
        if path.endswith("/events"):
            page = [{"id": number} for number in range(1, PARENTS + 1)]
            return {"events": cut(page, query), "pagination": [{"offset": 0, "limit": 100, "total": PARENTS}]}
        if int(query["offset"]) == min(self.rows, SIZE) - 1:  # pages begin with the last row of those before
            self.meet()
        parent = int(path.split("/")[-2])
        rows = [{"id": 1000 * parent + number} for number in range(self.rows)]
        return {"attendees": cut(rows, query)}


class Promotions(Account):
    tap, streams = TapPromotions, ("promotions", "users")

    def __call__(self, path, query):
        first = int(query.get("next_cursor", 0))
        if path == "/promotions":
            items = [{"id": number, "created": "2025-01-01T00:00:00Z"} for number in range(1, PARENTS + 1)]
            return {"items": items, "paging": {"next_cursor": None}}
        if first == SIZE:
            self.meet()
        parent = int(path.split("/")[-1])
        rows = [{"id": 1000 * parent + number} for number in range(self.rows)]
        more = first + SIZE if first + SIZE < len(rows) else None
        return {"items": rows[first : first + SIZE], "paging": {"next_cursor": more}}


@pytest.mark.parametrize(
    ("account", "more"),
    [
        pytest.param(Events(100), {}, id="full pages without a total"),
        pytest.param(Events(250), {}, id="several pages"),
        pytest.param(Events(20), {}, id="short pages whose end is to be proved"),
        pytest.param(Events(250), {"emit_activate_version_messages": True}, id="several pages, with deletes"),
        pytest.param(Promotions(250), {}, id="cursors"),
    ],
)
def test_requests_behind_first_pages_are_under_way_together(account, more):
    with JsonApi(account) as api:
        config = {**settings(api, concurrency=6, **more), "bearer_token": KEY}
        output = run(account.tap, config, catalog=only(account.tap, *account.streams))
    _, child = account.streams
    assert len(output.records[child]) == PARENTS * account.rows
    assert not account.alone
    assert len({*api.paths}) == len(api.paths), "and none is sent twice"


def test_nothing_is_read_ahead_while_the_server_answers_at_once(monkeypatch):
    monkeypatch.setattr(readahead, "QUICK", 0.002)
    ahead, sent = readahead.ReadAhead[int](4), []

    def send(number):
        sent.append(number)
        return number

    def answered(*waits):
        for wait in waits:
            ahead.answered(wait)
        return ahead.has_room(next_up=False)

    assert answered(0.05), "a first answer that takes long says so"
    assert not answered(0.0005)
    ahead.want(1, lambda: send(1))
    assert not sent
    assert ahead.take(1, lambda: send(2)) == 2
    assert not answered(*[0.0005] * 7, 0.02), "once slow is an accident"
    assert answered(*[0.05] * 3), "slow again and again is slow"
    ahead.want(3, lambda: send(3))
    assert ahead.take(3, lambda: send(4)) == 3
    assert sent == [2, 3]
    ahead.close()


def test_it_is_told_of_every_answer(monkeypatch):
    waits = []
    answered = readahead.ReadAhead.answered

    def told(ahead, wait):
        waits.append(wait)
        answered(ahead, wait)

    monkeypatch.setattr(readahead.ReadAhead, "answered", told)
    with JsonApi(Events(20)) as api:
        run(TapEvents, settings(api, concurrency=6), catalog=only(TapEvents, *Events.streams))
    assert len(waits) == len(api.paths)
