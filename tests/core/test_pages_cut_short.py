"""Pages that are shorter than asked for though the list goes on, on several taps, as whole runs."""

from __future__ import annotations

import json
from itertools import count
from random import Random

import pytest

from json_api import JsonApi, cut, numbered
from lists import Bounded, bookings, keys, moment, only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

ONE_BY_ONE = {"emit_activate_version_messages": True, "concurrency": 1}


def offsets(stream, rows, query):
    return {stream: cut(rows, query, cap=100)}


BY_OFFSET = [
    (TapEvents, "users", "title", lambda rows, query: offsets("users", rows, query)),
    (TapRewards, "campaigns", "name", lambda rows, query: offsets("campaigns", rows, query)),
    (TapScheduling, "bookings", "title", bookings),
]


def made(length):
    return [
        {"id": number, "createdAt": moment(number), "updatedAt": moment(number)} for number in range(length)
    ]


def lighter_than(budget, page):
    """The first rows of a page that weigh no more together, or one."""
    (name,) = (name for name, value in page.items() if isinstance(value, list))
    weights = [len(json.dumps(row)) for row in page[name]]
    fitting = next((at for at in range(1, len(weights)) if sum(weights[: at + 1]) > budget), len(weights))
    return {**page, name: page[name][:fitting]}


@pytest.mark.parametrize("heavy", [50, 150, 300])
@pytest.mark.parametrize(("tap", "stream", "text", "page_of"), BY_OFFSET)
def test_A09_one_row_weighs_more_than_a_page_may(tap, stream, text, page_of, heavy):
    rows = made(400)
    rows[heavy][text] = "x" * 60_000
    with JsonApi(lambda _, query: lighter_than(50_000, page_of(rows, query))) as api:
        output = run(tap, settings(api, **ONE_BY_ONE), catalog=only(tap, stream))
        assert len(api.paths) <= 14
    assert sorted({int(key) for key in keys(output, stream)}) == list(range(400))


@pytest.mark.parametrize(("tap", "stream", "_", "page_of"), BY_OFFSET)
@pytest.mark.parametrize("lengths", [{3: 1}, {3: 40, 4: 1}, {2: 1, 3: 1}, {2: 7}])
def test_A09_a_busy_server_sends_a_few_rows_at_times(tap, stream, _, page_of, lengths):
    rows, number = made(700), count(1)

    def handle(_, query):
        page = page_of(rows, query)
        (name,) = (name for name, value in page.items() if isinstance(value, list))
        return {**page, name: page[name][: lengths.get(next(number), 100)]}

    with JsonApi(Bounded(handle)) as api:
        output = run(tap, settings(api, **ONE_BY_ONE), catalog=only(tap, stream))
    assert sorted({int(key) for key in keys(output, stream)}) == list(range(700))


def lines(length, *, tied):
    """Lines of the ledger, orders or rewards, newest first, of which some are of one moment."""
    times = [number if number < 40 else max(40, number - tied) for number in range(length)]
    return [
        {
            "id": f"{number}",
            "created_at": moment(80_000 - 60 * time),
            "amount": -number - 1,
            "action": "Order",
        }
        for number, time in enumerate(times)
    ]


def newest_first(stream, rows, query, cap):
    name = "transactions" if stream == "balance_transactions" else stream
    until = query.get("created_at[lte]", "9").replace("Z", ".000Z")
    since = query.get("created_at[gte]", "").replace("Z", ".000Z")
    return {name: cut([row for row in rows if since <= row["created_at"] <= until], query, cap=cap)}


@pytest.mark.parametrize("stream", ["balance_transactions", "orders", "rewards"])
def test_A09_a_page_cut_once_does_not_reach_the_last_row_that_is_known(stream):
    rows, number = lines(900, tied=60), count(1)

    def handle(_, query):
        return newest_first(stream, rows, query, cap=50 if next(number) == 2 else 100)

    with JsonApi(handle) as api:
        output = run(TapRewards, settings(api, **ONE_BY_ONE), catalog=only(TapRewards, stream))
    key = "amount" if stream == "balance_transactions" else "id"
    assert sorted({abs(int(found)) for found in keys(output, stream, key)}) == sorted(
        abs(int(row[key])) for row in rows
    )


@pytest.mark.parametrize("total", [False, True])
def test_A09_a_hidden_row_moves_in_where_another_was_deleted(total):
    rows, number = made(1000), count(1)

    def handle(_, query):
        if next(number) == 2:
            del rows[3]
        page = [row for row in cut(rows, query, cap=100) if row["id"] != 100]
        return {"events": page, **({"pagination": [{"total": len(rows)}]} if total else {})}

    with JsonApi(handle) as api:
        output = run(TapEvents, settings(api, **ONE_BY_ONE), catalog=only(TapEvents, "events"))
    assert set(keys(output, "events")) >= {row["id"] for row in rows} - {100}


