"""Lists of little more than a page whose last rows, most of them, are of one moment, and trade places."""

from __future__ import annotations

import re
from random import Random

import pytest

from json_api import cut, numbered
from lists import BOOKING, moment, read
from page_reads import page_of
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_core.paging.offset import Offset
from tap_core.paging.pagenumber import PageNumber
from tap_core.records import jsonpath
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

TAPS = {"customers": TapBilling, "bookings": TapScheduling, "orders": TapRewards}
PAGE = {"customers": 200, "bookings": 100, "orders": 100}


class Tied:
    """A list whose last rows come in another order with each request, or for each place and size."""

    def __init__(self, stream, rows, tied, by, seed):
        self.stream, self.by, self.seed, self.dice = stream, by, seed, Random(seed)
        places = [min(at, rows - tied) for at in range(rows)]
        times = [moment(80_000 - place if stream == "orders" else place) for place in places]
        names = ["createdAt", "updatedAt", "created_at", "updated_at"]
        self.rows = [
            {"id": at, "place": place, **dict.fromkeys(names, time)}
            for at, (place, time) in enumerate(zip(places, times, strict=True))
        ]

    def __call__(self, path, query):
        dice = self.dice if self.by == "request" else Random(f"{self.seed} {sorted(query.items())}")
        rows = sorted(self.rows, key=lambda row: (row["place"], dice.random()))
        if self.stream == "customers":
            return [{"customer": row} for row in numbered(rows, query)]
        if self.stream == "orders":
            page = cut(rows, query, cap=query.get("cap", 100))
            return {"orders": [row | {"id": f"{row['id']}"} for row in page]}
        cap = query.get("cap", 100)
        page = cut(rows, query, cap=cap, start="skip", size="take") if "afterStart" not in query else []
        return {"status": "success", "data": [BOOKING | row | {"uid": f"{row['id']}"} for row in page]}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("by", ["request", "query"])
@pytest.mark.parametrize(("more", "tied"), [(0.02, 1.02), (0.08, 1), (0.1, 0.6), (0.1, 0.7), (0.2, 0.7)])
@pytest.mark.parametrize("stream", TAPS)
def test_that_one_may_have_passed_the_reader_is_a_failure_by_name(stream, more, tied, by, seed):
    """Some were lost with exit 0, and taken for deleted."""
    rows = int(PAGE[stream] * (1 + more))
    server = Tied(stream, rows, int(PAGE[stream] * tied), by, seed)
    try:
        output = read(TAPS[stream], [stream], server)
    except ApiError as failure:
        assert re.search("come in no fixed order|the same rows again and again", str(failure))  # noqa: PT017
    else:
        assert {int(row["id"]) for row in output.records[stream]} == set(range(rows))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rows", "tied"), [(3, 3), (5, 5), (40, 12), (99, 99)])
@pytest.mark.parametrize("stream", TAPS)
def test_a_list_of_one_page_is_whole_in_whatever_order_it_comes(stream, rows, tied, seed):
    output = read(TAPS[stream], [stream], Tied(stream, rows, tied, "request", seed))
    assert {int(row["id"]) for row in output.records[stream]} == set(range(rows))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("stream", ["bookings", "orders"])
def test_a_list_that_comes_whole_whatever_is_asked_for_is_so_too(stream, seed):
    server = Tied(stream, 230, 5, "request", seed)
    first, size = ("skip", "take") if stream == "bookings" else ("offset", "limit")

    def all_of_it(path, query):
        return server(path, {**query, first: 0, size: 230, "cap": 230})

    output = read(TAPS[stream], [stream], all_of_it)
    assert {int(row["id"]) for row in output.records[stream]} == set(range(230))


class Busy:
    """A list in a fixed order that changes while it is read; updated rows go to its end, or their ties'."""

    def __init__(self, rows, tied, seed):
        self.rows = [{"id": at, "t": at // tied} for at in range(rows)]
        self.dice, self.added = Random(seed), rows

    def change(self):
        """Add, or delete, a row or three."""
        what = self.dice.choice(["on top", "at the end", "deleted", "updated", "moved"])
        for _ in range(self.dice.choice([1, 1, 3])):
            self.added += 1
            if what == "on top":
                self.rows.insert(0, {"id": self.added, "t": -1})
            elif what == "at the end":
                self.rows.append({"id": self.added, "t": self.rows[-1]["t"]})
            else:
                self._take(what, self.rows.pop(self.dice.randrange(len(self.rows))))

    def _take(self, what, row):
        """A row is gone, or stands elsewhere."""
        if what == "updated":
            self.rows.append(row | {"t": 1000 + self.added})
        if what == "moved":
            behind = sum(other["t"] <= row["t"] for other in self.rows)
            self.rows.insert(behind, row | {"version": self.added})


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("tied", [8, 15, 25])
@pytest.mark.parametrize("kind", [PageNumber, Offset])
def test_rows_that_come_and_go_are_not_taken_for_such(kind, tied, seed):
    server, came = Busy(130, tied, seed), set()
    paginator = kind(size=20, total=None, order="t")
    paginator.careful = paginator.lone = True
    while not paginator.finished:
        if came and server.dice.random() < 0.3:
            server.change()
        place, size = paginator.current_value.values()
        begin = (place - 1) * size if kind is PageNumber else place
        page = page_of({"items": server.rows[begin : begin + size]})
        came |= {jsonpath.decode(raw)["id"] for raw in paginator.take(page)}
    assert {row["id"] for row in server.rows if row["id"] < 130} <= came


@pytest.mark.parametrize("seed", range(60))
def test_a_total_from_which_rows_were_deleted_does_not_say_that_all_came(seed):
    """One deleted and one lost are as many as it says."""
    dice, came, gone = Random(seed), set(), set()
    rows = [{"id": at, "t": min(at, 12)} for at in range(40)]
    paginator = Offset(size=20, total="$.total", order="t")
    paginator.careful = paginator.lone = True
    try:
        while not paginator.finished:
            place, size = paginator.current_value.values()
            if came and dice.random() < 0.4:
                gone.add(rows.pop(dice.randrange(12, len(rows)))["id"])
            shuffled = sorted(rows, key=lambda row: (row["t"], dice.random()))
            page = page_of({"items": shuffled[place : place + size], "total": len(rows)})
            came |= {jsonpath.decode(raw)["id"] for raw in paginator.take(page)}
    except ApiError:
        return
    assert came | gone == set(range(40))
