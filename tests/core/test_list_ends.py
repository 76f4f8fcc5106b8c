"""Where a list ends, over real HTTP: an end is believed on evidence from this very list."""

from __future__ import annotations

import pytest

from core.test_partial import only, settings
from json_api import JsonApi, cut, numbered
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError, PartlyRead
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

MORE_THAN_A_RUN_NEEDS = 400
"""Requests after which a test's server answers with errors, so that a loop ends."""


def moment(number, *, day=1):
    return f"2026-04-{day:02}T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"


def read(tap, stream, handle, **more):
    """The rows of one stream by key, in order, the run's output, and the requests."""
    with JsonApi(handle) as api:
        output = run(tap, {**settings(api), **more.pop("config", {})}, catalog=only(tap, *stream), **more)
    return output, [target for target in api.paths if stream[-1] in target or len(stream) == 1]


class Bounded:
    """A function that answers requests, and ends a loop."""

    def __init__(self, handle):
        self.handle, self.requests = handle, 0

    def __call__(self, path, query):
        self.requests += 1
        return self.handle(path, query) if self.requests < MORE_THAN_A_RUN_NEEDS else (403, {})


def keys(output, stream, key="id"):
    return [row[key] for row in output.records[stream]]


# Lists by offset in two taps: the name of the stream is the name of the list.
BY_OFFSET = {"users": TapEvents, "campaigns": TapRewards}


def rows_of(stream, count):
    as_key = int if stream == "users" else str
    return [{"id": as_key(number)} for number in range(count)]


