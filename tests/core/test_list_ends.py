"""Where a list ends, over real HTTP: an end is believed on evidence from this very list."""

from __future__ import annotations

import pytest

from json_api import JsonApi, cut, numbered
from lists import BY_OFFSET, Bounded, bookings, keys, moment, only, read, rows_of, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError, PartlyRead
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling


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

    output = read(TapEvents, ("events", "attendees"), handle)
    assert len(output.records["attendees"]) == sum(lengths.values())


@pytest.mark.parametrize("total", [-5, 0, 120, 200])
@pytest.mark.parametrize("stream", ["users", "orders"])
def test_A07_a_total_that_is_capped_or_nonsense_ends_no_list(stream, total):
    if stream == "users":
        rows = rows_of(stream, 350)
        output = read(
            TapEvents,
            (stream,),
            lambda _, query: {"users": cut(rows, query, cap=100), "pagination": [{"total": total}]},
        )
    else:
        rows = [{"id": str(number), "created_at": moment(number)} for number in range(350)]
        output = read(
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

    output = read(BY_OFFSET[stream], (stream,), handle)
    assert {int(key) for key in keys(output, stream)} == {n for n in range(450) if n % every}


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


@pytest.mark.parametrize(
    ("count", "most"), [(250, 40), (790, 70), (800, 140), (850, 60), (1000, 60), (2400, 60)]
)
@pytest.mark.parametrize("total", [None, 500, 5000])
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_B07_an_offset_that_wraps_round_ends_in_a_failure(stream, count, most, total):
    rows = rows_of(stream, count)
    said = {} if total is None else {"pagination": [{"total": total}], "total_count": total}

    def handle(_, query):
        begin = int(query["offset"]) % count
        return {stream: (rows + rows)[begin : begin + min(100, int(query["limit"]))], **said}

    server = Bounded(handle)
    tap = BY_OFFSET[stream]
    with JsonApi(server) as api:
        output = run(tap, settings(api, allow_partial=True), catalog=only(tap, stream))
    assert len(set(keys(output, stream))) == count
    assert server.requests < most


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


@pytest.mark.parametrize(
    "sign",
    [
        {"isLast": False},
        {"more": True},
        {"IsTruncated": True},
        {"@odata.nextLink": "/more"},
        {"meta": {"pagination": {"next": "/more"}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_H01_whatever_says_that_there_is_more(stream, sign):
    tap, rows = BY_OFFSET[stream], rows_of(stream, 30)
    with JsonApi(lambda *_: {stream: rows, **sign}) as api, pytest.raises(ApiError, match="there is more"):
        run(tap, settings(api), catalog=only(tap, stream))


@pytest.mark.parametrize("sign", [{"isLast": True}, {"more": "no"}, {"last_updated_at": False}], ids=str)
def test_H01_what_says_that_there_is_no_more(sign):
    output = read(TapRewards, ("campaigns",), lambda *_: {"campaigns": rows_of("campaigns", 30), **sign})
    assert len(output.records["campaigns"]) == 30


@pytest.mark.parametrize("heeded", ["multiples of the size", "pages counted", "no second page"])
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_A09_nothing_where_rows_are_known_to_stand_is_no_end(stream, heeded):
    rows = rows_of(stream, 250)

    def handle(_, query):
        begin, size = int(query["offset"]), int(query["limit"])
        if heeded == "pages counted":
            return {stream: rows[begin * size : begin * size + size]}
        if begin % size or (heeded == "no second page" and begin):
            return {stream: []}
        return {stream: rows[begin : begin + size]}

    tap = BY_OFFSET[stream]
    with JsonApi(handle) as api, pytest.raises(ApiError, match="nothing from a place on where rows stand"):
        run(tap, settings(api), catalog=only(tap, stream))


def test_A09_a_page_size_that_the_server_does_not_know_is_no_end():
    rows = [{"id": number, "updated_at": moment(number)} for number in range(450)]

    def handle(_, query):
        if int(query["per_page"]) not in {20, 50, 100, 200}:
            return []
        return [{"customer": row} for row in numbered(rows, query)]

    with JsonApi(handle) as api, pytest.raises(ApiError, match="nothing from a place on where rows stand"):
        run(TapBilling, settings(api), catalog=only(TapBilling, "customers"))


@pytest.mark.parametrize("stream", BY_OFFSET)
def test_a_list_whose_rows_are_all_deleted_while_it_is_read_has_ended(stream):
    rows, requests = rows_of(stream, 250), {"count": 0}

    def handle(_, query):
        requests["count"] += 1
        if requests["count"] == 2:
            rows.clear()
        return {stream: cut(rows, query, cap=100)}

    assert len(read(BY_OFFSET[stream], (stream,), handle).records[stream]) == 100


def test_H01_a_flag_is_followed_past_a_thin_page():
    rows = rows_of("campaigns", 300)

    def handle(_, query):
        begin, limit = int(query["offset"]), int(query["limit"])
        page = [row for row in rows[begin : begin + limit] if int(row["id"]) % 3]
        return {"campaigns": page, "has_more": begin + limit < 300}

    output = read(TapRewards, ("campaigns",), handle)
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


FIRST = {
    "orders": (TapRewards, lambda rows: {"orders": rows, "total_count": 350}),
    "roles": (TapRewards, lambda rows: {"roles": rows, "total_count": 350}),
    "users": (TapEvents, lambda rows: {"users": rows, "pagination": [{"total": 350}]}),
}


@pytest.mark.parametrize("stream", FIRST)
def test_A01_a_first_page_without_rows_beside_a_total_is_asked_for_again(stream):
    tap, body = FIRST[stream]
    rows = [{"id": str(n) if tap is TapRewards else n, "created_at": moment(n)} for n in range(350)]
    requests = []

    def handle(path, query):
        requests.append(path)
        return body(cut(rows[::-1], query, default=350) if len(requests) > 1 else [])

    assert len(read(tap, [stream], handle).records[stream]) == 350
