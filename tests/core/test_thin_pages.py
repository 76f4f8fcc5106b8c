"""Lists whose pages lack rows: hidden by the server after it has paged, or a few less than were asked for."""

from __future__ import annotations

import pytest

from core.test_paginators import List, items
from json_api import JsonApi, cut
from lists import BY_OFFSET, bookings, keys, moment, only, read, rows_of, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.paging.offset import Offset
from tap_core.paging.pagenumber import PageNumber
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

SHARES = {"one less": 1 - 1e-9, "nine tenths": 0.9, "half": 0.5}


@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_A09_a_server_that_always_sends_fewer_rows_than_asked(stream, share, deletes):
    rows = rows_of(stream, 430)

    def handle(_, query):
        asked = {**query, "limit": max(1, int(SHARES[share] * int(query["limit"])))}
        return {stream: cut(rows, asked)}

    output = read(BY_OFFSET[stream], (stream,), handle) if not deletes else None
    if deletes:
        with JsonApi(handle) as api:
            config = settings(api, emit_activate_version_messages=True)
            output = run(BY_OFFSET[stream], config, catalog=only(BY_OFFSET[stream], stream))
    assert set(keys(output, stream)) == {row["id"] for row in rows}


BOOKMARKS = {"bookings": ("updatedAt", TapScheduling), "orders": ("created_at", TapRewards)}


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize(("first", "last"), [(98, 107), (99, 107), (98, 130), (40, 130)])
@pytest.mark.parametrize("stream", BOOKMARKS)
def test_A09_rows_hidden_over_the_edge_of_a_page_end_no_list_with_a_bookmark(stream, first, last, total):
    field, tap = BOOKMARKS[stream]
    hidden = set(range(first, last + 1))
    rows = [{"id": number, field: moment(number)} for number in range(430)]

    def handle(_, query):
        if stream == "bookings":
            count = {"totalItems": 430 - len(hidden)} if total else {}
            body = bookings(rows, query, pagination=count)
            return {**body, "data": [row for row in body["data"] if row["id"] not in hidden]}
        page = [{**row, "id": str(row["id"])} for row in cut(rows, query) if row["id"] not in hidden]
        return {"orders": page, **({"total_count": 430 - len(hidden)} if total else {})}

    state = {"bookmarks": {stream: {"replication_key": field, "replication_key_value": moment(0)}}}
    output = read(tap, (stream,), handle, state=state)
    assert {int(key) for key in keys(output, stream)} == set(range(430)) - hidden


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("numbered", "every"), [(False, 2), (False, 4), (True, 2)])
def test_A09_rows_hidden_here_and_there_end_no_careful_list(numbered, every, seed):
    shown = {number for number in range(700) if hash((number, seed)) % every == 0}

    def answer(query):
        size = query["per_page" if numbered else "limit"]
        start = (query["page"] - 1) * size if numbered else query["offset"]
        return items([number for number in range(start, min(start + size, 700)) if number in shown])

    paginator = PageNumber(size=200) if numbered else Offset(size=100)
    paginator.careful = True
    assert set(List(answer).read(paginator)) == shown


@pytest.mark.parametrize("kind", [TapEvents, TapRewards])
def test_A09_a_list_that_ends_with_a_short_page_is_asked_once_more(kind):
    """With what deletes or a bookmark depend on, the proof is a page of full size, and not a few rows."""
    stream = next(name for name, tap in BY_OFFSET.items() if tap is kind)
    asked = []

    def handle(_, query):
        asked.append((int(query["offset"]), int(query["limit"])))
        return {stream: cut(rows_of(stream, 130), query)}

    with JsonApi(handle) as api:
        config = settings(api, emit_activate_version_messages=True, concurrency=1)
        run(kind, config, catalog=only(kind, stream))
    assert asked == [(0, 100), (99, 100), (129, 100), (130, 100)]


def test_A01_A10_a_null_at_the_edge_of_a_page_costs_itself_alone():
    def handle(_, query):
        page = cut(rows_of("users", 430), query)
        return {"users": [*page[:-1], None] if query["offset"] == "0" else page}

    with JsonApi(handle) as api:
        catalog = only(TapEvents, "users")
        output = run(TapEvents, settings(api, allow_partial=True), catalog=catalog)
    assert set(keys(output, "users")) == set(range(430))


def test_A09_hidden_customers():
    hidden = {number for number in range(430) if hash((number, 7)) % 3}
    rows = [{"id": number, "updated_at": "2026-04-02T00:00:00Z"} for number in range(430)]

    def handle(_, query):
        size = int(query["per_page"])
        start = (int(query["page"]) - 1) * size
        return [{"customer": row} for row in rows[start : start + size] if row["id"] not in hidden]

    bookmark = {"replication_key": "updated_at", "replication_key_value": "2026-04-01T00:00:00Z"}
    output = read(TapBilling, ("customers",), handle, state={"bookmarks": {"customers": bookmark}})
    assert set(keys(output, "customers")) == set(range(430)) - hidden
