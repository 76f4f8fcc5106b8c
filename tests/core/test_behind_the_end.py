"""What stands behind the end of a list, and what does not, on several taps, as whole runs."""

from __future__ import annotations

from itertools import count

import pytest

from in_process import select
from json_api import JsonApi, cut, numbered
from lists import WITH_DELETES, Bounded, activated, bookings, keys, moment, only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

ONE_BY_ONE = {"concurrency": 1}


def billed(stream, rows):
    return [{stream.removesuffix("s"): row} for row in rows]


LISTS = [
    (TapBilling, "customers", lambda rows, query: billed("customers", numbered(rows, query))),
    (TapBilling, "products", lambda rows, query: billed("products", numbered(rows, query))),
    (TapEvents, "users", lambda rows, query: {"users": cut(rows, query)}),
    (TapRewards, "campaigns", lambda rows, query: {"campaigns": cut(rows, query)}),
    (TapRewards, "balance_transactions", lambda rows, query: {"transactions": cut(rows[::-1], query)}),
    (TapScheduling, "bookings", bookings),
]


def made(length):
    return [
        {
            "id": number,
            **{name: moment(number) for name in ("created_at", "updated_at", "createdAt", "updatedAt")},
            "amount": number,
        }
        for number in range(length)
    ]


def lists_of(page):
    """The rows of an answer."""
    return page if isinstance(page, list) else next(rows for rows in page.values() if isinstance(rows, list))


def refused_if_empty(page, status):
    return page if lists_of(page) else (status, {"error": "page out of range"})


@pytest.mark.parametrize("status", [400, 404, 416, 422])
@pytest.mark.parametrize("length", [1, 2, 3, 20])
@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS)
def test_A09_a_place_behind_the_end_that_is_refused(tap, stream, page_of, length, status):
    rows = made(length)
    with JsonApi(Bounded(lambda _, query: refused_if_empty(page_of(rows, query), status))) as api:
        output = run(tap, settings(api, max_retries=0), catalog=only(tap, stream))
        assert len(api.paths) <= 5
    assert len(output.records[stream]) == length


@pytest.mark.parametrize("length", [49, 50, 51, 100])
def test_A09_the_newest_fifty_before_a_page_that_is_refused(length):
    component = {"subscription_id": 1, "component_id": 2, "kind": "quantity_based_component"}

    def handle(path, query):
        if path.endswith("allocations.json"):
            rows = numbered([{"allocation_id": at} for at in range(length)], {**query, "per_page": 50})
            return [{"allocation": row} for row in rows] or (404, {})
        return {"subscriptions_components": numbered([component], query)}

    with JsonApi(Bounded(handle)) as api:
        output = run(TapBilling, settings(api), catalog=select(TapBilling, "allocations"))
    assert len(output.records["allocations"]) == length


@pytest.mark.parametrize("deletes", [False, True])
def test_A09_lists_of_children_that_end_with_a_refusal(deletes):
    def handle(path, query):
        if path.endswith("/events"):
            return {"events": cut([{"id": at} for at in range(12)], query)}
        return refused_if_empty({"attendees": cut([{"id": int(path.split("/")[-2])}], query)}, 404)

    with JsonApi(Bounded(handle)) as api:
        config = settings(api, emit_activate_version_messages=deletes)
        output = run(TapEvents, config, catalog=only(TapEvents, "attendees"))
    assert keys(output, "attendees") == list(range(12))


@pytest.mark.parametrize("size", [20, 30])
@pytest.mark.parametrize(("pages", "status"), [(1, 400), (1, 404), (1, 422), (2, 404), (3, 416)])
def test_A09_full_pages_of_the_servers_own_size_before_one_that_is_refused(size, pages, status):
    rows = made(size * pages)

    def handle(_, query):
        page = billed("products", numbered(rows, {**query, "per_page": size}))
        return refused_if_empty(page, status)

    with JsonApi(Bounded(handle)) as api:
        output = run(TapBilling, settings(api), catalog=only(TapBilling, "products"))
    assert keys(output, "products") == list(range(size * pages))


def test_A09_a_place_too_deep_in_a_list_is_no_end():
    rows = made(100)

    def handle(_, query):
        too_deep = int(query["page"]) > 3
        page = billed("products", numbered(rows, {**query, "per_page": 20}))
        return (400, {"errors": ["no more than 3 pages"]}) if too_deep else page

    with JsonApi(Bounded(handle)) as api, pytest.raises(ApiError, match="no more than 3 pages"):
        run(TapBilling, settings(api), catalog=only(TapBilling, "products"))


@pytest.mark.parametrize("status", [400, 404, 416])
@pytest.mark.parametrize("length", [2, 30])
@pytest.mark.parametrize(("tap", "stream", "page_of"), [*LISTS[:1], *LISTS[2:4]])
def test_A09_a_row_is_deleted_before_a_place_is_refused(tap, stream, page_of, length, status):
    rows, number = made(length), count(1)

    def handle(_, query):
        if next(number) == 2:
            del rows[0]
        return refused_if_empty(page_of(rows, query), status)

    with JsonApi(Bounded(handle)) as api:
        output = run(tap, settings(api), catalog=only(tap, stream))
    assert len(output.records[stream]) == length


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("stream", ["customers", "products"])
def test_A09_a_full_first_page_before_a_refusal_is_not_all(stream, status):
    """An account may be shown the first rows alone."""
    rows = made(1000)

    def handle(_, query):
        if int(query["page"]) > 1:
            return status, {"errors": ["your plan shows the first rows"]}
        return billed(stream, numbered(rows, {**query, "per_page": 200}))

    with JsonApi(Bounded(handle)) as api, pytest.raises(ApiError, match="your plan shows the first rows"):
        run(TapBilling, settings(api, **WITH_DELETES), catalog=only(TapBilling, stream))


