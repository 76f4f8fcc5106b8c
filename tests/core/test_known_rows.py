"""What is remembered of the last pages: which rows are new, and which are as they were, in their order."""

from __future__ import annotations

import json

import pytest

from tap_core.paging.page import Page
from tap_core.paging.window import Window
from tap_core.records import jsonpath
from tap_core.records.keys import key_reader


def page_of(ids, **fields):
    rows = [{"id": number, **fields} for number in ids]
    return Page(jsonpath.parse(json.dumps({"items": rows}).encode()), "$.items[*]", key_reader(["id"]))


def after(*pages):
    """What is known once these pages were read."""
    window = Window()
    for page in pages:
        window.narrow(page)
    return window


def new_in(window, page):
    window.narrow(page)
    assert page.fresh_keys == ids(page.fresh)
    return ids(page.fresh)


def ids(records):
    return [jsonpath.decode(record)["id"] for record in records]


def test_rows_are_new_once():
    window = Window()
    assert new_in(window, page_of([1, 2, 3])) == [1, 2, 3]
    assert new_in(window, page_of([3, 4])) == [4]
    assert new_in(window, page_of([4, 1, 5])) == [5]
    assert new_in(window, page_of([2, 5])) == []


@pytest.mark.parametrize(
    ("ids", "scattered"),
    [([3, 4, 5], 0), ([5, 3, 6, 4], 2), ([1, 5, 6, 2], 1), ([5, 6], 0), ([4, 5, 7, 3], 1)],
)
def test_known_rows_behind_a_new_one_are_counted(ids, scattered):
    assert after(page_of([1, 2, 3, 4])).narrow(page_of(ids)) == scattered
    changed = page_of(ids, name="changed")
    assert after(page_of([1, 2, 3, 4])).narrow(changed) == 0


def test_rows_of_eight_pages_are_known():
    window = after(*(page_of([number]) for number in range(8)))
    assert window.knows(0)
    window.narrow(page_of([8]))
    assert [window.knows(key) for key in (0, 1, 8)] == [False, True, True]


def test_a_row_that_came_again_is_known_as_long_as_its_last_page():
    window = after(page_of([0, 1]), page_of([1, 2]), *(page_of([number]) for number in range(3, 9)))
    window.narrow(page_of([9]))
    assert [window.knows(key) for key in (0, 1, 2)] == [False, True, True]
    window.narrow(page_of([10]))
    assert [window.knows(key) for key in (1, 2, 3)] == [False, False, True]


def test_a_page_joins_with_a_row_that_is_as_it_was():
    window = after(page_of([1, 2], name="a"))
    assert window.joins(page_of([2, 3], name="a"))
    assert not window.joins(page_of([2, 3], name="b"))
    assert not window.joins(page_of([3, 4], name="a"))
    window.narrow(page_of([2, 3], name="b"))
    assert window.joins(page_of([2], name="b"))  # as it was when it was read last
    assert not window.joins(page_of([2], name="a"))


def test_a_row_that_came_decoded_counts_as_unchanged():
    decoded, changed = page_of([1, 2], name="a"), page_of([2, 3], name="b")
    decoded.records = [jsonpath.decode(record) for record in decoded.records]
    assert after(decoded).joins(changed)
    assert after(page_of([2], name="b")).joins(decoded)


@pytest.mark.parametrize(
    ("ids", "joins"),
    [
        ([9, 10, 11, 12, 13, 14], True),  # as always
        ([10, 9, 11, 12, 13, 14], True),  # tied with a new one
        ([6, 7, 8, 9, 10, 11], True),  # others were inserted before
        ([6, 8, 9, 10, 11, 12], True),  # and one was deleted
        ([0, 1, 2, 3, 4, 5], True),  # as many as a page
        ([11, 12, 13, 5, 14, 15], False),  # one was moved on
        ([11, 12, 3, 13, 5, 14], False),  # two were
        ([3, 11, 12, 13, 14, 15], False),
    ],
)
def test_a_row_that_was_moved_on_as_it_is_does_not_join_a_page(ids, joins):
    assert after(page_of(range(5)), page_of(range(5, 10))).joins(page_of(ids)) is joins


def test_a_page_without_rows_joins_none():
    assert not after(page_of(range(5))).joins(page_of([]))
    assert not Window().joins(page_of([1]))


