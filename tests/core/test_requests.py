"""What a list costs: which requests are sent, which may be sent ahead, and which only prove its end.

A short page that begins with the last row, and has no more, is no proof: the place behind it is asked for.
"""

from __future__ import annotations

from itertools import count, cycle
from random import Random

import pytest

from page_reads import FAR, Read, by_number, by_offset, changing, items, offset, page_of
from tap_core.paging.evidence import Evidence
from tap_core.paging.pagenumber import PageNumber


@pytest.mark.parametrize(
    ("length", "options", "envelope", "asked", "proofs"),
    [
        (25, {}, {}, [(0, 10), (9, 10), (18, 10), (24, 10), (25, 10)], 2),
        (25, {"careful": True}, {}, [(0, 10), (9, 10), (18, 10), (24, 10), (25, 10)], 2),
        (28, {}, {}, [(0, 10), (9, 10), (18, 10), (27, 10), (28, 10)], 2),
        (25, {}, {"total": 25}, [(0, 10), (9, 10), (18, 10)], 0),
        (28, {}, {"total": 28}, [(0, 10), (9, 10), (18, 10), (27, 10)], 1),
        (25, {"bounded": True}, {"total": 999}, [(0, 10), (9, 10), (18, 10), (24, 10), (25, 10)], 2),
        (12, {}, {"cap": 5}, [(0, 10), (4, 4), (7, 10), (11, 10), (12, 10)], 2),
        (12, {}, {"cap": 5, "total": 12}, [(0, 10), (4, 10), (8, 10)], 0),
        (5, {}, {"total": 5}, [(0, 10)], 0),
        (10, {}, {"total": 10}, [(0, 10), (9, 9)], 1),
        (1, {}, {}, [(0, 10), (1, 2)], 1),
        (0, {}, {}, [(0, 10)], 0),
    ],
)
def test_pages_by_offset_overlap_by_a_row(length, options, envelope, asked, proofs):
    rows = list(range(length))
    read = Read(offset(**options), by_offset(rows, **envelope))
    assert (read.rows, read.asked, read.proofs, read.failure) == (rows, asked, proofs, "")


@pytest.mark.parametrize(
    ("length", "server", "asked", "proofs"),
    [
        (25, {}, [(1, 10), (2, 9), (3, 8), (3, 10)], 0),
        (30, {}, [(1, 10), (2, 9), (3, 8), (3, 10), (4, 9), (4, 10)], 2),
        (25, {"own": 7}, [(1, 10), (2, 6), (2, 7), (3, 7), (4, 7), (5, 7)], 1),
        (40, {"own": 15}, [(1, 10), (2, 10), (3, 10), (4, 10)], 1),
        (40, {"own": 10}, [(1, 10), (2, 9), (2, 10), (3, 10), (4, 10), (5, 10)], 1),
        (9, {"cap": 5}, [(1, 10), (2, 4), (2, 5), (3, 4), (4, 3)], 2),
    ],
)
def test_numbered_pages_overlap_where_the_server_heeds_their_size(length, server, asked, proofs):
    rows = list(range(length))
    read = Read(PageNumber(size=10), by_number(rows, **server))
    assert (read.rows, read.asked, read.proofs, read.failure) == (rows, asked, proofs, "")


def test_what_may_be_sent_ahead_is_what_a_total_or_a_full_page_promises():
    rows = list(range(45))
    assert list(offset().upcoming()) == []
    with_total = Read(offset(), by_offset(rows, total=45)).ahead
    assert with_total[:2] == [[(9, 10), (18, 10), (27, 10)], [(18, 10), (27, 10), (36, 10)]]
    assert with_total[2:] == [[(27, 10), (36, 10)], [(36, 10)], []]
    without = Read(offset(), by_offset(rows)).ahead
    assert without == [[(9, 10)], [(18, 10)], [(27, 10)], [(36, 10)], [], [], []]
    numbered = Read(PageNumber(size=10), by_number(list(range(25)))).ahead
    assert numbered == [[(2, 9), (3, 8)], [(3, 8), (3, 10)], [(3, 10), (4, 9)], []]
    thin_first = Read(offset(), by_offset(rows, cap=5, total=45)).ahead
    assert thin_first[:2] == [[], [(8, 10), (12, 10), (16, 10)]]
    one_more = Read(offset(), by_offset(rows[:11], total=11)).ahead
    assert one_more == [[(9, 10)], []]
    bounded = Read(offset(bounded=True), by_offset(rows[:20], total=45)).ahead
    assert bounded == [[(9, 10)], [(18, 10)], [], [], []]


def test_five_lists_that_came_whole_have_a_short_page_believed():
    evidence = Evidence()
    for number in range(7):
        read = Read(offset(evidence=evidence), lambda *_: items(range(8)))
        assert len(read.asked) == (1 if number >= 5 else 2)
    Read(offset(evidence=evidence), by_offset(list(range(25))))  # which goes on
    for number in range(6):
        read = Read(offset(evidence=evidence), lambda *_: items(range(12)))
        assert len(read.asked) == 2
        assert evidence.unpaged == number + 1


