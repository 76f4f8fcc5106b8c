"""Ends and loops: the right rows or a named failure, and never more than two requests too many."""

from __future__ import annotations

import json
from itertools import count
from random import Random

import pytest

from tap_core.errors import ApiError
from tap_core.paging.cursor import Cursor
from tap_core.paging.evidence import ALIKE, Evidence
from tap_core.paging.offset import Offset
from tap_core.paging.page import Page
from tap_core.paging.pagenumber import PageNumber
from tap_core.paging.paginator import Paginator, SinglePage
from tap_core.records import jsonpath
from tap_core.records.keys import key_reader

EXTRA = 2
_key_of = key_reader(["id"])


class List:
    """A list of rows behind an answer function; counts requests."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = 0
        self.key_of = _key_of

    def read(self, paginator):
        rows = []
        while not paginator.finished:
            self.requests += 1
            assert self.requests < 200, "a loop"
            try:
                body = self.answer(paginator.current_value)
            except ApiError as refusal:
                paginator.fail(refusal)
                continue
            page = Page(jsonpath.parse(json.dumps(body).encode()), "$.items[*]", self.key_of)
            rows += [jsonpath.decode(raw)["id"] for raw in paginator.take(page)]
            page.release()  # as is done before the next one is asked for
        return rows

    def read_until_failure(self, paginator):
        """The rows that were handed on before the list was called broken, and the failure."""
        rows = []
        while True:
            try:
                if paginator.finished:
                    return rows, None
            except ApiError as failure:
                return rows, failure
            self.requests += 1
            document = jsonpath.parse(json.dumps(self.answer(paginator.current_value)).encode())
            rows += [
                jsonpath.decode(raw)["id"] for raw in paginator.take(Page(document, "$.items[*]", _key_of))
            ]


def items(ids, **envelope):
    return {"items": [{"id": number} for number in ids], **envelope}


def offset(size=10, **options):
    return Offset(size=size, total="$.total", **options)


def by_offset(rows, *, cap=10**6, total=None):
    def answer(query):
        start = query["offset"]
        page = rows[start : start + min(query["limit"], cap)]
        return items(page) if total is None else items(page, total=total)

    return answer


# A total that lies low and a page cap below what is asked, both at once, can't be told from the truth.
CAPS_AND_LIES = [
    (cap, lie) for cap in (1, 3, 7, 10, 99) for lie in (None, 0, -5, 5) if lie != -5 or cap >= 10
]


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 11, 19, 20, 28, 100])
@pytest.mark.parametrize(("cap", "lie"), CAPS_AND_LIES)
def test_offset_lists_and_totals_that_lie(reliability, count, cap, lie):
    rows = list(range(count))
    total = None if lie is None else max(0, count + lie)
    source = List(by_offset(rows, cap=cap, total=total))
    assert source.read(offset()) == rows
    stride = max(min(10, cap) - 1, 1)
    assert source.requests <= max(1, -(-count // stride)) + EXTRA


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 11, 50])
def test_offset_ignored_all_sent(reliability, count):
    """The finding belongs to a list: only after some alike, a short page is not doubted any more."""
    evidence = Evidence()
    for number in range(7):
        source = List(lambda _: items(range(count)))
        paginator = offset()
        paginator.evidence = evidence
        assert source.read(paginator) == list(range(count))
        assert source.requests <= 1 + (0 if number >= ALIKE and 2 < count < 10 else EXTRA)
    reliability("Ends and loops", f"offset ignored, {count} rows sent", "all rows, at most 2 requests extra")


def test_offset_ignored_and_just_a_page_sent(reliability):
    """Whether that is all can't be known: it may as well be the server's own page size."""
    source = List(lambda _: items(range(10)))
    rows, failure = source.read_until_failure(offset())
    assert rows == list(range(10))
    assert "just as many rows as a page has" in str(failure)
    assert source.requests <= 1 + EXTRA
    reliability(
        "Ends and loops", "offset ignored, just a page of rows sent", "all rows, then a named failure"
    )


def test_offset_ignored_but_not_the_size(reliability):
    source = List(lambda query: items(range(100)[: query["limit"]]))
    with pytest.raises(ApiError, match="ignores `offset` but not `limit`"):
        source.read(offset())
    assert source.requests <= 1 + EXTRA
    reliability("Ends and loops", "offset ignored, one page of more sent", "named failure after 3 requests")


def test_H07_last_page_sent_for_every_offset_past_it(reliability):
    rows = list(range(30))
    source = List(lambda query: items(rows[min(query["offset"], 20) :][: query["limit"]]))
    with pytest.raises(ApiError, match="same pages again and again"):
        source.read(offset())
    source = List(lambda query: items(rows[min(query["offset"], 20) :][: query["limit"]], total=30))
    assert source.read(offset()) == rows


def test_shrinking_pages():
    rows = list(range(100))
    sizes = iter([10, 8, 6, 5, *[4] * 100])
    source = List(lambda query: items(rows[query["offset"] :][: next(sizes)], total=100))
    assert source.read(offset()) == rows
    sizes = iter([10, 8, 6, 5, *[4] * 100])
    source = List(lambda query: items(rows[query["offset"] :][: next(sizes)]))
    assert source.read(offset()) == rows


@pytest.mark.parametrize("kind", [Offset, PageNumber])
@pytest.mark.parametrize("cap", [5, 10, 100])
def test_rows_that_are_never_sent_alike_twice(kind, cap):
    """As with signed addresses that expire: change then says nothing of a row's place."""
    nonce = count()
    evidence = Evidence()

    def answer(query, link=lambda: next(nonce)):
        start, size = query.values()
        size = min(size, cap)
        start = start if kind is Offset else (start - 1) * size
        return {"items": [{"id": row, "link": link()} for row in range(350)[start : start + size]]}

    still = List(lambda query: answer(query, link=lambda: 0))
    assert still.read(kind(size=100)) == list(range(350))
    for extra in (EXTRA if cap >= 10 else 2 * EXTRA, 0):
        paginator = kind(size=100)
        paginator.evidence = evidence
        source = List(answer)
        assert source.read(paginator) == list(range(350))
        assert source.requests <= still.requests + extra


