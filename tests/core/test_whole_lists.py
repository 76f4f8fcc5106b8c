"""Lists that are documented to come whole: read to their end where a server pages them all the same."""

import pytest

from core.test_paginators import List, items
from json_api import JsonApi, cut, numbered
from lists import only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_core.paging.places import ByNumber, ByOffset
from tap_core.paging.whole import WholeList
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

COUNTS = (0, 1, 9, 10, 11, 20, 25, 123, 200)


def by_offset(count, cap):
    return lambda query: items(cut(range(count), query, cap=cap, default=cap))


def by_number(count, cap):
    return lambda query: items(numbered(range(count), {"per_page": cap, **query}, cap=cap))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("cap", [10, 13, 20, 50, 100])
@pytest.mark.parametrize(("places", "server"), [(ByOffset, by_offset), (ByNumber, by_number)])
def test_A16_whole_lists_of_servers_with_pages(places, server, cap, count):
    assert sorted(List(server(count, cap)).read(WholeList(places()))) == list(range(count))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("size", [10, 25, 100])
@pytest.mark.parametrize(("places", "start", "first"), [(ByOffset, "offset", 0), (ByNumber, "page", 1)])
def test_A16_whole_lists_in_pages_of_the_server_s_own_size(places, start, first, size, count):
    def answer(query):
        at = int(query.get(start, first)) - first
        at = at * size if places is ByNumber else at
        return items(range(at, min(at + size, count)))

    assert sorted(List(answer).read(WholeList(places()))) == list(range(count))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("places", [ByOffset, ByNumber])
def test_lists_that_come_whole_cost_a_request_more_if_they_are_long(places, count):
    whole = List(lambda _: items(range(count)))
    assert whole.read(WholeList(places())) == list(range(count))
    assert whole.requests == 1 + (count >= 10)


def test_a_list_is_not_looked_behind_if_a_longer_one_was_whole():
    longer, shorter = List(lambda _: items(range(40))), List(lambda _: items(range(39)))
    first, second = WholeList(ByOffset()), WholeList(ByOffset())
    second.evidence = first.evidence
    longer.read(first)
    shorter.read(second)
    assert (longer.requests, shorter.requests) == (2, 1)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_list_that_says_there_is_more_and_ignores_places_is_a_failure(count):
    with pytest.raises(ApiError, match="more"):
        List(lambda _: items(range(count), has_more=True)).read(WholeList(ByOffset()))


LISTS = {
    "roles": (TapRewards, lambda rows: {"roles": rows}, "offset", "limit"),
    "webhooks": (TapRewards, lambda rows: {"webhooks": rows}, "offset", "limit"),
    "teams": (TapScheduling, lambda rows: {"status": "success", "data": rows}, "skip", "take"),
    "product_families": (
        TapBilling,
        lambda rows: [{"product_family": row} for row in rows],
        "page",
        "per_page",
    ),
}


@pytest.mark.parametrize("stream", LISTS)
def test_A16_whole_lists_of_a_server_with_pages_in_a_run(stream):
    tap, envelope, start, size = LISTS[stream]
    rows = [{"id": number if tap is TapScheduling else str(number)} for number in range(137)]

    def handle(_, query):
        if start == "page":
            return envelope(numbered(rows, {"per_page": 20, **query}, cap=20))
        return envelope(cut(rows, query, cap=13, default=13, start=start, size=size))

    with JsonApi(handle) as api:
        output = run(tap, settings(api), catalog=only(tap, stream))
    assert {str(row["id"]) for row in output.records[stream]} == {str(number) for number in range(137)}


@pytest.mark.parametrize("status", [400, 404, 422, 500])
@pytest.mark.parametrize("stream", LISTS)
def test_a_server_that_knows_no_places_for_the_list_is_not_blamed(stream, status):
    tap, envelope, start, _ = LISTS[stream]

    def handle(_, query):
        return (status, {"message": "unknown parameter"}) if start in query else envelope(rows)

    rows = [{"id": number if tap is TapScheduling else str(number)} for number in range(137)]
    with JsonApi(handle) as api:
        output = run(tap, settings(api, max_retries=0), catalog=only(tap, stream))
    assert len(output.records[stream]) == len(rows)


@pytest.mark.parametrize("count", [0, 3, 9, 40])
@pytest.mark.parametrize(
    ("tap", "stream", "body"),
    [
        (TapRewards, "roles", lambda rows: {"roles": rows, "total_count": 130}),
        (TapScheduling, "conferencing", lambda rows: {"data": rows, "pagination": {"totalItems": 130}}),
    ],
)
def test_A16_a_whole_list_that_has_fewer_rows_than_it_says_is_a_failure(tap, stream, body, count):
    answer = body([{"id": number} for number in range(count)])
    with JsonApi(lambda *_: answer) as api, pytest.raises(ApiError, match="130"):
        run(tap, settings(api), catalog=only(tap, stream))


@pytest.mark.parametrize(("places", "server"), [(ByOffset, by_offset), (ByNumber, by_number)])
def test_A08_A16_lists_that_are_cut_behind_a_longer_one_that_came_whole(places, server):
    """The second one of a length shows it; the first was taken for whole, and the stream fails by name."""
    whole = WholeList(places())
    assert len(List(lambda _: items(range(60))).read(whole)) == 60
    evidence = whole.evidence
    taken = WholeList(places())
    taken.evidence = evidence
    assert len(List(server(130, 50)).read(taken)) == 50
    shown = WholeList(places())
    shown.evidence = evidence
    with pytest.raises(ApiError, match="More came behind 50 rows, with which other lists were taken to end"):
        List(server(130, 50)).read(shown)
    assert shown.records_read == 130


def test_A08_a_length_that_was_shown_to_be_an_end_costs_no_more():
    evidence, requests = None, []
    for count in (60, 50, 50, 50, 50):
        source, paginator = List(lambda _, count=count: items(range(count))), WholeList(ByOffset())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        assert len(source.read(paginator)) == count
        requests.append(source.requests)
    assert requests == [2, 1, 2, 1, 1]
