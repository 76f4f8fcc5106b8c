"""Rows that do not say themselves which one they are, and are told apart by their place in the list."""

from __future__ import annotations

import pytest

from page_reads import FAR, Read, by_offset, items
from tap_core.errors import ApiError
from tap_core.paging.places import ByOffset
from tap_core.paging.walk import Walk

ALIKE = [1] * 35


def by_place(page, place):
    page.keys = [(key, place + at) for at, key in enumerate(page.keys)]


def marked():
    return Walk(ByOffset(), size=10, mark=by_place)


def test_a_page_like_the_first_one_is_read_once_a_look_has_shown_that_places_are_heeded():
    read = Read(marked(), by_offset(ALIKE))
    assert read.rows == ALIKE
    assert read.asked == [(0, 10), (9, 10), (FAR, 1), (9, 10), (18, 10), (27, 10), (34, 10), (35, 10)]
    assert (read.looks, read.failure) == ([(FAR, 1), (35, 10)], "")
    assert read.ahead[:4] == [[(9, 10)], [], [], [(18, 10)]]


def test_where_no_page_is_like_one_before_nothing_is_looked_for():
    read = Read(marked(), by_offset([*range(20), *range(5, 35)]))
    assert read.rows == [*range(20), *range(5, 35)]
    assert read.looks == [(50, 10)]  # which proves the end


def test_a_page_like_the_last_rows_is_looked_at_as_the_first_one_is():
    read = Read(marked(), by_offset([*range(20), *ALIKE]))
    assert read.rows == [*range(20), *ALIKE]
    assert read.looks == [(FAR, 1), (55, 10)]


def test_a_look_that_fails_shows_that_places_are_heeded():
    def answer(start, size):
        if start == FAR:
            msg = "no such place"
            raise ApiError(msg)
        return items(ALIKE[start : start + size])

    read = Read(marked(), answer)
    assert (read.rows, read.failure) == (ALIKE, "")


@pytest.mark.parametrize(
    ("count", "failure"), [(7, ""), (13, ""), (10, "just as many rows as a page has"), (1, "")]
)
@pytest.mark.parametrize("alike", [True, False])
def test_rows_that_come_whatever_is_asked_for_are_read_once(count, failure, alike):
    rows = ALIKE[:count] if alike else list(range(count))
    read = Read(marked(), lambda *_: items(rows))
    assert read.rows == rows
    assert failure in read.failure
    assert bool(failure) == bool(read.failure)


@pytest.mark.parametrize("rows", [ALIKE, range(35)])
def test_a_place_that_is_ignored_where_the_size_is_not(rows):
    read = Read(marked(), lambda _, size: items(rows[:size]))
    assert read.rows == list(rows[:10])
    assert "ignores `offset` but not `limit`" in read.failure
    assert read.looks == [(FAR, 1), (FAR, 5)]
