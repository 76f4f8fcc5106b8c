"""Lists that are documented to come whole: read to their end where a server pages them all the same."""

import pytest

from core.test_paginators import List, items
from in_process import select
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


@pytest.mark.parametrize("count", [9, 10, 40])
@pytest.mark.parametrize(("places", "size"), [(ByOffset, "limit"), (ByNumber, "per_page")])
def test_a_server_that_heeds_the_number_of_rows_alone_is_not_blamed(places, size, count):
    whole = List(lambda query: items(range(min(count, int(query.get(size, count))))))
    assert whole.read(WholeList(places())) == list(range(count))
    assert whole.requests <= 3


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


def by_weight(lengths, most):
    """Lists of rows of so many bytes, in answers of no more than so many."""

    def answer(query):
        start, weight = int(query.get("offset", 0)), 0
        page = []
        for number, length in list(enumerate(lengths))[start : start + int(query.get("limit", 1000))]:
            weight += length
            if page and weight > most:
                break
            page.append({"id": number, "text": "x" * length})
        return {"items": page}

    return answer


@pytest.mark.parametrize("heavy", [2_000, 5_000, 9_000, 30_000])
def test_A08_A16_whole_lists_of_a_server_that_cuts_them_by_their_weight(heavy):
    """Behind a longer, lighter one that came whole; the heaviest are cut to fewer than ten rows."""
    evidence = None
    for lengths in ([10] * 130, [heavy] * 25, [10] * 3, [heavy] * 24, [heavy // 2] * 40):
        source, paginator = List(by_weight(lengths, 45_000)), WholeList(ByOffset())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        assert sorted(source.read(paginator)) == list(range(len(lengths)))


@pytest.mark.parametrize("heavy", [5_000, 30_000])
def test_A08_A16_a_heavy_list_is_not_whole_where_what_follows_can_not_be_had(heavy):
    """The last row that came stands alone in its answer, as the next one is too heavy to come with it."""
    lengths = [heavy] * 9 + [60_000] * 5
    answer, count = by_weight(lengths, 9 * heavy + 5_000), 9

    def fails(query):
        if int(query.get("offset", 0)) >= count:
            raise ApiError("oops", status=500)
        return answer(query)

    with pytest.raises(ApiError, match="oops"):
        List(fails).read(WholeList(ByOffset()))
    assert sorted(set(List(answer).read(WholeList(ByOffset())))) == list(range(14))


def test_a_light_list_is_not_looked_behind_for_its_weight():
    evidence, requests = None, []
    for lengths in ([10] * 130, [20] * 9, [1000] * 9, [5000] * 9, [5000] * 8, [4000] * 9, [100] * 100):
        source, paginator = List(by_weight(lengths, 10**6)), WholeList(ByOffset())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        source.read(paginator)
        requests.append(source.requests)
    assert requests == [2, 1, 1, 3, 1, 1, 1]  # of a heavy one the last row alone is no end


@pytest.mark.parametrize(("places", "server"), [(ByOffset, by_offset), (ByNumber, by_number)])
def test_A16_an_empty_list_does_not_break_those_of_a_server_with_pages(places, server):
    evidence = None
    for count in (0, 40, 3, 0, 25):
        paginator = WholeList(places())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        assert sorted(List(server(count, 10)).read(paginator)) == list(range(count))


@pytest.mark.parametrize(
    ("parent", "child", "cap"),
    [("teams", "team_event_types", 10), ("bookings", "booking_attendees", 20)],
)
def test_A08_A16_whole_lists_of_parents_on_a_server_with_pages(parent, child, cap):
    """The first parent has none, the second one many light ones, the third few heavy ones."""
    weights = {1: [], 2: [1] * 45, 3: [9000] * 30, 4: [1] * 3}

    def handle(path, query):
        number = next((int(part) for part in path.split("/") if part.isdigit()), None)
        if number is None or path.endswith("bookings"):
            rows = [{"id": key, "uid": str(key), "updatedAt": "2026-01-01T00:00:00Z"} for key in weights]
            return {"status": "success", "data": cut(rows, query, start="skip", size="take")}
        rows = [{"id": 100 * number + at, "title": "x" * size} for at, size in enumerate(weights[number])]
        page = cut(rows, query, cap=cap, default=cap, start="skip", size="take")
        return {"status": "success", "data": page[: 6 if number == 3 else cap]}

    with JsonApi(handle) as api:
        output = run(TapScheduling, settings(api), catalog=select(TapScheduling, parent, child))
    assert len({row["id"] for row in output.records[child]}) == 78


@pytest.mark.parametrize("length", [12, 40])
def test_lists_as_heavy_as_others_are_looked_behind_a_few_times_only(length):
    evidence, requests = None, 0
    for number in range(200):
        lengths = [3000 + number] * length
        source, paginator = List(by_weight(lengths, 10**6)), WholeList(ByOffset())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        source.read(paginator)
        requests += source.requests
    assert requests <= 200 + 2 * 200  # each is heavier than all before: the last row, and what comes after it
    again = 0
    for _ in range(100):
        source, paginator = List(by_weight([3150] * (length - 1), 10**6)), WholeList(ByOffset())
        paginator.evidence = evidence
        source.read(paginator)
        again += source.requests
    assert again == 102  # the second one of its length


@pytest.mark.parametrize(("places", "server"), [(ByOffset, by_offset), (ByNumber, by_number)])
def test_A08_A16_a_list_as_long_as_the_longest_whole_one_can_be_cut(places, server):
    evidence = None
    for count in (*[29] * 55, 30, 8, 45, 45, 60):
        paginator = WholeList(places())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        assert len(set(List(server(count, 30)).read(paginator))) == count


@pytest.mark.parametrize("more", [1, 2])
def test_a_row_that_is_added_before_the_look_is_no_cut(more):
    evidence, requests = None, []
    for at, count in enumerate((40, 39, 30, 30, 20)):
        sent = [count, count + more * (at == 1)]
        source = List(lambda _, sent=sent: items(range(sent.pop(0) if len(sent) > 1 else sent[0])))
        paginator = WholeList(ByOffset())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        source.read(paginator)
        requests.append(source.requests)
    assert not evidence.cuts
    assert requests[-1] == 1


def test_once_a_list_was_cut_all_others_are_looked_behind_but_short_light_ones():
    evidence, requests = None, []
    for count in (60, 300, 50, 50, 9):
        source, paginator = List(by_offset(count, 100)), WholeList(ByOffset())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        assert len(set(source.read(paginator))) == count
        requests.append(source.requests)
    assert requests[2:] == [2, 2, 1]
