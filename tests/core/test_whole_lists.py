"""Lists that are documented to come whole: read to their end where a server pages them all the same."""

import json

import pytest

from core.test_paginators import List, _key_of, items
from in_process import call, select
from json_api import JsonApi, cut, numbered
from lists import only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_core.paging.offset import Offset
from tap_core.paging.page import Page
from tap_core.paging.pagenumber import PageNumber
from tap_core.paging.places import ByNumber, ByOffset
from tap_core.paging.whole import WholeList
from tap_core.records.jsonpath import parse
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


def moved(rows, change):
    """What the change makes of a list's rows: of the first ones, or of one of them."""
    if change.startswith("deleted"):
        return rows[int(change[-1]) :]
    if change.startswith("added"):
        new = [10**6 + number for number in range(int(change[-1]))]
        return [*new, *rows]
    return [*rows[:3], *rows[4:], rows[3]]


CHANGES = ["deleted 1", "deleted 2", "deleted 3", "added 1", "added 3", "added 8", "added 9", "moved"]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("behind", ["empty", 404, "last", "ignored"])
@pytest.mark.parametrize("places", [ByOffset, ByNumber])
@pytest.mark.parametrize("cap", [10, 30])
@pytest.mark.parametrize("more", [0, 1, 2, 3, 10])
def test_A07_A16_no_row_passes_the_look_behind_a_whole_list(places, cap, more, change, behind):
    """Rows that are deleted before it pull those of the next page up to where the first one was read.

    With nearly a page of new rows before all, a page behind the end that is the last one again looks like a
    place that is ignored: that fails by name.
    """
    start, size = ("page", "per_page") if places is ByNumber else ("offset", "limit")
    for after in (1, 2, 3):
        source = Changing(list(range(cap + more)), change, after)

        def answer(query, source=source):
            rows = source.rows()
            if behind == "ignored":
                return items(rows)
            length = min(cap, int(query.get(size, cap)))
            at = int(query.get(start, 0)) if places is ByOffset else (int(query.get(start, 1)) - 1) * length
            page = rows[at : at + length]
            if not page and behind == 404:
                raise ApiError("no such page", status=404)
            return items(page or (rows[-length:] if behind == "last" else []))

        stay = set(range(cap + more)) & set(moved(list(range(cap + more)), change))
        try:
            assert stay <= set(List(answer).read(WholeList(places())))
        except ApiError:
            assert (change[:-1], behind) == ("added ", "last")


class Changing:
    """Rows that change once some requests were answered."""

    def __init__(self, rows, change, after):
        self._rows, self._change, self._left = rows, change, after

    def rows(self):
        self._left -= 1
        if self._left == -1:
            self._rows = moved(self._rows, self._change)
        return self._rows


FAULTS = {
    "a server error": (500, {"message": "oops"}),
    "no list": {"status": "error", "message": "oops"},
    "a refusal": (403, {"message": "no"}),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stream", LISTS)
def test_A16_a_page_behind_the_first_that_can_not_be_had_fails_the_list(stream, fault, tmp_path):
    """What lies there would else count as gone, with exit 0."""
    tap, envelope, start, size = LISTS[stream]
    rows = [{"id": number if tap is TapScheduling else str(number)} for number in range(80)]

    def handle(_, query):
        if start == "page":
            if int(query.get("page", 1)) > 1:
                return FAULTS[fault]
            return envelope(numbered(rows, {"per_page": 30, **query}, cap=30))
        if int(query.get(start, 0)):
            return FAULTS[fault]
        return envelope(cut(rows, query, cap=30, default=30, start=start, size=size))

    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=only(tap, stream), backoff_factor=0, max_retries=1)
    assert output.code == 2
    assert len(output.records[stream]) == 30
    assert f"partly read: {stream}" in output.log
    assert "ACTIVATE_VERSION" not in output.text


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("stream", ["roles", "teams"])
def test_A16_a_list_is_not_whole_where_the_place_of_its_last_row_is_refused(stream, status, tmp_path):
    tap, envelope, start, size = LISTS[stream]
    rows = [{"id": number if tap is TapScheduling else str(number)} for number in range(80)]

    def handle(_, query):
        if int(query.get(start, 0)):
            return status, {"message": "too deep"}
        return envelope(cut(rows, query, cap=30, default=30, start=start, size=size))

    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=only(tap, stream))
    assert output.code == 2
    assert len(output.records[stream]) == 30
    assert "ACTIVATE_VERSION" not in output.text


@pytest.mark.parametrize("count", [10, 30])
@pytest.mark.parametrize("stream", ["roles", "teams"])
def test_a_server_that_knows_places_of_whole_pages_alone_is_not_blamed(stream, count, tmp_path):
    tap, envelope, start, size = LISTS[stream]
    rows = [{"id": number if tap is TapScheduling else str(number)} for number in range(count)]

    def handle(_, query):
        if int(query.get(start, 0)) % int(query.get(size, 30)):
            return 400, {"message": "no page begins there"}
        return envelope(cut(rows, query, cap=30, default=30, start=start, size=size))

    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=only(tap, stream))
    assert output.code == 0
    assert len(output.records[stream]) == count


