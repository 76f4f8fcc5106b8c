"""Lists that change while they are read: every row that was there throughout is read."""

from __future__ import annotations

import os
from itertools import count

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tap_core import jsonpath
from tap_core.codec import key_reader
from tap_core.errors import ApiError
from tap_core.offset import Offset
from tap_core.page import Page
from tap_core.pagination import Evidence, PageNumber

EXAMPLES = int(os.environ.get("RELIABILITY_EXAMPLES", "1000"))
_key_of = key_reader(["id"])


def page_of(rows, total=None):
    body = {"items": [{"id": row} for row in rows]} | ({} if total is None else {"total": total})
    return Page(jsonpath.parse(msgspec.json.encode(body)), "$.items[*]", _key_of)


class Server:
    """A list behind an API, which changes between requests."""

    def __init__(self, rows, changes, *, cap, totals):
        self.rows = list(rows)
        self.stayed = set(rows)
        self.changes = list(changes)
        self.cap = cap
        self.totals = totals
        self.requests = 0
        self._new = count(10_000)

    def answer(self, offset, limit):
        self.requests += 1
        assert self.requests < 2000, "a loop"
        page = self.rows[offset : offset + min(limit, self.cap)]
        answer = page_of(page, len(self.rows) if self.totals else None)
        for kind, place, amount in self.changes.pop(0) if self.changes else ():
            self._change(kind, place, amount)
        return answer

    def _change(self, kind, place, amount):
        at = place * len(self.rows) // 100
        if kind == "insert":
            self.rows[at:at] = [next(self._new) for _ in range(amount)]
        else:
            self.stayed -= set(self.rows[at : at + amount])
            del self.rows[at : at + amount]


def read(paginator, answer):
    rows = []
    while not paginator.finished:
        query = paginator.current_value
        rows += [jsonpath.decode(raw)["id"] for raw in paginator.take(answer(*query.values()))]
    return rows


change = st.tuples(st.sampled_from(["insert", "delete"]), st.integers(0, 100), st.integers(1, 12))
schedules = st.lists(st.lists(change, max_size=2), max_size=12)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    size=st.integers(4, 20),
    cap=st.integers(4, 25),
    rows=st.integers(0, 120),
    totals=st.booleans(),
    changes=schedules,
)
def check_no_row_that_stays_is_lost(size, cap, rows, totals, changes):
    server = Server(range(rows), changes, cap=cap, totals=totals)
    try:
        found = read(Offset(size=size, total="$.total"), server.answer)
    except ApiError:
        # As many rows as a page holds were inserted between all of three requests in a row: that looks
        # like a server that repeats itself. A failure that is named is no silent loss.
        event("named failure")
        return
    assert server.stayed <= set(found)


def test_no_row_that_stays_is_lost(reliability):
    check_no_row_that_stays_is_lost()
    figure = "every row that stayed was read"
    reliability("Lists that change while they are read", f"{EXAMPLES:,} random schedules of changes", figure)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    size=st.integers(1, 20),
    cap=st.integers(1, 25),
    rows=st.lists(st.integers(0, 60), min_size=1, max_size=10),
    totals=st.booleans(),
)
def test_lists_that_stand_still_are_read_once_and_cheaply(size, cap, rows, totals):
    evidence = Evidence()
    for length in rows:
        server = Server(range(length), (), cap=cap, totals=totals)
        paginator = Offset(size=size, total="$.total")
        paginator.evidence = evidence
        assert read(paginator, server.answer) == list(range(length))
        stride = max(min(size, cap) - 1, 1)
        assert server.requests <= max(1, -(-length // stride)) + 2


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    size=st.integers(1, 20),
    cap=st.integers(1, 25),
    rows=st.lists(st.integers(0, 60), min_size=1, max_size=10),
)
def test_numbered_pages_are_read_once_and_cheaply(size, cap, rows):
    evidence = Evidence()
    page_size = min(size, cap)
    for length in rows:
        server = Server(range(length), (), cap=cap, totals=False)
        paginator = PageNumber(size=size)
        paginator.evidence = evidence

        def answer(page, per_page, server=server):
            return server.answer((page - 1) * page_size, per_page)

        assert read(paginator, answer) == list(range(length))
        assert server.requests <= max(1, -(-length // page_size)) + 2