@pytest.mark.parametrize("length", [25, 28])
def test_once_nothing_stood_behind_five_lists_a_lone_row_is_the_last_one(length):
    evidence = Evidence()
    for number in range(7):
        read = Read(offset(evidence=evidence), by_offset(list(range(length))))
        assert len(read.asked) == (4 if number >= 5 else 5)


def test_a_total_that_was_borne_out_five_times_is_believed():
    evidence = Evidence()
    for number in range(7):
        read = Read(offset(evidence=evidence), by_offset(list(range(19)), total=19))
        assert len(read.asked) == (2 if number >= 5 else 3)
    evidence = Evidence()
    for _ in range(7):
        Read(offset(evidence=evidence), by_offset(list(range(19))))  # which says no total
    assert len(Read(offset(evidence=evidence), by_offset(list(range(19)), total=19)).asked) == 3


def test_a_total_of_a_single_full_page_is_believed_once_it_was_borne_out():
    evidence = Evidence()
    for number in range(7):
        read = Read(offset(evidence=evidence), by_offset(list(range(10)), total=10))
        assert len(read.asked) == (1 if number >= 5 else 2)


@pytest.mark.parametrize(
    ("gone", "asked"),
    [
        (1, [(18, 10), (9, 10), (18, 10), (27, 10), (36, 10), (38, 10), (39, 10)]),
        (12, [(18, 10), (9, 10), (0, 10), (9, 10), (18, 10), (27, 10), (28, 10)]),
        (25, [(18, 10), (9, 10), (0, 10), (9, 10), (14, 10), (15, 10)]),
    ],
)
def test_behind_deleted_rows_is_stepped_back_ever_further(gone, asked):
    def deleted(rows):
        del rows[:gone]

    rows = list(range(40))
    read = Read(offset(), changing(rows, by_offset, {3: deleted}))
    assert set(rows) <= set(read.rows)
    assert len(read.rows) == len(set(read.rows))
    assert read.asked == [(0, 10), (9, 10), *asked]


def test_numbered_pages_are_stepped_back_to_with_a_row_less():
    def deleted(rows):
        del rows[:12]

    rows = list(range(40))
    read = Read(PageNumber(size=10), changing(rows, by_number, {3: deleted}))
    assert set(rows) <= set(read.rows)
    assert read.asked[:6] == [(1, 10), (2, 9), (3, 8), (2, 8), (1, 9), (2, 8)]
    assert read.ahead[2:4] == [[], []]  # of what comes next nothing is known


def test_rows_that_were_inserted_are_looked_behind_and_passed():
    def inserted(rows):
        rows[:0] = range(1000, 1010)

    rows = list(range(30))
    read = Read(offset(), changing(rows, by_offset, {3: inserted}))
    assert read.rows == list(range(30))
    again = (23, 10)  # may one of them have passed unseen?
    pages = [(27, 10), again, (36, 10), (39, 10)]
    assert read.asked == [(0, 10), (9, 10), (18, 10), (FAR, 5), *pages, (40, 10), (49, 10)]
    assert read.looks == [(FAR, 5), (40, 10), (49, 10)]
    assert read.ahead[3:6] == [[(27, 10)], [], [(36, 10)]]


def test_that_places_are_heeded_is_looked_for_once():
    def inserted(rows):
        rows[:0] = range(1000, 1010)

    rows = list(range(30))
    read = Read(offset(), changing(rows, by_offset, {3: inserted, 5: inserted}))
    assert read.rows == list(range(30))
    assert [place for place, _ in read.looks].count(FAR) == 1


@pytest.mark.parametrize(
    ("cap", "back", "volatile"), [(3, 3, 9), (4, 2, 8), (5, 2, 10), (7, 2, 14), (8, 1, 8), (10, 1, 10)]
)
def test_eight_rows_that_changed_in_their_places_hint_at_no_move(cap, back, volatile):
    version, evidence = count(), Evidence()

    def answer(start, size):
        return {
            "items": [
                {"id": row, "version": next(version)} for row in range(30)[start : start + min(size, cap)]
            ]
        }

    read = Read(offset(evidence=evidence), answer)
    assert read.rows == list(range(30))
    assert read.asked[1:].count((0, 10)) == back
    assert evidence.volatile == volatile
    assert (0, 10) not in Read(offset(evidence=evidence), answer).asked[1:]
    Read(offset(evidence=evidence), by_offset(list(range(30))))
    assert evidence.volatile == 0


