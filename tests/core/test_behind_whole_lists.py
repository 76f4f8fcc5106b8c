"""A list that should come whole, on a server that pages it: what may happen until it is looked behind.

Rows change, pages can't be had, places are refused, a run is interrupted: what lies behind is not lost, and
what was read is not called all there is.
"""

import json

import pytest

from core.test_paginators import List, _key_of, items
from core.test_whole_lists import LISTS, by_number, by_offset
from in_process import call
from json_api import JsonApi, cut, numbered
from lists import only
from tap_core.errors import ApiError
from tap_core.paging.offset import Offset
from tap_core.paging.page import Page
from tap_core.paging.pagenumber import PageNumber
from tap_core.paging.places import ByNumber, ByOffset
from tap_core.paging.whole import WholeList
from tap_core.records.jsonpath import parse
from tap_scheduling.tap import TapScheduling


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


def rows_of(stream, count=80):
    return [{"id": number if LISTS[stream][0] is TapScheduling else str(number)} for number in range(count)]


def paged(stream, rows, query):
    """The answer of a server with pages of thirty rows."""
    _, envelope, start, size = LISTS[stream]
    if start == "page":
        return envelope(numbered(rows, {"per_page": 30, **query}, cap=30))
    return envelope(cut(rows, query, cap=30, default=30, start=start, size=size))


def is_behind(stream, query):
    """Whether another place is asked for than the first one."""
    start = LISTS[stream][2]
    return int(query.get(start, 0)) > (start == "page")


def outcome(stream, folder, handle, **config):
    tap = LISTS[stream][0]
    with JsonApi(handle) as api:
        return call(tap, folder, url=api.url, catalog=only(tap, stream), **config)


FAULTS = {
    "a server error": (500, {"message": "oops"}),
    "no list": {"status": "error", "message": "oops"},
    "a refusal": (403, {"message": "no"}),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stream", LISTS)
def test_A16_a_page_behind_the_first_that_can_not_be_had_fails_the_list(stream, fault, tmp_path):
    """What lies there would else count as gone, with exit 0."""
    rows = rows_of(stream)

    def handle(_, query):
        return FAULTS[fault] if is_behind(stream, query) else paged(stream, rows, query)

    output = outcome(stream, tmp_path, handle, backoff_factor=0, max_retries=1)
    assert output.code == 2
    assert len(output.records[stream]) == 30
    assert f"partly read: {stream}" in output.log
    assert "ACTIVATE_VERSION" not in output.text


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("stream", ["roles", "teams"])
def test_A16_a_list_is_not_whole_where_the_place_of_its_last_row_is_refused(stream, status, tmp_path):
    rows = rows_of(stream)

    def handle(_, query):
        refused = is_behind(stream, query)
        return (status, {"message": "too deep"}) if refused else paged(stream, rows, query)

    output = outcome(stream, tmp_path, handle)
    assert output.code == 2
    assert len(output.records[stream]) == 30
    assert "ACTIVATE_VERSION" not in output.text


@pytest.mark.parametrize("count", [10, 30])
@pytest.mark.parametrize("stream", ["roles", "teams"])
def test_a_server_that_knows_places_of_whole_pages_alone_is_not_blamed(stream, count, tmp_path):
    rows, (_, _, start, size) = rows_of(stream, count), LISTS[stream]

    def handle(_, query):
        if int(query.get(start, 0)) % int(query.get(size, 30)):
            return 400, {"message": "no page begins there"}
        return paged(stream, rows, query)

    output = outcome(stream, tmp_path, handle)
    assert output.code == 0
    assert len(output.records[stream]) == count


@pytest.mark.parametrize("stream", LISTS)
def test_A16_a_fault_of_the_moment_behind_the_first_page_is_tried_again(stream, tmp_path):
    rows, failures = rows_of(stream), [1] * 3

    def handle(_, query):
        if is_behind(stream, query) and failures:
            failures.pop()
            return 500, {"message": "oops"}
        return paged(stream, rows, query)

    output = outcome(stream, tmp_path, handle, max_retries=3)
    assert output.code == 0
    assert len(output.records[stream]) == 80


@pytest.mark.parametrize("status", [204, 400, 403, 404, 422, 500])
@pytest.mark.parametrize("stream", LISTS)
def test_A16_two_faults_in_a_row_show_no_server_that_knows_no_places(stream, status, tmp_path):
    """As of a gateway while the server is deployed anew."""
    rows, asked = rows_of(stream), []

    def handle(_, query):
        asked.append(query)
        return (status, {"message": "nothing here"}) if len(asked) in {2, 3} else paged(stream, rows, query)

    output = outcome(stream, tmp_path, handle, max_retries=0)
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