@pytest.mark.parametrize("stream", LISTS)
def test_A16_a_fault_of_the_moment_behind_the_first_page_is_tried_again(stream, tmp_path):
    tap, envelope, start, size = LISTS[stream]
    rows, failures = (
        [{"id": number if tap is TapScheduling else str(number)} for number in range(80)],
        [1] * 3,
    )

    def handle(_, query):
        at = int(query.get(start, 0))
        if at > (start == "page") and failures:
            failures.pop()
            return 500, {"message": "oops"}
        if start == "page":
            return envelope(numbered(rows, {"per_page": 30, **query}, cap=30))
        return envelope(cut(rows, query, cap=30, default=30, start=start, size=size))

    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=only(tap, stream), max_retries=3)
    assert output.code == 0
    assert len(output.records[stream]) == 80


@pytest.mark.parametrize("status", [204, 400, 403, 404, 422, 500])
@pytest.mark.parametrize("stream", LISTS)
def test_A16_two_faults_in_a_row_show_no_server_that_knows_no_places(stream, status, tmp_path):
    """As of a gateway while the server is deployed anew."""
    tap, envelope, start, size = LISTS[stream]
    rows, asked = [{"id": number if tap is TapScheduling else str(number)} for number in range(80)], []

    def handle(_, query):
        asked.append(query)
        if len(asked) in {2, 3}:
            return status, {"message": "nothing here"}
        if start == "page":
            return envelope(numbered(rows, {"per_page": 30, **query}, cap=30))
        return envelope(cut(rows, query, cap=30, default=30, start=start, size=size))

    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=only(tap, stream), max_retries=0)
    assert output.code == 2 or len(output.records[stream]) == 80
    assert "ACTIVATE_VERSION" not in output.text or len(output.records[stream]) == 80


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500])
def test_an_endpoint_that_refuses_all_places_is_asked_for_them_a_few_times_only(status):
    evidence, requests = None, []

    def answer(query):
        if query:
            raise ApiError("unknown parameter", status=status)
        return items(range(40))

    for _ in range(20):
        source, paginator = List(answer), WholeList(ByOffset())
        paginator.evidence = evidence or paginator.evidence
        evidence = paginator.evidence
        assert len(source.read(paginator)) == 40
        requests.append(source.requests)
    assert max(requests) == 5
    assert sum(requests) <= 5 * 5 + 15


@pytest.mark.parametrize("count", [12, 40, 200])
@pytest.mark.parametrize("place", ["front", "end", "replaced"])
@pytest.mark.parametrize("places", [ByOffset, ByNumber])
def test_A16_a_list_that_comes_whole_and_grows_with_each_request_ends(places, place, count):
    """A row can be made anew for each answer too. What is more than was asked for is no page."""
    number = [10**6]

    def answer(_):
        number[0] += 1
        rows = list(range(count))
        if place == "replaced":
            return items([*rows[1:5], *rows[6:], number[0]])
        return items([number[0], *rows] if place == "front" else [*rows, number[0]])

    source = List(answer)
    assert set(source.read(WholeList(places()))) >= set(range(count)) - (
        {0, 5} if place == "replaced" else set()
    )
    assert source.requests <= 4


@pytest.mark.parametrize(("places", "server"), [(ByOffset, by_offset), (ByNumber, by_number)])
@pytest.mark.parametrize("deletes", [0, 3])
def test_A16_a_whole_list_that_is_gone_on_with_is_read_in_pages_that_overlap(places, server, deletes):
    """Of the length that they had: pages of one row can't, and cost a request each."""
    first, rows = WholeList(places()), list(range(300))
    query = first._places.ask(29, 30).query

    def answer(asked):
        if deletes and len(rows) > 300 - deletes and asked != query:
            del rows[0]
        return server_of(rows, server)(asked)

    page = Page(parse(json.dumps(answer(query)).encode()), "$.items[*]", _key_of)
    paginator = WholeList(places())
    paginator.resume(query, page, list(range(29)))
    source = List(answer)
    assert set(source.read(paginator)) >= set(range(60, 300))
    assert source.requests <= 20 + 6 * deletes  # and not one for each row


@pytest.mark.parametrize("place", ["front", "end"])
@pytest.mark.parametrize("kind", [Offset, PageNumber])
def test_a_list_of_rows_that_are_ever_others_is_named(kind, place):
    """As of a row that is made anew for each answer of a server that ignores places."""
    number = [10**6]

    def answer(_):
        number[0] += 1
        return items([number[0], *range(40)] if place == "front" else [*range(40), number[0]])

    rows, failure = List(answer).read_until_failure(kind(size=250))
    assert "other rows with each request" in str(failure)
    assert {*rows} >= set(range(40))
    assert len(rows) < 1000


def server_of(rows, server):
    """A server with pages of thirty of these rows."""

    def answer(query):
        found = server(len(rows), 30)(query)["items"]
        return items(rows[row["id"]] for row in found)

    return answer


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