@pytest.mark.parametrize("seed", [None, 1, 2, 5, 8])
@pytest.mark.parametrize("cap", [10, 7])
def test_rows_that_come_in_one_of_two_forms_hint_at_no_move(seed, cap):
    """As two machines behind one address write them, one of them a release ahead: in turn, or at random."""
    rows, random, forms = list(range(45)), Random(seed), cycle("ab")

    def answer(start, size):
        form = random.choice("ab") if seed else next(forms)
        return {"items": [{"id": row, "form": form} for row in rows[start : start + min(size, cap)]]}

    read = Read(offset(), answer)
    assert (read.rows, read.failure) == (rows, "")


def test_a_page_is_short_beside_the_longest_one():
    hidden = {3, 30}

    def answer(start, size):
        return items(number for number in range(60)[start : start + size] if number not in hidden)

    read = Read(offset(careful=True), answer)  # of 9 rows, 10, 10, 9 and 10
    assert read.ahead[:7] == [[], [], [(17, 10)], [(26, 10)], [], [], [(43, 10)]]
    assert [ask for ask in read.asked if ask[1] < 10 or ask[0] == 30] == [(5, 9), (30, 10)]  # about ends


def test_a_list_whose_rows_are_all_deleted_has_ended():
    read = Read(offset(), changing(list(range(40)), by_offset, {2: list.clear}))
    assert (read.rows, read.failure) == (list(range(10)), "")
    assert read.asked == [(0, 10), (9, 10), (0, 10), (0, 10)]


@pytest.mark.parametrize(
    ("size", "length", "after", "cap", "asked"),
    [
        (20, 60, 1, 10, [(2, 19), (2, 10), (3, 9), (4, 8), (4, 10)]),
        (20, 60, 2, 10, [(2, 19), (3, 18), (3, 10), (5, 9), (5, 10)]),
        (20, 60, 3, 5, [(2, 19), (3, 18), (4, 17), (4, 5), (14, 4)]),
        (5, 8, 1, 4, [(2, 4), (2, 5), (2, 4), (3, 3), (3, 4)]),
        (5, 8, 1, 1, [(2, 4), (2, 1), (6, 1), (7, 1), (8, 1)]),
    ],
)
def test_where_the_server_lowers_its_cap_numbers_are_counted_anew(size, length, after, cap, asked):
    """The page is asked for again with the size that it came with: is it the same, the size was cut."""
    rows, number = list(range(length)), count(1)

    def answer(page, per_page):
        return by_number(rows, cap=size if next(number) <= after else cap)(page, per_page)

    read = Read(PageNumber(size=size), answer)
    assert read.rows == rows
    assert read.asked[:6] == [(1, size), *asked]


def test_rows_that_may_trade_places_are_read_again():
    def answer(start, size):
        return {"items": [{"id": row, "day": row // 4} for row in range(30)[start : start + size]]}

    read = Read(offset(order="day"), answer)
    assert read.rows == list(range(30))
    assert read.asked == [(0, 10), (7, 10), (15, 10), (23, 10), (27, 10), (30, 10)]
    read = Read(offset(order="month"), answer)  # where all may, only the last one
    assert read.asked == [(0, 10), (9, 10), (18, 10), (27, 10), (29, 10), (30, 10)]


@pytest.mark.parametrize(
    ("rows", "unreadable", "then"),
    [
        (range(10), [], 9),
        ([*range(8), None, None], [], 7),
        ([0, None, None], [], 2),
        ([None] * 10, [], 9),
        (range(9), [9], 8),
        (range(8), [8, 9], 7),
        ([*range(6), 7, 8, 9], [6], 9),
        ([], range(10), 9),
    ],
)
@pytest.mark.parametrize("order", [None, "month"])
def test_the_row_that_is_read_again_is_the_last_one_that_came_whole(rows, unreadable, then, order):
    paginator, page = (
        offset(order=order),
        page_of({"items": [None if row is None else {"id": row} for row in rows]}),
    )
    page.unreadable = [*unreadable]
    paginator.take(page)
    assert paginator.current_value["offset"] == then


def test_behind_pages_that_lacked_rows_is_looked_once_more():
    hidden = {9, 10, 11}

    def answer(start, size):
        return items(number for number in range(40)[start : start + size] if number not in hidden)

    read = Read(offset(careful=True), answer)
    assert set(read.rows) == set(range(40)) - hidden
    assert (read.asked[-1], read.looks) == ((49, 10), [(40, 10), (49, 10)])
    assert ((11, 9) in read.asked, read.proofs) == (True, 4)  # about the end of the page that lacked them


def test_rows_behind_a_gap_as_long_as_a_page_are_found_by_the_look():
    hidden = {3, *range(18, 28)}

    def answer(start, size):
        return items(number for number in range(60)[start : start + size] if number not in hidden)

    read = Read(offset(careful=True), answer)
    assert set(read.rows) == set(range(60)) - hidden
    assert read.looks == [(18, 10), (27, 10), (60, 10), (69, 10)]
