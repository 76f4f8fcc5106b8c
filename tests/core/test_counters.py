"""Counters of pages and rows beside a list, right ones and others, on several taps, as whole runs."""

from __future__ import annotations

from itertools import count

import pytest

from json_api import JsonApi, cut, numbered
from lists import WITH_DELETES, Bounded, activated, keys, only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError, PartlyRead
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

LISTS = [
    (TapBilling, "component_price_points", "price_points"),
    (TapBilling, "invoice_events", "events"),
    (TapRewards, "campaigns", "campaigns"),
    (TapRewards, "fields", "fields"),
    (TapScheduling, "schedules", "data"),
    (TapEvents, "users", "users"),
]
COUNTERS = [
    {"page": 1, "total_pages": 412},
    {"meta": {"current_page": 1, "total_pages": 412, "total_count": 82_310}},
    {"pagination": {"currentPage": 1, "totalPages": 412, "hasNextPage": None}},
    {"meta": {"total_count": 82_310}},
    {"pagination": {"totalItems": 82_310}},
    {"meta": {"pagination": {"total": 82_310}}},
]


def envelope(tap, member, rows, counters):
    return {member: rows, **({"status": "success"} if tap is TapScheduling else {}), **counters}


@pytest.mark.parametrize("counters", COUNTERS, ids=str)
@pytest.mark.parametrize(("tap", "stream", "member"), LISTS)
def test_A01_A07_no_row_beside_a_counter_that_says_there_are_is_no_empty_list(
    tap, stream, member, counters, capsys
):
    with (
        JsonApi(Bounded(lambda *_: envelope(tap, member, [], counters))) as api,
        pytest.raises(ApiError, match="says"),
    ):
        run(tap, settings(api, **WITH_DELETES), catalog=only(tap, stream))
    assert "ACTIVATE_VERSION" not in capsys.readouterr().out


@pytest.mark.parametrize("counters", COUNTERS, ids=str)
@pytest.mark.parametrize(("tap", "stream", "member"), LISTS)
def test_H01_A16_one_page_whatever_is_asked_for_beside_a_counter_of_more(tap, stream, member, counters):
    rows = [{"id": str(number)} for number in range(60)]
    with JsonApi(Bounded(lambda *_: envelope(tap, member, rows, counters))) as api:
        with pytest.raises(ApiError, match="says"):
            run(tap, settings(api, **WITH_DELETES), catalog=only(tap, stream))
        output = run(tap, settings(api, allow_partial=True, **WITH_DELETES), catalog=only(tap, stream))
    assert len(output.records[stream]) == 60
    assert not activated(output)


