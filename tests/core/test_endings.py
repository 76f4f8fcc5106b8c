"""What proves that a list has ended, request by request; and what does not."""

from __future__ import annotations

import pytest

from page_reads import Read, by_number, by_offset, items, offset, page_of
from tap_core.errors import ApiError
from tap_core.paging.evidence import Evidence
from tap_core.paging.pagenumber import PageNumber


def numbered(*, careful=False):
    paginator = PageNumber(size=10)
    paginator.careful = careful
    return paginator


def refused_behind(answer, status):
    """A list that refuses what lies behind its end, where others send an empty page."""

    def refusing(start, size):
        body = answer(start, size)
        if not body["items"]:
            raise ApiError("out of range", status=status)
        return body

    return refusing


@pytest.mark.parametrize("status", [400, 404, 416, 422])
@pytest.mark.parametrize("length", [1, 9, 10, 25, 30])
@pytest.mark.parametrize(("paginator", "answers"), [(offset, by_offset), (numbered, by_number)])
@pytest.mark.parametrize("careful", [False, True])
def test_a_place_that_is_refused_for_these_reasons_has_no_rows(paginator, answers, length, status, careful):
    rows = list(range(length))
    read = Read(paginator(careful=careful), refused_behind(answers(rows), status))
    assert (read.rows, read.failure) == (rows, "")


@pytest.mark.parametrize("status", [401, 403, 405, 409, 417, 418, 423])
@pytest.mark.parametrize(("paginator", "answers"), [(offset, by_offset), (numbered, by_number)])
def test_a_place_that_is_refused_for_another_reason_may_have_rows(paginator, answers, status):
    rows = list(range(30))
    assert Read(paginator(), refused_behind(answers(rows), status)).failure == "out of range"


@pytest.mark.parametrize(
    ("length", "behind"),
    [(5, []), (6, [(3, 5), (2, 10)]), (9, [(3, 8), (3, 8)]), (10, []), (11, [(12, 1)])],
)
def test_a_lone_numbered_page_of_more_than_half_its_rows_is_looked_behind(length, behind):
    """Less than that, and the page after it at half its size would have shown what follows."""
    rows = list(range(length))
    begun = [(1, 10), (2, min(length, 10) - 1)]
    last = [(2, min(length, 10))]
    careful = Read(numbered(careful=True), by_number(rows))
    assert (careful.rows, careful.asked, careful.failure) == (rows, begun + last + behind, "")
    others = Read(numbered(), by_number(rows))
    assert (others.rows, others.asked) == (rows, begun + (last if length <= 10 else []))


@pytest.mark.parametrize("length", [5, 6, 9, 10])
def test_a_lone_page_of_counted_rows_is_not_looked_behind_twice(length):
    rows = list(range(length))
    read = Read(offset(careful=True), by_offset(rows))
    assert (read.rows, read.asked) == (rows, [(0, 10), (length - 1, 10), (length, 10)])


@pytest.mark.parametrize(
    ("paginator", "answers", "length", "asked"),
    [
        (offset, by_offset, 25, [(18, 10), (24, 10), (25, 10)]),
        (offset, by_offset, 28, [(18, 10), (27, 10), (28, 10)]),
        (numbered, by_number, 25, [(3, 8), (3, 10), (4, 8), (6, 5)]),
        (numbered, by_number, 30, [(3, 8), (3, 10), (4, 9), (4, 10)]),
    ],
)
def test_the_top_of_the_list_once_more_is_its_end(paginator, answers, length, asked):
    """Some servers show the first page in the place of one that is not there."""
    rows = list(range(length))
    first = 1 if paginator is numbered else 0

    def answer(start, size):
        body = answers(rows)(start, size)
        return body if body["items"] else answers(rows)(first, size)

    read = Read(paginator(careful=True), answer)
    assert (read.rows, read.asked[2:], read.failure) == (rows, asked, "")


class Growing:
    """A list to which a row is added with each request, but for some of them.

    Args:
        still: The requests, counted from 1, with which none is.
        refuses: Whether a place without rows is refused.
    """

    def __init__(self, still=(), *, refuses=False):
        self.length, self.requests, self.still, self.refuses = 15, 0, still, refuses

    def __call__(self, start, size):
        self.requests += 1
        found = range(start, min(start + size, self.length))
        self.length += self.requests not in self.still
        if self.refuses and not found:
            raise ApiError("out of range", status=404)
        return items(found)


def test_a_list_that_only_grows_is_left_to_the_next_run():
    """A hundred pages of a row or two, and four answers of which each has more rows, tell it."""
    read = Read(offset(), Growing())
    assert read.rows == list(range(117))
    assert read.asked[-5:] == [(115, 10), *[(117, 10)] * 4]
    assert (len(read.asked), read.proofs, read.failure) == (107, 4, "")