def test_how_near_a_row_is_to_its_place_is_told_by_long_pages():
    """The last page of a list can be a short one, with tied rows of the page before it."""
    assert after(page_of(range(30))).joins(page_of([31, 25, 32]))
    assert not after(page_of(range(30))).joins(page_of([31, 15, 32]))


def test_of_rows_that_come_twice_in_a_page_the_last_place_counts():
    window = after(page_of([5, 1, 2, 3, 4, 5]))
    assert window.joins(page_of([5, 6, 7, 8, 9, 10]))
    assert not window.joins(page_of([6, 7, 8, 9, 1, 10]))


def test_of_a_huge_page_only_the_last_thousand_rows_can_be_told_from_changed_ones():
    window = after(page_of(range(1001), name="a"))
    assert window.joins(page_of([0], name="b"))
    assert not window.joins(page_of([1], name="b"))
    assert not window.joins(page_of([1000], name="b"))


def test_of_a_page_that_was_dealt_with_in_part_the_first_rows_are_known():
    page = page_of([1, 2, 3], name="a")
    window = Window()
    window.add([1, 2], page.records, [1, 2])
    assert [window.knows(key) for key in (1, 2, 3)] == [True, True, False]
    assert window.joins(page_of([2, 3], name="a"))
    assert not window.joins(page_of([2, 3], name="b"))


@pytest.mark.parametrize(
    ("rows", "place", "asked", "again"),
    [
        ([0, 1], 0, 2, True),
        ([2, 3, 4], 2, 3, True),
        ([2, 3, 4], 1, 3, False),
        ([2, 3, 4], 2, 4, False),
        ([2, 4, 3], 2, 3, False),
        ([5, 6], 5, 2, True),
        ([5, 6, 7], 5, 3, False),
    ],
)
def test_whether_a_page_comes_just_as_it_was_read(rows, place, asked, again):
    window = after(page_of([0, 1, 2, 3]), page_of([3, 4, 5, 6]))
    assert window.comes_again(page_of(rows), place, asked) is again


@pytest.mark.parametrize(
    ("rows", "place", "other", "stands"),
    [
        ([0, 1], 0, 5, True),
        ([2, 3, 4], 2, 5, True),
        ([3, 4], 2, 6, True),  # one was deleted before it
        ([9, 2, 3], 2, 5, True),  # a new one is first
        ([5, 6, 7], 2, 6, False),
        ([3, 4], 2, 4, False),
        ([7, 8], 5, 7, False),
    ],
)
def test_whether_a_page_stands_nearer_to_one_place_than_to_another(rows, place, other, stands):
    window = after(page_of([0, 1, 2, 3]), page_of([3, 4, 5, 6]))
    assert window.stands_at(page_of(rows), place, other) is stands


def test_places_are_counted_on_when_the_first_rows_are_forgotten():
    window = after(*(page_of([number, number + 1]) for number in range(10)))  # rows 0 to 2 are not known
    assert [window.comes_again(page_of([place]), place, 1) for place in (2, 3, 9, 10)] == [
        False,
        True,
        True,
        True,
    ]
    assert [window.stands_at(page_of([at]), at, at + 9) for at in (2, 3, 10)] == [False, True, True]
    assert not window.comes_again(page_of([10]), 2, 1)  # nor are places counted from the end
    assert not window.stands_at(page_of([10]), 2, 10)


def written_anew(ids):
    """Rows whose members stand in the other order."""
    rows = [{"name": "n", "id": number} for number in ids]
    return Page(jsonpath.parse(json.dumps({"items": rows}).encode()), "$.items[*]", key_reader(["id"]))


def test_what_rows_say_is_compared_once_they_were_seen_to_be_written_in_several_ways():
    window = after(page_of([1, 2, 3], name="n"))
    assert not window.joins(written_anew([3]))
    window.compare_content(page_of([1, 2, 3], name="n"))
    assert window.joins(written_anew([3]))
    assert not window.joins(page_of([3], name="another"))


def test_what_a_row_said_is_known_only_where_its_bytes_are_as_they_were():
    window = after(page_of([1, 2], name="n"))
    window.compare_content(page_of([1, 2], name="changed"))
    assert not window.joins(page_of([1, 2], name="changed"))
    window.compare_content(page_of([1, 2], name="n"))  # it is done once
    assert not window.joins(written_anew([1, 2]))
