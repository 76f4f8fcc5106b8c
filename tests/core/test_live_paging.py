"""Lists that change while they are read: every row that was there throughout is read."""

from __future__ import annotations

import os
from itertools import count
from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_core.errors import ApiError
from tap_core.paging.evidence import ALIKE, Evidence
from tap_core.paging.offset import Offset
from tap_core.paging.page import Page
from tap_core.paging.pagenumber import PageNumber
from tap_core.records import jsonpath
from tap_core.records.keys import key_reader

EXAMPLES = int(os.environ.get("RELIABILITY_EXAMPLES", "300"))
_key_of = key_reader(["id"])


def page_of(rows, total=None, versions=()):
    items = [{"id": row, "version": versions[row]} if row in versions else {"id": row} for row in rows]
    body = {"items": items} | ({} if total is None else {"total": total})
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
        self._versions = {}
        self._new = count(10_000)

    def answer(self, offset, limit):
        self.requests += 1
        assert self.requests < 2000, "a loop"
        page = self.rows[offset : offset + min(limit, self.cap)]
        answer = page_of(page, len(self.rows) if self.totals else None, self._versions)
        for kind, place, amount in self.changes.pop(0) if self.changes else ():
            self._change(kind, place, amount)
        return answer

    def _change(self, kind, place, amount):
        at = place * len(self.rows) // 100
        rows = self.rows[at : at + amount]
        if kind == "insert":
            self.rows[at:at] = [next(self._new) for _ in range(amount)]
            return
        if kind == "delete":
            self.stayed -= set(rows)
        else:
            self._versions |= dict.fromkeys(rows, self.requests)
        if kind != "touch":
            del self.rows[at : at + amount]
        if kind == "update":
            self.rows += rows


def read(paginator, answer):
    rows = []
    while not paginator.finished:
        query = paginator.current_value
        page = answer(*query.values())
        rows += [jsonpath.decode(raw)["id"] for raw in paginator.take(page)]
        page.release()  # as is done before the next one is asked for
    return rows


def by_number(server):
    """The same server with pages by number."""

    def answer(page, per_page):
        size = min(per_page, server.cap)
        return server.answer((page - 1) * size, size)

    return answer


# The smallest page cap, and the server. Pages by number of up to 4 rows each can't overlap after 12 rows, of
# up to 7 not after 420; and so on.
LISTS = {Offset: (3, lambda server: server.answer), PageNumber: (8, by_number)}

PINNED = {
    Offset: (57927, 67454, 174435, 1002937, 1003226, 1108231, 1109773, 1115746, 1198566),
    PageNumber: (22, 1550, 2405, 3780, 4956, 14058, 14060, 20256, 22679, 35403, 39143, 46197, 189351),
}
"""Seeds of schedules in which an earlier paginator lost a row, or called the list broken."""


def schedule(kind, seed):
    """A list that changes up to three times between two requests, and a paginator for it.

    An update puts its rows at the end of the list, as where they come by the time of change or in no order.
    """
    random = Random(seed)
    least, answers = LISTS[kind]
    size, cap, rows = least + random.randint(0, 16), least + random.randint(0, 21), random.randint(0, 120)
    totals = random.random() < 0.4
    kinds = ["insert", "delete", "update", "touch"]
    changes = [
        [
            (random.choice(kinds), random.randint(0, 100), random.randint(1, 12))
            for _ in range(random.randint(0, 3))
        ]
        for _ in range(random.randint(0, 12))
    ]
    server = Server(range(rows), changes, cap=cap, totals=totals)
    paginator = kind(size=size, total="$.total")
    paginator.careful = bool(seed % 2)
    return server, paginator, answers(server)