def test_a_list_that_was_still_for_a_moment_grows_too():
    """Where nothing was added yet, the first of the four answers is a refusal."""
    read = Read(offset(), Growing({103}, refuses=True))
    assert read.rows == list(range(117))
    assert (len(read.asked), read.asked[-4:], read.failure) == (107, [(117, 10)] * 4, "")


def test_a_list_that_comes_in_pages_of_a_row_or_two_is_read_to_its_end():
    """As many pages as of a list that grows, and behind them just the rows that there are."""
    rows = list(range(130))
    read = Read(offset(), lambda start, size: items(rows[start : start + (10 if start < 9 else 2)]))
    assert (read.rows, read.failure) == (rows, "")


def test_what_is_asked_for_behind_an_end_is_no_part_of_what_was_read():
    """Half of the first page is hidden, and the two rows asked for next: what is tried there is no place."""
    shown = [number for number in range(45) if not 5 <= number < 12]
    read = Read(offset(), lambda start, size: items([row for row in shown if start <= row < start + size]))
    assert (sorted(read.rows), read.failure) == (shown, "")
    assert read.asked[:6] == [(0, 10), (4, 4), (5, 10), (5, 2), (8, 10), (8, 10)]


def test_a_page_after_rows_of_one_moment_has_room_for_them_and_one_more():
    times = [1, 2, 3, 3, 3]

    def answer(start, size):
        return {"items": [{"id": at, "at": times[at]} for at in range(5)[start : start + size]]}

    assert Read(offset(order="at"), answer).asked == [(0, 10), (1, 5), (5, 10)]


def test_the_length_of_a_short_page_is_believed_once_until_nothing_was_behind_one():
    evidence = Evidence(longest=100, heaviest=10_000)
    page = page_of(items(range(15)))
    assert evidence.ends_short(page, 100)
    assert not evidence.is_unproved(15)
    evidence.believed.add(15)
    assert evidence.is_unproved(15)
    assert not evidence.ends_short(page, 100)
    assert evidence.ends_short(page_of(items(range(14))), 100)
    evidence.short_ends.add(15)
    assert not evidence.is_unproved(15)
    assert evidence.ends_short(page, 100)


def test_a_list_that_ends_with_a_short_page_is_believed_to_and_its_length_noted():
    evidence = Evidence(longest=100, heaviest=10_000)
    for length in (4, 15):
        paginator = offset(evidence=evidence)
        paginator.size = 100
        assert Read(paginator, by_offset(list(range(length)))).asked == [(0, 100)]
    assert evidence.believed == {4, 15}


def test_a_total_behind_which_more_came_is_never_believed_again():
    evidence = Evidence()
    Read(offset(evidence=evidence), by_offset(list(range(25)), total=10))
    for _ in range(8):
        read = Read(offset(evidence=evidence), by_offset(list(range(10)), total=10))
        assert read.asked == [(0, 10), (9, 9)]


@pytest.mark.parametrize(("shown", "behind"), [(10, [(35, 10), (45, 10)]), (1, [(26, 10)])])
def test_the_last_rows_once_more_in_two_places_are_the_end(shown, behind):
    """Some servers show the end of the list in the place of what is not there."""
    rows = list(range(25))
    read = Read(offset(), lambda start, size: items(rows[start : start + size] or rows[-shown:]))
    assert (read.rows, read.failure) == (rows, "")
    assert read.asked == [(0, 10), (9, 10), (18, 10), (24, 10), (25, 10), *behind]


FAR_NUMBER = (2**31, 1)


@pytest.mark.parametrize(
    ("hidden", "asked"),
    [
        (
            {3, 30},
            [
                (2, 8),
                (2, 6),
                (3, 7),
                (3, 9),
                (4, 8),
                (4, 9),
                (5, 8),
                FAR_NUMBER,
                (5, 8),
                (6, 7),
                (6, 8),
                (5, 10),
            ],
        ),
        (
            {8, 9, 18, 19},
            [
                (2, 7),
                (2, 8),
                (3, 6),
                (4, 4),
                (3, 8),
                (4, 7),
                (6, 4),
                (4, 8),
                (6, 6),
                (5, 8),
                (6, 7),
                (6, 8),
                (5, 10),
            ],
        ),
    ],
)
def test_numbered_pages_that_lack_rows_are_looked_behind(hidden, asked):
    shown = [row for row in range(35) if row not in hidden]

    def answer(page, size):
        return items([row for row in shown if (page - 1) * size <= row < page * size])

    read = Read(numbered(careful=True), answer)
    assert (read.rows, read.asked, read.failure) == (shown, [(1, 10), *asked], "")