@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS[2:4])
def test_A09_a_page_that_was_promised_and_is_refused_is_no_end(tap, stream, page_of):
    rows = made(1)

    def handle(_, query):
        page = page_of(rows, query)
        return {**page, "has_more": True} if lists_of(page) else (404, {})

    with JsonApi(Bounded(handle)) as api, pytest.raises(ApiError, match="404"):
        run(tap, settings(api), catalog=only(tap, stream))


# Behind a short page


def read_cut(tap, stream, page_of, length, is_cut, left, **config):
    """A run over so many rows, where some answers, by their numbers, have only their first rows."""
    rows, number = made(length), count(1)

    def handle(_, query):
        page = page_of(rows, query)
        if is_cut(next(number)):
            del lists_of(page)[left:]
        return page

    with JsonApi(Bounded(handle)) as api:
        return run(tap, settings(api, **ONE_BY_ONE, **config), catalog=only(tap, stream))


@pytest.mark.parametrize("request_cut", [3, 4, 5])
@pytest.mark.parametrize("rows_left", [1, 2, 3])
@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS)
def test_A09_one_answer_is_cut_far_before_what_was_read(tap, stream, page_of, request_cut, rows_left):
    output = read_cut(tap, stream, page_of, 500, lambda at: at == request_cut, rows_left, **WITH_DELETES)
    assert len(output.records[stream]) == 500


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("left", [40, 50])
@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS[:4])
def test_A09_a_step_back_to_a_page_that_is_cut(tap, stream, page_of, left, lasting):
    """Rows were deleted before the second page; the one that joins them is short, once or from now on."""
    rows, number = made(700), count(1)

    def handle(_, query):
        at = next(number)
        if at == 2:
            del rows[3:6]
        if lasting and at > 2:
            query = {
                name: min(left, int(value)) if name == "limit" else value for name, value in query.items()
            }
            if "per_page" in query:
                return billed(stream, numbered(rows, query, cap=left))
        page = page_of(rows, query)
        if at == 3:
            del lists_of(page)[left:]
        return page

    with JsonApi(Bounded(handle)) as api:
        config = settings(api, **ONE_BY_ONE, **WITH_DELETES)
        try:
            output = run(tap, config, catalog=only(tap, stream))
        except ApiError:  # the pages of a lower limit stand elsewhere, which a number does not tell
            assert lasting
            assert tap is TapBilling
        else:
            assert {row["id"] for row in rows} <= {int(key) for key in keys(output, stream)}


@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS[1:4])
@pytest.mark.parametrize(("cut_page", "left"), [(2, 1), (2, 9), (2, 45), (3, 20), (3, 90)])
def test_A09_a_short_page_ends_no_list_that_is_alone(tap, stream, page_of, cut_page, left):
    """Neither a bookmark nor deletes depend on it; one request shows what is behind."""
    output = read_cut(tap, stream, page_of, 500, lambda at: at == cut_page, left)
    assert len(output.records[stream]) == 500


@pytest.mark.parametrize(
    ("tap", "parent", "stream", "child", "place"),
    [
        (TapEvents, "events", "attendees", "attendees", {}),
        (TapScheduling, "teams", "team_memberships", "data", {"start": "skip", "size": "take"}),
    ],
)
@pytest.mark.parametrize("lower", [40, 50])
def test_A09_a_limit_lowered_between_lists_of_children(tap, parent, stream, child, place, lower):
    number = count(1)

    def handle(path, query):
        if path.endswith(f"/{parent}"):
            return {
                "events": cut([{"id": at} for at in range(6)], query),
                "data": [{"id": at} for at in range(6)],
            }
        cap = 100 if next(number) < 4 else lower
        family = int(path.split("/")[-2])
        page = cut([{"id": 1000 * family + at} for at in range(130)], query, cap=cap, **place)
        return {child: page, "status": "success"}

    with (
        JsonApi(Bounded(handle)) as api,
        pytest.raises(ApiError, match="with which other lists were taken to end"),
    ):
        run(tap, settings(api, **ONE_BY_ONE), catalog=only(tap, stream))


def test_A09_a_row_that_is_added_while_an_end_is_proved_refutes_none():
    lengths, asked = {0: 100, 1: 15, 2: 15}, count(1)

    def handle(path, query):
        if path.endswith("/events"):
            return {"events": cut([{"id": at} for at in lengths], query)}
        event = int(path.split("/")[-2])
        if event == 2 and next(asked) == 2:
            lengths[2] += 1
        return {"attendees": cut([{"id": 1000 * event + at} for at in range(lengths[event])], query)}

    with JsonApi(Bounded(handle)) as api:
        output = run(TapEvents, settings(api, **ONE_BY_ONE), catalog=only(TapEvents, "attendees"))
    assert len(output.records["attendees"]) == 131


# A list that does not grow


@pytest.mark.parametrize(
    ("tap", "stream", "page_of"), [LISTS[3], LISTS[4], (TapEvents, "users", LISTS[2][2])]
)
def test_A09_many_pages_of_a_few_rows_are_no_list_that_grows(tap, stream, page_of):
    output = read_cut(tap, stream, page_of, 1080, lambda at: at > 1, 10, **WITH_DELETES)
    assert len(output.records[stream]) == 1080
    assert stream in activated(output) or stream == "balance_transactions"