HARMLESS = [
    lambda at, pages, rows: {"page": 1, "total_pages": pages},  # it echoes a parameter that nobody sends
    lambda at, pages, rows: {"page": 1, "total_pages": -(-rows // 20)},  # of its usual size
    lambda at, pages, rows: {"included": [{"type": "plan", "total_items": 5000, "page": 1, "pages": 70}]},
    lambda at, pages, rows: {
        "landing_page": {"page": 1, "total_pages": 300},
        "summary": {"total_items": 900},
    },
    lambda at, pages, rows: {"current_page": at + 1, "last_page": pages, "per_page": 100, "total": rows},
    lambda at, pages, rows: {"page": at + 1, "total_pages": pages},
    lambda at, pages, rows: {
        "meta": {"page": at, "total_pages": pages, "total_count": rows}
    },  # counted from 0
    lambda at, pages, rows: {"total_items": min(100, rows - 100 * at)},  # those of the page
    lambda at, pages, rows: {"total": 5, "count": 7},
    lambda at, pages, rows: {"meta": {"total_count": rows + rows // 20}},  # a few are hidden
    lambda at, pages, rows: {"meta": {"total_count": 0}, "page": 1, "total_pages": 0},
]


@pytest.mark.parametrize("counters", HARMLESS)
@pytest.mark.parametrize("length", [0, 1, 60, 100, 250])
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_counters_that_are_right_or_of_something_else_stop_nothing(tap, stream, length, counters):
    rows = [{"id": number} for number in range(length)]

    def handle(_, query):
        at, pages = int(query["offset"]) // 100, max(1, -(-length // 100))
        return {stream: cut(rows, query, cap=100), **counters(min(at, pages - 1), pages, length)}

    with JsonApi(Bounded(handle)) as api:
        output = run(tap, settings(api), catalog=only(tap, stream))
    assert [int(key) for key in keys(output, stream)] == list(range(length)) if length else not output.records


@pytest.mark.parametrize("size", [20, 200])
@pytest.mark.parametrize("cut_short", [False, True])
def test_A01_numbered_pages_that_end_before_their_counter_says(size, cut_short):
    rows = [{"id": number} for number in range(500)]

    def handle(_, query):
        query = {**query, "per_page": min(size, int(query["per_page"]))}
        page = [] if cut_short and int(query["page"]) > 1 else numbered(rows, query)
        pages = -(-500 // query["per_page"])
        return {"price_points": page, "meta": {"current_page": int(query["page"]), "total_pages": pages}}

    with JsonApi(Bounded(handle)) as api:
        config, catalog = settings(api, **WITH_DELETES), only(TapBilling, "component_price_points")
        if cut_short:
            with pytest.raises(ApiError, match=r"API says there are|nothing from a place on"):
                run(TapBilling, config, catalog=catalog)
            return
        output = run(TapBilling, config, catalog=catalog)
    assert keys(output, "component_price_points") == list(range(500))
    assert activated(output)


@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "fields")])
def test_a_counter_of_rows_that_are_not_shown_is_told_and_no_row_called_gone(tap, stream, caplog):
    """It stands where the API documents none, and can be that of all rows, of which a key may see some."""
    rows = [{"id": str(number)} for number in range(60)]
    with JsonApi(
        Bounded(lambda _, query: {stream: cut(rows, query, default=60), "meta": {"total": 110}})
    ) as api:
        output = run(tap, settings(api, **WITH_DELETES), catalog=only(tap, stream))
    assert len(output.records[stream]) == 60
    assert not activated(output)
    assert "read 60 records where the API says there are 110" in caplog.text


@pytest.mark.parametrize("gone", [1, 3])
@pytest.mark.parametrize("tap", [TapEvents, TapRewards])
def test_a_list_that_shrinks_while_it_is_read_is_not_called_short(tap, gone, caplog):
    """The total has been right each time: the last rows go once the first page was read."""
    stream, rows, asked = ("events" if tap is TapEvents else "orders"), list(range(330)), []

    def handle(_, query):
        asked.append(query)
        if len(asked) == 2:
            del rows[-gone:]
        times = [
            {"id": str(number), "created_at": f"2026-01-01T00:00:{59 - number // 6:02}Z"} for number in rows
        ]
        page = cut(times, query, default=100)
        return {stream: page, "total_count": len(rows), "pagination": [{"total": len(rows)}]}

    with JsonApi(Bounded(handle)) as api:
        output = run(tap, settings(api, concurrency=1, **WITH_DELETES), catalog=only(tap, stream))
    assert {int(key) for key in keys(output, stream)} == set(range(330 - gone))
    assert "where the API says" not in caplog.text


def of_parents(parents, child_page):
    def handle(path, query):
        if path.endswith(("/events", "/promotions")):
            return {"events": cut([{"id": at} for at in parents], query)}
        return child_page(int(path.split("/")[-2]), query)

    return handle


def test_A07_a_total_that_a_run_has_refuted_ends_no_later_list():
    """Totals are never above a page's length: of the first lists of 100 rows that is right."""
    lengths = {parent: 340 if parent % 2 else 100 for parent in range(1, 25)}

    def child_page(parent, query):
        rows = [{"refno": f"{parent}-{at}"} for at in range(lengths[parent])]
        return {
            "transactions": cut(rows, query, cap=100),
            "pagination": [{"total": min(100, lengths[parent])}],
        }

    with JsonApi(of_parents(lengths, child_page)) as api:
        output = run(TapEvents, settings(api, **WITH_DELETES), catalog=only(TapEvents, "transactions"))
    assert len(output.records["transactions"]) == sum(lengths.values())


def test_H08_a_total_of_all_parents_rows_gives_up_no_list():
    parents = range(1, 13)

    def child_page(parent, query):
        rows = [{"refno": f"{parent}-{at}"} for at in range(59)]
        return {"transactions": cut(rows, query), "pagination": [{"total": 708}]}

    with JsonApi(of_parents(parents, child_page)) as api:
        with pytest.raises(PartlyRead):
            run(TapEvents, settings(api), catalog=only(TapEvents, "transactions"))
        output = run(TapEvents, settings(api, allow_partial=True), catalog=only(TapEvents, "transactions"))
    assert len(output.records["transactions"]) == 708


def test_A09_a_page_of_one_known_row_ends_no_list_that_deletes_depend_on():
    """Many lists of the endpoint have ended with such a page."""
    asked = count(1)

    def child_page(parent, query):
        rows = [{"refno": f"{parent}-{at}"} for at in range(21)]
        page = cut(rows, query, cap=5)
        short = parent == 12 and query["offset"] == "12"
        return {"transactions": page[: 1 if short and next(asked) == 1 else 5]}

    with JsonApi(Bounded(of_parents(range(1, 13), child_page))) as api:
        config = settings(api, concurrency=1, **WITH_DELETES)
        output = run(TapEvents, config, catalog=only(TapEvents, "transactions"))
    assert len(output.records["transactions"]) == 12 * 21


def test_proofs_of_many_lists_that_deletes_depend_on_cost_one_request_each():
    """Two for the first fifty of an endpoint: a page of one known row can have been cut."""
    parents = range(1, 91)

    requests = count()

    def child_page(parent, query):
        next(requests)
        return {"transactions": cut([{"refno": f"{parent}-{at}"} for at in range(20)], query)}

    with JsonApi(Bounded(of_parents(parents, child_page))) as api:
        config = settings(api, concurrency=1, **WITH_DELETES)
        output = run(TapEvents, config, catalog=only(TapEvents, "transactions"))
    assert len(output.records["transactions"]) == 90 * 20
    assert next(requests) == 2 * 90 + 50