@pytest.mark.parametrize("place", [3, 9, 12])
def test_pages_that_are_decoded_otherwise(place):
    """As those with half a surrogate pair in them: the rows are the same ones all the same."""
    names = ["\ud83d" if row == place else "x" for row in range(60)]
    rows = [{"id": row, "name": names[row], "amount": 1.50} for row in range(60)]
    source = List(lambda query: {"items": rows[query["offset"] :][: query["limit"]]})
    assert source.read(offset()) == list(range(60))
    assert source.requests <= 7 + 1 + EXTRA


@pytest.mark.parametrize("kind", [Offset, PageNumber])
def test_rows_that_follow_on_nothing(kind):
    new = count(1000)

    def answer(query):
        start, size = query.values()
        begins = start <= (0 if kind is Offset else 1)
        return items(range(size) if begins else [next(new) for _ in range(size)])

    source = List(answer)
    with pytest.raises(ApiError, match="don't follow on those before them"):
        source.read(kind(size=10))
    assert source.requests <= 8


def by_cursor(pages):
    def answer(query):
        return pages[query.get("next")]

    return answer


def cursor():
    return Cursor(param="next", path="$.paging.next")


def test_H07_cursors_and_their_ends(reliability):
    pages = {
        None: items([1, 2], paging={"next": 7}),
        7: items([], paging={"next": "b"}),
        "b": items([3], paging={"next": None}),
    }
    assert List(by_cursor(pages)).read(cursor()) == [1, 2, 3]
    for end in ({"paging": {}}, {"paging": {"next": ""}}, {}):
        assert List(by_cursor({None: items([1], **end)})).read(cursor()) == [1]


