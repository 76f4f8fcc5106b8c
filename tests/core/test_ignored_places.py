"""Servers that pay no heed to places, or have nothing at them: how soon that is found, and what is said."""

from __future__ import annotations

from functools import partial
from itertools import count

import pytest

from page_reads import FAR, Read, by_number, by_offset, items, offset
from tap_core.paging.pagenumber import PageNumber


@pytest.mark.parametrize(
    ("count", "size", "failure", "asked", "proofs"),
    [
        (13, None, "", [(0, 10), (12, 10)], 1),
        (5, None, "", [(0, 10), (4, 4)], 1),
        (10, None, "just as many rows as a page has", [(0, 10), (9, 10), (FAR, 5)], 2),
        (5, "heeded", "", [(0, 10), (4, 4), (FAR, 2)], 2),
        (99, "heeded", "ignores `offset` but not `limit`", [(0, 10), (9, 10), (FAR, 5)], 2),
    ],
)
def test_a_place_that_is_ignored_costs_a_look_behind_the_end(count, size, failure, asked, proofs):
    read = Read(offset(), lambda _, limit: items(range(min(count, limit) if size else count)))
    assert read.rows == list(range(len(read.rows)))
    assert failure in read.failure
    assert bool(failure) == bool(read.failure)
    assert (read.asked, read.looks) == (asked, [query for query in asked if query[0] == FAR])
    assert read.proofs == proofs


@pytest.mark.parametrize(
    ("count", "size", "failure", "asked"),
    [
        (1, None, "", [(1, 10), (2, 1), (FAR + 1, 1)]),
        (5, None, "", [(1, 10), (2, 4)]),
        (13, None, "", [(1, 10), (2, 10), (FAR // 13 + 1, 5)]),
        (10, None, "just as many rows as a page has", [(1, 10), (2, 9)]),
        (99, "heeded", "ignores `page` but not `per_page`", [(1, 10), (2, 9), (FAR // 3 + 1, 3)]),
    ],
)
def test_a_number_that_is_ignored_costs_no_more(count, size, failure, asked):
    read = Read(
        PageNumber(size=10), lambda _, per_page: items(range(min(count, per_page) if size else count))
    )
    assert read.rows == list(range(len(read.rows)))
    assert failure in read.failure
    assert bool(failure) == bool(read.failure)
    assert (read.asked, read.ahead[-1]) == (asked, [])


@pytest.mark.parametrize(
    ("length", "envelope", "bounded", "failure"),
    [
        (13, {"total": 13}, False, ""),
        (13, {"total": 20}, False, "ignores `offset`: only 13 records of 20"),
        (13, {"total": 20}, True, ""),
        (10, {"total": 10}, False, ""),
        (10, {}, False, "just as many rows as a page has"),
        (13, {"has_more": True}, False, "there is more, and does not send it"),
    ],
)
def test_of_a_list_that_comes_whole_the_answer_must_not_say_that_there_is_more(
    length, envelope, bounded, failure
):
    read = Read(offset(bounded=bounded), lambda *_: items(range(length), **envelope))
    assert read.rows == list(range(length))
    assert failure in read.failure
    assert bool(failure) == bool(read.failure)


@pytest.mark.parametrize(("own", "length"), [(7, 28), (10, 30), (15, 30)])
def test_a_number_behind_the_end_that_brings_the_first_page_again(own, length):
    rows = list(range(length))

    def answer(page, size):
        return by_number(rows, own=own)(page if (page - 1) * own < length else 1, size)

    read = Read(PageNumber(size=10), answer)
    assert read.rows == rows
    assert "ignores `page` but not `per_page`" in read.failure


def test_a_number_that_is_ignored_where_rows_never_come_alike():
    version = count()

    def answer(*_):
        return {"items": [{"id": row, "version": next(version)} for row in range(7)]}

    read = Read(PageNumber(size=10), answer)
    assert (read.rows, read.failure) == (list(range(7)), "")
    assert read.asked == [(1, 10), (2, 6), (1, 6), (2, 7), (FAR // 7 + 1, 3)]


@pytest.mark.parametrize("total", [None, 30])
def test_where_the_last_page_is_sent_for_places_behind_it_the_total_tells(total):
    rows = list(range(30))
    envelope = {"total": total} if total else {}
    read = Read(offset(), lambda start, size: by_offset(rows, **envelope)(min(start, 20), size))
    assert read.rows == rows
    again = (23, 10)  # may a row have passed, as others come again?
    assert read.asked == [(0, 10), (9, 10), (18, 10), (27, 10), again, (36, 10), (FAR, 5)]
    assert read.ahead[-1] == []
    assert bool(read.failure) is not bool(total)


@pytest.mark.parametrize(("is_empty", "size", "requests"), [("page > 1", 10, 14), ("size % 10", 20, 11)])
def test_nothing_where_rows_stand_is_asked_for_a_few_times_and_no_more(is_empty, size, requests):
    def answer(page, size):
        nothing = page > 1 if is_empty == "page > 1" else size % 10
        return items([] if nothing else range(60)[(page - 1) * size :][:size])

    read = Read(PageNumber(size=size), answer)
    assert read.rows == list(range(size))
    assert "nothing from a place on where rows stand" in read.failure
    assert len(read.asked) == requests


def test_rows_that_follow_on_nothing_are_asked_for_three_times():
    new = count(1000)
    read = Read(offset(), lambda start, size: items([next(new) if start else row for row in range(size)]))
    assert "don't follow on those before them" in read.failure
    assert read.asked == [(0, 10), *[(9, 10), (0, 10)] * 2, (9, 10)]


def test_rows_that_follow_on_nothing_twice_are_forgiven_on_each_page():
    strange, new = [9, 9, 18, 18, 27, 27, 36, 36], count(1000)

    def answer(start, size):
        if start in strange:
            strange.remove(start)
            return items(next(new) for _ in range(size))
        return by_offset(list(range(60)))(start, size)

    read = Read(offset(), answer)
    assert (read.rows, read.failure) == (list(range(60)), "")


@pytest.mark.parametrize(("envelope", "failure"), [({}, ""), ({"has_more": True}, "does not send it")])
def test_a_number_behind_the_end_that_brings_the_last_page_again(envelope, failure):
    def answer(page, size):
        return by_number(list(range(30)), own=10, **envelope)(min(page, 3), size)

    read = Read(PageNumber(size=10), answer)
    assert read.rows == list(range(30))
    assert failure in read.failure
    assert bool(failure) == bool(read.failure)


@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("length", [0, 9, 19, 25])
@pytest.mark.parametrize("answers", [by_offset, by_number, partial(by_number, own=8)])
def test_an_answer_that_says_there_is_more_where_there_is_none(answers, length, bounded):
    paginator = offset() if answers is by_offset else PageNumber(size=10)
    paginator.bounded = bounded
    read = Read(paginator, answers(list(range(length)), has_more=True))
    assert read.rows == list(range(length))
    assert ("there is more, and does not send it" in read.failure) is not bounded
