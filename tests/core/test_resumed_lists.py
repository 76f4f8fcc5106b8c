"""Lists that are gone on with in their middle: from which pages, and what is asked for then."""

from __future__ import annotations

from itertools import count

import pytest

from page_reads import FAR, Read, by_number, by_offset, items, offset, page_of
from tap_core.errors import ApiError
from tap_core.paging.offset import Offset
from tap_core.paging.pagenumber import PageNumber
from tap_core.records import jsonpath


def resumed(paginator, query, rows):
    page = page_of(items(rows))
    paginator.resume(query, page, page.keys[:-1])
    return paginator


@pytest.mark.parametrize(
    ("query", "length", "then"),
    [
        ({"page": 2, "per_page": 10}, 10, {"page": 3, "per_page": 9}),
        ({"page": 2, "per_page": 10}, 11, None),
        ({"page": 2, "per_page": 10}, 9, None),
        ({"page": 1, "per_page": 10}, 9, {"page": 2, "per_page": 8}),
        ({"page": 2, "per_page": 9}, 8, {"page": 3, "per_page": 8}),
        ({"page": 2, "per_page": 9}, 10, None),
    ],
)
def test_a_numbered_page_is_gone_on_from_if_it_has_the_size_that_was_asked_for(query, length, then):
    start, _ = PageNumber(size=10).stretch(query)
    rows = range(start, start + length)
    if then is None:
        with pytest.raises(ApiError, match="another size than was asked for"):
            resumed(PageNumber(size=10), query, rows)
        return
    paginator = resumed(PageNumber(size=10), query, rows)
    assert paginator.current_value == query
    paginator.take(page_of(items(rows)))
    assert paginator.current_value == then


@pytest.mark.parametrize("length", [3, 9, 10, 12])
def test_a_page_by_offset_is_gone_on_from_whatever_its_size(length):
    query = {"offset": 20, "limit": 10}
    assert resumed(Offset(size=10), query, range(20, 20 + length)).current_value == query


def test_rows_that_were_deleted_before_a_list_is_gone_on_with_are_stepped_back_for():
    paginator = Offset(size=10)
    paginator.resume({"offset": 20, "limit": 10}, page_of(items(range(20, 30))), [20, 21])
    paginator.take(page_of(items(range(23, 33))))  # three less before it
    assert paginator.current_value == {"offset": 19, "limit": 10}
    paginator.take(page_of(items(range(22, 32))))
    assert paginator.current_value == {"offset": 17, "limit": 10}


@pytest.mark.parametrize("careful", [False, True])
def test_a_list_that_is_gone_on_with_is_proved_to_end_by_a_whole_page(careful):
    read = Read(
        resumed(offset(careful=careful), {"offset": 10, "limit": 10}, range(10, 20)),
        by_offset(list(range(28))),
    )
    assert read.rows == list(range(19, 28))
    # What pages lacked before is forgotten.
    assert read.asked == [(10, 10), (19, 10), (27, 10), (28, 10), (37, 10)]


def test_a_cap_that_is_lowered_after_a_list_was_gone_on_with():
    paginator = resumed(PageNumber(size=10), {"page": 3, "per_page": 10}, range(20, 30))
    whole, capped = (by_number(list(range(45)), cap=cap) for cap in (10, 8))
    read = Read(paginator, lambda page, size: (whole if page == 3 else capped)(page, size))
    assert read.rows == list(range(29, 45))
    assert read.asked[:4] == [(3, 10), (4, 9), (4, 8), (6, 6)]


def test_behind_a_page_that_was_dealt_with_whole_pages_are_as_long_as_it_was():
    page = page_of(items(range(9)))
    paginator = PageNumber(size=10)
    paginator.resume({"page": 1, "per_page": 10}, page, page.keys)
    read = Read(paginator, by_number(list(range(25)), cap=9))
    assert read.rows == list(range(9, 25))
    assert read.asked[:6] == [(1, 10), (FAR // 3 + 1, 3), (2, 8), (3, 7), (3, 9), (4, 8)]
    assert read.looks == [(FAR // 3 + 1, 3), (5, 8), (4, 10)]


def test_pages_of_the_servers_own_size_that_lack_rows_behind_one_that_was_gone_on_from():
    shown = [number for number in range(37) if number % 7]

    def answer(page, _):
        return items(number for number in shown if 10 * (page - 1) <= number < 10 * page)

    paginator = PageNumber(size=10)
    page = page_of(answer(3, 9))
    paginator.resume({"page": 3, "per_page": 9}, page, page.keys[:4])
    assert Read(paginator, answer).rows == shown[shown.index(page.keys[4]) :]


@pytest.mark.parametrize("length", [2, 5, 10])
def test_the_page_to_go_on_from_that_comes_for_every_place(length):
    rows = list(range(100, 100 + length))
    paginator = resumed(offset(), {"offset": 20, "limit": 10}, rows)
    read = Read(paginator, lambda _, size: by_offset(rows)(0, size))
    assert read.rows == rows[-1:]
    assert "ignores `offset` but not `limit`" in read.failure


def test_rows_that_follow_on_nothing_behind_the_page_to_go_on_from():
    new = count(1000)

    def answer(start, size):
        return items(range(20, 30) if start == 20 else [next(new) for _ in range(size)])

    read = Read(resumed(offset(), {"offset": 20, "limit": 10}, range(20, 30)), answer)
    assert "don't follow on those before them" in read.failure
    assert read.asked == [(20, 10), *[(29, 10), (20, 10)] * 2, (29, 10)]


@pytest.mark.parametrize("kind", [Offset, PageNumber])
def test_a_list_whose_rows_never_come_alike_twice_is_gone_on_with(kind):
    """As where each answer signs its addresses anew."""
    stamp = count()

    def signed(ids):
        return {"items": [{"id": number, "url": next(stamp)} for number in ids]}

    paginator = kind(size=10)
    query = {"page": 3, "per_page": 10} if kind is PageNumber else {"offset": 20, "limit": 10}
    page = page_of(signed(range(20, 30)))
    paginator.resume(query, page, page.keys[:4])
    found = []
    for _ in range(100):
        found += [jsonpath.decode(record)["id"] for record in paginator.take(page)]
        if paginator.finished:
            break
        start, size = paginator.stretch(paginator.current_value)
        page = page_of(signed(range(min(start, 95), min(start + size, 95))))
    assert set(found) >= set(range(24, 95))