@pytest.mark.parametrize("empty", [{}, {"paging": None}])
def test_A03_an_empty_answer_without_what_stood_beside_the_others_is_no_end(empty):
    for last in (7, "b"):
        pages = {
            None: items([1], paging={"next": 7}),
            7: items([2], paging={"next": "b"}),
            last: items([], **empty),
        }
        with pytest.raises(ApiError, match="nothing at a cursor that it gave"):
            List(by_cursor(pages)).read(cursor())


@pytest.mark.parametrize("cycle", [["a", "a"], ["a", "b", "a"], [1, "2", 1]])
def test_B06_cursors_in_a_circle(reliability, cycle):
    answers = iter(items([n], paging={"next": token}) for n, token in enumerate(cycle))
    source = List(lambda _: next(answers))
    with pytest.raises(ApiError, match="cursors go round in a circle"):
        source.read(cursor())
    assert source.requests <= len(cycle)
    reliability("Ends and loops", f"cursors {' → '.join(map(str, cycle))}", "named failure at the repeat")


@pytest.mark.parametrize("shuffled", [False, True])
def test_B06_the_same_rows_under_ever_new_cursors_are_noticed(shuffled):
    new, dice = count(), Random(1)

    def answer(_):
        rows = list(range(50))
        if shuffled:
            dice.shuffle(rows)
        return items(rows, paging={"next": f"c{next(new)}"})

    source = List(answer)
    with pytest.raises(ApiError, match="same rows again and again"):
        source.read(cursor())
    assert source.requests <= 10


class Pages(Paginator):
    """As an author of a tap writes one, with nothing against loops in it."""

    def walk(self):
        query = {"page": 1}
        while query:
            page = yield query
            query = {"page": page.find("$.next_page")}


@pytest.mark.parametrize("cycle", [1, 2, 5])
def test_B08_a_paginator_of_ones_own_that_goes_round_is_stopped(cycle):
    def answer(query):
        number = query["page"]
        start = 10 * ((number - 1) % cycle)
        return items(range(start, start + 10), next_page=number + 1)

    source = List(answer)
    with pytest.raises(ApiError, match="same rows again and again"):
        source.read(Pages())
    assert source.requests <= 10 * (cycle + 1)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 35])
@pytest.mark.parametrize("cap", [3, 10, 99])
def test_numbered_pages(count, cap):
    rows = list(range(count))
    size = min(10, cap)
    source = List(lambda query: items(rows[(query["page"] - 1) * size :][:size]))
    assert source.read(PageNumber(size=10)) == rows
    assert source.requests <= max(1, -(-count // size)) + EXTRA


@pytest.mark.parametrize("count", [1, 9, 11, 50])
def test_page_number_ignored(count):
    source = List(lambda _: items(range(count)))
    assert source.read(PageNumber(size=10)) == list(range(count))
    assert source.requests <= 1 + EXTRA


def test_page_number_ignored_but_not_the_size():
    source = List(lambda query: items(range(100)[: query["per_page"]]))
    with pytest.raises(ApiError, match="ignores `page` but not `per_page`"):
        source.read(PageNumber(size=10))


def test_short_pages_end_a_list_only_on_evidence():
    for careful in (False, True):
        evidence = Evidence()
        for length in (4, 3, 2, 10, 6, 5):
            source = List(by_offset(list(range(length))))
            paginator = offset()
            paginator.evidence, paginator.careful = evidence, careful
            source.read(paginator)
            # A list of 2 is much shorter than a page that came before; one of 3 may be a page of 4 that lacks
            # a row. Where a bookmark depends on the end, no list is believed without a further request.
            assert (source.requests == 1) == (length in {2, 5} and not careful)


def test_single_page():
    assert List(lambda _: items([1, 2])).read(SinglePage()) == [1, 2]
