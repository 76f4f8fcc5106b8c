"""Bookmarks, orders and caps that let a later run miss rows, over real HTTP."""

from __future__ import annotations

import pytest

from json_api import JsonApi, cut, numbered
from lists import bookings, customers, keys, moment, only, read, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling


@pytest.mark.parametrize("order", ["oldest first", "by id"])
def test_A03_rewards_that_do_not_come_newest_first_are_read_to_the_end(order, caplog):
    def reward(number, day):
        return {"id": f"{number * 7919 % 1000:04}", "created_at": moment(number, day=day)}

    old, new = [reward(n, 1) for n in range(300)], [reward(n, 28) for n in range(300, 350)]

    def serve(rows):
        name = "created_at" if order == "oldest first" else "id"
        rows = sorted(rows, key=lambda row: row[name])
        return lambda _, query: {"rewards": cut(rows, query), "total_count": len(rows)}

    first = read(TapRewards, ("rewards",), serve(old))
    second = read(TapRewards, ("rewards",), serve(old + new), state=first.state)
    assert {row["id"] for row in second.records["rewards"]} >= {row["id"] for row in new}
    assert "does not come newest first" in caplog.text


@pytest.mark.parametrize("stream", ["rewards", "orders"])
def test_A03_one_old_row_at_a_pages_end_is_not_the_end_of_what_is_new(stream):
    old, new = [
        [{"id": f"{day}-{n:03}", "created_at": moment(n, day=day)} for n in range(count)]
        for day, count in ((1, 50), (20, 350))
    ]
    first = read(TapRewards, (stream,), lambda _, query: {stream: cut(old[::-1], query), "total_count": 50})
    rows = new[::-1]
    size = {"rewards": 100, "orders": 100}[stream]
    rows[size - 1] = {"id": "late", "created_at": moment(0, day=1)}
    rows += old[::-1]

    def handle(_, query):
        return {stream: cut(rows, query, cap=size), "total_count": len(rows)}

    second = read(TapRewards, (stream,), handle, state=first.state)
    assert {row["id"] for row in second.records[stream]} >= {row["id"] for row in new} - {"20-250"}


def test_A04_transactions_that_ignore_the_order_move_no_bookmark_before_the_end(caplog):
    rows = [
        {"id": n, "created_at": f"2026-04-{n * 7 % 28 + 1:02}T{n % 24:02}:00:00-04:00", "type": "payment"}
        for n in range(600)
    ]
    failing = {"yes": True}

    def handle(_, query):
        if failing["yes"] and int(query["page"]) > 2:
            return 403, {}
        since = query.get("since_date", "")
        return [{"transaction": row} for row in numbered(rows, query) if row["created_at"][:10] >= since]

    catalog = only(TapBilling, "transactions")
    with JsonApi(handle) as api:
        first = run(TapBilling, settings(api, allow_partial=True), catalog=catalog)
        failing["yes"] = False
        second = run(TapBilling, settings(api), catalog=catalog, state=first.state)
    assert {*keys(first, "transactions"), *keys(second, "transactions")} == set(range(600))
    assert "does not heed the order" in caplog.text


@pytest.mark.parametrize("cap", [20, 50])
def test_A05_A06_rows_of_one_moment_and_a_cap_that_was_lowered_end_no_later_run_of_bookings(cap):
    old = [{"id": number, "uid": f"u{number}", "updatedAt": moment(0)} for number in range(145)]
    new = [
        {"id": number, "uid": f"u{number}", "updatedAt": moment(number, day=2)} for number in range(200, 330)
    ]
    first = read(TapScheduling, ("bookings",), lambda _, query: bookings(old, query))
    assert len(first.records["bookings"]) == 145
    second = read(
        TapScheduling,
        ("bookings",),
        lambda _, query: bookings(old + new, query | {"cap": cap}),
        state=first.state,
    )
    assert {row["id"] for row in second.records["bookings"]} >= {row["id"] for row in new}


@pytest.mark.parametrize("cap", [20, 50])
def test_A05_A06_rows_of_one_moment_and_a_cap_that_was_lowered_end_no_later_run_of_customers(cap):
    old = [{"id": number, "updated_at": "2026-04-01T00:00:00-04:00"} for number in range(145)]
    new = [
        {"id": number, "updated_at": f"2026-04-05T00:00:{number % 60:02}-04:00"} for number in range(200, 330)
    ]
    first = read(TapBilling, ("customers",), lambda _, query: customers(old, query, 200))
    assert len(first.records["customers"]) == 145
    second = read(
        TapBilling, ("customers",), lambda _, query: customers(old + new, query, cap), state=first.state
    )
    assert {row["id"] for row in second.records["customers"]} >= {row["id"] for row in new}


@pytest.mark.parametrize("stream", ["orders", "customers"])
def test_A13_what_a_whole_read_left_off_is_not_taken_up_by_an_incremental_one(stream):
    tap = TapRewards if stream == "orders" else TapBilling
    rows = [
        {"id": number if stream == "customers" else str(number), "created_at": moment(number)}
        | {"updated_at": moment(number)}
        for number in range(300)
    ]
    failing = {"yes": True}

    def handle(_, query):
        if stream == "orders":
            if failing["yes"] and int(query.get("offset", 0)) > 90:
                return 403, {}
            return {"orders": cut(rows, query, cap=50)}
        if failing["yes"] and int(query.get("page", 1)) > 1:
            return 403, {}
        return [{"customer": row} for row in numbered(rows, query, cap=50)]

    catalog = only(tap, stream)
    whole = {**catalog, "streams": [dict(catalog["streams"][0], replication_method="FULL_TABLE")]}
    with JsonApi(handle) as api:
        cut_short = None
        try:
            cut_short = run(tap, settings(api, allow_partial=True), catalog=whole)
        except ApiError:
            pytest.fail("a partial read is allowed")
        failing["yes"] = False
        output = run(tap, settings(api), state=cut_short.state, catalog=catalog)
    assert {int(key) for key in keys(output, stream)} == set(range(300))