@pytest.mark.parametrize("first", ["cached", "whole"])
def test_A02_a_list_whose_query_is_lost_says_nothing_of_the_others(first):
    def handle(path, query):
        parts = path.split("/")
        if parts[-1] == "events":
            return {"events": cut([{"id": number} for number in range(1, 7)], query)}
        rows = [{"id": int(parts[-2]) * 1000 + number} for number in range(250)]
        query = {} if parts[-2] == "1" and first == "cached" else query
        return {parts[-1]: cut(rows, query, default=100)}

    with JsonApi(handle) as api:
        try:
            run(TapEvents, settings(api), catalog=only(TapEvents, "events", "attendees"))
            came = first == "whole"
        except PartlyRead as failure:
            came = first == "cached" and "attendees 1:" in str(failure)
    assert came
    with JsonApi(handle) as api:
        output = run(
            TapEvents, settings(api, allow_partial=True), catalog=only(TapEvents, "events", "attendees")
        )
    by_event = {
        event: sum(row["id"] // 1000 == event for row in output.records["attendees"]) for event in range(1, 7)
    }
    assert by_event == {1: 100 if first == "cached" else 250, **dict.fromkeys(range(2, 7), 250)}


def test_A08_ten_lists_of_the_length_of_the_servers_own_page_prove_nothing():
    lengths = dict.fromkeys(range(1, 11), 50) | {11: 120, 12: 90}

    def handle(path, query):
        parts = path.split("/")
        if parts[-1] == "events":
            return {"events": cut([{"id": event} for event in lengths], query)}
        rows = [{"id": int(parts[-2]) * 1000 + number} for number in range(lengths[int(parts[-2])])]
        return {parts[-1]: cut(rows, query, cap=50)}

    output, _ = read(TapEvents, ("events", "attendees"), handle)
    assert len(output.records["attendees"]) == sum(lengths.values())


@pytest.mark.parametrize("order", ["oldest first", "by id"])
def test_A03_rewards_that_do_not_come_newest_first_are_read_to_the_end(order, caplog):
    def reward(number, day):
        return {"id": f"{number * 7919 % 1000:04}", "created_at": moment(number, day=day)}

    old, new = [reward(n, 1) for n in range(300)], [reward(n, 28) for n in range(300, 350)]

    def serve(rows):
        name = "created_at" if order == "oldest first" else "id"
        rows = sorted(rows, key=lambda row: row[name])
        return lambda _, query: {"rewards": cut(rows, query), "total_count": len(rows)}

    first, _ = read(TapRewards, ("rewards",), serve(old))
    second, _ = read(TapRewards, ("rewards",), serve(old + new), state=first.state)
    assert {row["id"] for row in second.records["rewards"]} >= {row["id"] for row in new}
    assert "does not come newest first" in caplog.text


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


BOOKING = {"uid": "", "title": "a", "start": moment(0), "end": moment(0, day=2), "status": "accepted"}


def bookings(rows, query, **envelope):
    rows = sorted(rows, key=lambda row: (row["updatedAt"], row["id"]))
    since = query.get("afterUpdatedAt", "")
    rows = [BOOKING | row for row in rows if row["updatedAt"] >= since and "afterStart" not in query]
    page = cut(rows, query, cap=query.get("cap", 10**6), start="skip", size="take")
    return {"status": "success", "data": page, **envelope}


def customers(rows, query, cap):
    since = query.get("start_datetime", "")[:10]
    rows = [row for row in rows if row["updated_at"][:10] >= since]
    return [{"customer": row} for row in numbered(rows, query, cap=cap)]


@pytest.mark.parametrize("cap", [20, 50])
def test_A05_A06_rows_of_one_moment_and_a_cap_that_was_lowered_end_no_later_run_of_bookings(cap):
    old = [{"id": number, "uid": f"u{number}", "updatedAt": moment(0)} for number in range(145)]
    new = [
        {"id": number, "uid": f"u{number}", "updatedAt": moment(number, day=2)} for number in range(200, 330)
    ]
    first, _ = read(TapScheduling, ("bookings",), lambda _, query: bookings(old, query))
    assert len(first.records["bookings"]) == 145
    second, _ = read(
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
    first, _ = read(TapBilling, ("customers",), lambda _, query: customers(old, query, 200))
    assert len(first.records["customers"]) == 145
    second, _ = read(
        TapBilling, ("customers",), lambda _, query: customers(old + new, query, cap), state=first.state
    )
    assert {row["id"] for row in second.records["customers"]} >= {row["id"] for row in new}


@pytest.mark.parametrize("total", [-5, 0, 120, 200])
@pytest.mark.parametrize("stream", ["users", "orders"])
def test_A07_a_total_that_is_capped_or_nonsense_ends_no_list(stream, total):
    if stream == "users":
        rows = rows_of(stream, 350)
        output, _ = read(
            TapEvents,
            (stream,),
            lambda _, query: {"users": cut(rows, query, cap=100), "pagination": [{"total": total}]},
        )
    else:
        rows = [{"id": str(number), "created_at": moment(number)} for number in range(350)]
        output, _ = read(
            TapRewards,
            (stream,),
            lambda _, query: {"orders": cut(rows, query, cap=100), "total_count": total},
        )
    assert len(set(keys(output, stream))) == 350


@pytest.mark.parametrize("every", [2, 5, 7])
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_A09_pages_that_are_thinned_out_after_paging_are_no_end(stream, every):
    rows = rows_of(stream, 450)

    def handle(_, query):
        page = cut(rows, query, cap=100)
        return {stream: [row for row in page if int(row["id"]) % every]}

    output, _ = read(BY_OFFSET[stream], (stream,), handle)
    assert {int(key) for key in keys(output, stream)} == {n for n in range(450) if n % every}


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


@pytest.mark.parametrize("stream", BY_OFFSET)
def test_B05_a_huge_total_plans_no_requests(stream):
    rows = rows_of(stream, 250)
    total = {"pagination": [{"total": 2**31 - 1}], "total_count": 2**31 - 1}
    server = Bounded(lambda _, query: {stream: cut(rows, query, cap=100), **total})
    tap = BY_OFFSET[stream]
    with JsonApi(server) as api:
        output = run(tap, settings(api, allow_partial=True), catalog=only(tap, stream))
    assert len(set(keys(output, stream))) == 250
    assert server.requests < 40


@pytest.mark.parametrize("stream", BY_OFFSET)
def test_B07_an_offset_that_wraps_round_ends_in_a_failure(stream):
    rows = rows_of(stream, 250)

    def handle(_, query):
        begin = int(query["offset"]) % 250
        return {stream: (rows + rows)[begin : begin + min(100, int(query["limit"]))]}

    server = Bounded(handle)
    tap = BY_OFFSET[stream]
    with JsonApi(server) as api:
        output = run(tap, settings(api, allow_partial=True), catalog=only(tap, stream))
    assert len(set(keys(output, stream))) == 250
    assert server.requests < 40


@pytest.mark.parametrize("count", [50, 130])
@pytest.mark.parametrize("flag", ["hasNextPage", "hasMore"])
def test_H01_an_answer_that_says_there_is_more_is_not_the_whole_list_of_bookings(flag, count):
    """As a newer version answers: it pays no heed to `skip` and `take`."""
    rows = [{"id": number, "uid": f"u{number}", "updatedAt": moment(number)} for number in range(count)]

    def handle(_, query):
        return bookings(rows, {"take": count}, pagination={flag: True})

    with JsonApi(handle) as api:
        with pytest.raises(ApiError, match=f"`{flag}` that there is more"):
            run(TapScheduling, settings(api), catalog=only(TapScheduling, "bookings"))
        kept = settings(api, allow_partial=True)
        output = run(TapScheduling, kept, catalog=only(TapScheduling, "bookings"))
    assert len(output.records["bookings"]) == count
    assert not output.state["bookmarks"]["bookings"].get("replication_key_value")


@pytest.mark.parametrize("count", [50, 100, 130])
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_H01_an_answer_that_says_there_is_more_is_not_the_whole_list(stream, count):
    tap, rows = BY_OFFSET[stream], rows_of(stream, count)
    with JsonApi(lambda _, query: {stream: rows, "links": {"next": "/more"}}) as api, pytest.raises(ApiError):
        run(tap, settings(api), catalog=only(tap, stream))


def test_H01_a_flag_is_followed_past_a_thin_page():
    rows = rows_of("campaigns", 300)

    def handle(_, query):
        begin, limit = int(query["offset"]), int(query["limit"])
        page = [row for row in rows[begin : begin + limit] if int(row["id"]) % 3]
        return {"campaigns": page, "has_more": begin + limit < 300}

    output, _ = read(TapRewards, ("campaigns",), handle)
    assert {int(key) for key in keys(output, "campaigns")} == {n for n in range(300) if n % 3}


def test_H08_a_total_that_knows_no_lower_bound_plans_nothing_and_accuses_nobody(caplog):
    rows = [{"id": str(number), "created_at": moment(number)} for number in range(250)]
    state = {"bookmarks": {"orders": {"replication_key": "created_at", "replication_key_value": moment(0)}}}
    server = Bounded(lambda _, query: {"orders": cut(rows, query), "total_count": 20_000})
    with JsonApi(server) as api:
        output = run(TapRewards, settings(api), state=state, catalog=only(TapRewards, "orders"))
    assert len(output.records["orders"]) == 250
    assert server.requests <= 7
    assert "the API says there are" not in caplog.text