@pytest.mark.parametrize(("heavy", "length"), [(450, 1000), (985, 1000), (200, 400), (300, 350)])
@pytest.mark.parametrize("stream", ["products", "customers"])
def test_A09_numbered_pages_cut_by_their_weight_lose_nothing_in_silence(stream, heavy, length):
    rows = [{"id": number, "name": "x", "created_at": moment(number)} for number in range(length)]
    rows[heavy]["name"] = "x" * 60_000

    def handle(_, query):
        elements = [{stream.removesuffix("s"): row} for row in numbered(rows, query)]
        return lighter_than(50_000, {"all": elements})["all"]

    with JsonApi(Bounded(handle)) as api, pytest.raises(ApiError, match="numbered pages that lack rows"):
        run(TapBilling, settings(api, **ONE_BY_ONE), catalog=only(TapBilling, stream))


@pytest.mark.parametrize("faults", [0, 2])
def test_A09_a_numbered_page_cut_once_before_a_fault_is_read_to_its_end(faults):
    rows, number = [{"id": number, "created_at": moment(number)} for number in range(1000)], count(1)

    def handle(_, query):
        at = next(number)
        page = [{"customer": row} for row in numbered(rows, query)]
        return page[:1] if at == 3 else (504, {}) if 3 < at <= 3 + faults else page

    with JsonApi(Bounded(handle)) as api:
        config = settings(api, **ONE_BY_ONE, max_retries=2)
        output = run(TapBilling, config, catalog=only(TapBilling, "customers"))
    assert set(keys(output, "customers")) == set(range(1000))


@pytest.mark.parametrize("stream", ["transactions", "statements", "customers"])
@pytest.mark.parametrize("tied", [110, 150, 940])
def test_A15_a_row_is_deleted_before_a_page_of_one_moment(stream, tied):
    """So many rows can't be read again with the next numbered page; one of them is nevertheless."""
    times = [min(number, 60) + number // (60 + tied) for number in range(1000)]
    rows = [
        {"id": number, "created_at": (at := moment(time)), "updated_at": at}
        for number, time in enumerate(times)
    ]
    kept, number = {row["id"] for row in rows} - {4}, count(1)

    def handle(_, query):
        if next(number) == 2:
            del rows[4]
        return [{stream.removesuffix("s"): row} for row in numbered(rows, query)]

    with JsonApi(handle) as api:
        output = run(TapBilling, settings(api, **ONE_BY_ONE), catalog=only(TapBilling, stream))
    assert set(keys(output, stream)) >= kept


@pytest.mark.parametrize("stream", ["transactions", "statements", "customers"])
@pytest.mark.parametrize("tied", [3, 10])
def test_A09_rows_of_a_second_stand_in_an_order_that_the_page_decides(stream, tied):
    """As databases give them that sort by a time alone and take the first rows up to a page's end."""
    rows = [
        {"id": number, "created_at": (at := moment(number // tied)), "updated_at": at}
        for number in range(1500)
    ]

    def handle(_, query):
        dice = Random(f"{query['page']} {query['per_page']}")
        tied_rows = sorted(rows, key=lambda row: (row["created_at"], dice.random()))
        return [{stream.removesuffix("s"): row} for row in numbered(tied_rows, query)]

    with JsonApi(handle) as api:
        output = run(TapBilling, settings(api, **ONE_BY_ONE), catalog=only(TapBilling, stream))
    assert set(keys(output, stream)) == set(range(1500))


@pytest.mark.parametrize("stream", ["balance_transactions", "orders", "rewards"])
@pytest.mark.parametrize("seed", range(3))
def test_rows_of_one_moment_in_another_order_each_time_are_a_failure_by_name(stream, seed):
    """They are more than a page has: some pass the reader, and equal lines would get other numbers."""
    dice, rows = Random(seed), lines(90, tied=15)

    def handle(_, query):
        shuffled = sorted(rows, key=lambda row: (row["created_at"], dice.random()), reverse=True)
        return newest_first(stream, shuffled, query, cap=100)

    config = {**ONE_BY_ONE, "page_size": 10}
    with JsonApi(handle) as api, pytest.raises(ApiError, match="no fixed order"):
        run(TapRewards, settings(api, **config), catalog=only(TapRewards, stream))


@pytest.mark.parametrize("stream", ["transactions", "statements", "customers"])
@pytest.mark.parametrize("tied", [6, 20, 30, 40])
@pytest.mark.parametrize("seed", [1, 2])
def test_H03_rows_of_one_moment_in_another_order_each_time_that_fit_into_a_page(stream, tied, seed):
    """The last page showed others of them each time, and was asked for 2,413 times; then the list failed."""
    dice, requests = Random(seed), count()
    rows = [
        {"id": number, "created_at": (at := moment(number // tied)), "updated_at": at}
        for number in range(1000)
    ]

    def handle(_, query):
        next(requests)
        shuffled = sorted(rows, key=lambda row: (row["created_at"], dice.random()))
        return [{stream.removesuffix("s"): row} for row in numbered(shuffled, query)]

    with JsonApi(handle) as api:
        output = run(TapBilling, settings(api, **ONE_BY_ONE), catalog=only(TapBilling, stream))
    assert set(keys(output, stream)) == set(range(1000))
    assert next(requests) < 60
