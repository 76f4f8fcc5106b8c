"""Servers that leave rows out of pages that they have cut: all others are read, with default settings too."""

from random import Random

import pytest

from core.test_paginators import List, items
from json_api import JsonApi, cut
from lists import only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError, PartlyRead
from tap_core.paging.offset import Offset
from tap_core.paging.pagenumber import PageNumber
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards


def shown(rows, hidden):
    return [{"id": str(number)} for number in rows if number not in hidden]


@pytest.mark.parametrize(("first", "last"), [(85, 99), (90, 104), (185, 199), (40, 60)])
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_A09_rows_hidden_at_a_page_s_edge_end_no_list(tap, stream, first, last):
    hidden = set(range(first, last + 1))

    def handle(_, query):
        return {stream: shown(cut(range(430), query), hidden)}

    with JsonApi(handle) as api:
        output = run(tap, settings(api), catalog=only(tap, stream))
    assert {int(row["id"]) for row in output.records[stream]} == set(range(430)) - hidden


@pytest.mark.parametrize(("count", "first", "last"), [(99, 80, 94), (99, 70, 94), (70, 30, 59), (99, 20, 94)])
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_A09_rows_hidden_inside_of_a_lone_page_break_no_list(tap, stream, count, first, last):
    hidden = set(range(first, last + 1))

    def handle(_, query):
        return {stream: shown(cut(range(count), query), hidden)}

    with JsonApi(handle) as api:
        output = run(tap, settings(api), catalog=only(tap, stream))
    assert len(output.records[stream]) == count - len(hidden)


NUMBERED = {
    "99 in a row": (1000, lambda number: 150 <= number < 249, {}),
    "one in five": (2000, lambda number: (number + 2) % 5 == 0, {}),
    "one in three": (600, lambda number: (number + 1) % 3 == 0, {}),
    "one in fourteen": (2000, lambda number: (number + 1) % 14 == 0, {}),
    "one in five of twenty": (60, lambda number: (number + 1) % 5 == 0, {"page_size": 20}),
    "one in four of ten": (30, lambda number: (number + 1) % 4 == 0, {"page_size": 10}),
}
BILLED = {"customers": "customer", "payment_profiles": "payment_profile", "coupons": "coupon", "offers": ""}


def billed(stream, hides):
    """An answer of a list of so many rows, of which some are left out."""

    def handle(query, count):
        size, number = int(query["per_page"]), int(query["page"])
        rows = [
            {"id": place, "updated_at": f"2026-01-01T00:{place // 60 % 60:02}:{place % 60:02}Z"}
            for place in range(count)[(number - 1) * size : number * size]
            if not hides(place)
        ]
        return [{BILLED[stream]: row} for row in rows] if BILLED[stream] else {stream: rows}

    return handle


@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("stream", BILLED)
@pytest.mark.parametrize("case", NUMBERED)
def test_A09_rows_hidden_from_numbered_pages(case, stream, deletes):
    count, hides, config = NUMBERED[case]
    respond = billed(stream, hides)
    with JsonApi(lambda _, query: respond(query, count)) as api:
        config = settings(api, emit_activate_version_messages=deletes, **config)
        output = run(TapBilling, config, catalog=only(TapBilling, stream))
    assert {row["id"] for row in output.records[stream]} == {n for n in range(count) if not hides(n)}


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize("kind", [Offset, PageNumber])
def test_A09_a_tenth_of_the_rows_hidden_at_random(kind, careful):
    for seed in range(60):
        random = Random(seed)
        size, count = random.choice([20, 40, 100]), random.randint(0, 600)
        there = [number for number in range(count) if random.random() > 0.1]

        def answer(query, size=size, count=count, there=frozenset(there)):
            start, asked = (
                query.values() if kind is Offset else (query["page"] * query["per_page"], query["per_page"])
            )
            start -= 0 if kind is Offset else asked
            return items([number for number in range(count)[start : start + asked] if number in there])

        paginator = kind(size=size)
        paginator.careful = careful
        assert set(List(answer).read(paginator)) == set(there), f"seed {seed}"


def test_A09_a_look_behind_the_end_that_fails_is_no_proof():
    respond = billed("customers", lambda number: number % 5 == 0)
    asked = []

    def handle(_, query):
        asked.append((query["page"], query["per_page"]))
        return 500 if fails == asked[-1] else respond(query, 500)

    fails = None
    with JsonApi(handle) as api:
        config = settings(api, emit_activate_version_messages=True, concurrency=1)
        run(TapBilling, config, catalog=only(TapBilling, "customers"))
        fails = asked[-1]
        with pytest.raises((PartlyRead, ApiError)):
            run(TapBilling, config, catalog=only(TapBilling, "customers"))