@pytest.mark.timeout(1200)  # four minutes of `make reliability`, where nothing else runs
@pytest.mark.parametrize("kind", LISTS)
def test_A15_no_row_that_stays_is_lost_and_no_list_called_broken(reliability, kind):
    for seed in (*PINNED[kind], *range(EXAMPLES)):
        server, paginator, answer = schedule(kind, seed)
        found = read(paginator, answer)
        assert server.stayed <= set(found), f"seed {seed}"
    case = f"{kind.__name__}, {EXAMPLES:,} random schedules of inserts, deletes, updates and moves"
    reliability(
        "Lists that change while they are read", case, "every row that stayed was read; no list called broken"
    )


def by_number_of_own_size(server):
    return lambda page, _: server.answer((page - 1) * server.cap, server.cap)


@pytest.mark.parametrize("answers", [LISTS[Offset][1], by_number, by_number_of_own_size])
@settings(max_examples=min(EXAMPLES, 5000) // 4, deadline=None)
@example(size=7, cap=6, rows=77, totals=False, stop=13, dealt_with=1)  # of a size of their own
@given(
    size=st.integers(1, 20),
    cap=st.integers(1, 25),
    rows=st.integers(1, 120),
    totals=st.booleans(),
    stop=st.integers(1, 20),
    dealt_with=st.integers(1, 25),
)
def test_a_read_that_goes_on_where_another_ended(answers, size, cap, rows, totals, stop, dealt_with):
    kind = Offset if answers is LISTS[Offset][1] else PageNumber
    server = Server(range(rows), (), cap=cap, totals=totals)
    answer = answers(server)
    first = kind(size=size, total="$.total")
    found, query, done = [], None, []
    while not first.finished and stop:
        asked, page = first.current_value, answer(*first.current_value.values())
        keys, fresh = page.keys, [_key_of(record) for record in first.take(page)]
        if fresh:
            stop -= 1
            query, done = asked, keys if stop else keys[: keys.index(fresh[0]) + dealt_with]
            found += [key for key in fresh if key in done]
    second = kind(size=size, total="$.total")
    try:
        second.resume(query, answer(*query.values()), done)
    except ApiError:
        second = kind(size=size, total="$.total")
    found += read(second, answer)
    assert set(found) == set(range(rows))


STILL = {
    "by offset": (Offset, LISTS[Offset][1], lambda size, cap: max(min(size, cap) - 1, 1)),
    "by number, of a size of their own": (PageNumber, by_number_of_own_size, lambda _, cap: cap),
}


@pytest.mark.parametrize("pages", STILL)
@settings(max_examples=min(EXAMPLES, 5000), deadline=None)
@given(
    size=st.integers(1, 20),
    cap=st.integers(1, 25),
    rows=st.lists(st.integers(0, 60), min_size=1, max_size=10),
    totals=st.booleans(),
)
def test_lists_that_stand_still_are_read_once_and_cheaply(pages, size, cap, rows, totals):
    kind, answers, stride = STILL[pages]
    evidence = Evidence()
    for length in rows:
        server = Server(range(length), (), cap=cap, totals=totals)
        paginator = kind(size=size, total="$.total")
        paginator.evidence = evidence
        assert read(paginator, answers(server)) == list(range(length))
        own = pages != "by offset"  # a short page of such a list is no end: rows can have been left out
        assert server.requests <= max(1, -(-length // stride(size, cap))) + 2 + own


@settings(max_examples=min(EXAMPLES, 5000) // 2, deadline=None)
@given(
    size=st.integers(1, 200),
    cap=st.integers(1, 250),
    rows=st.lists(st.integers(0, 1000), min_size=1, max_size=4),
    totals=st.booleans(),
)
def test_numbered_pages_overlap_at_little_cost(size, cap, rows, totals):
    evidence = Evidence(proven_ends=ALIKE)  # else each of the first lists costs one request more
    most = min(size, cap)
    for length in rows:
        server = Server(range(length), (), cap=cap, totals=totals)
        paginator = PageNumber(size=size, total="$.total")
        paginator.evidence = evidence
        assert read(paginator, by_number(server)) == list(range(length))
        pages = max(1, -(-length // most))
        assert server.requests <= (1.1 if most >= 100 else 1.2 if most >= 50 else 2) * pages + 2
