"""A paginator of one's own: what it need not see to, as all paginators share it."""

from __future__ import annotations

import pytest

from page_reads import items, page_of
from tap_core.errors import ApiError
from tap_core.paging.paginator import Paginator


class Pages(Paginator):
    """Says nothing of totals, loops or failures."""

    def walk(self):
        query = {"page": 1}
        while query:
            page = yield query
            number = page.find("$.next_page")
            query = {"page": number} if number else None


def page(*ids, **envelope):
    return page_of(items(ids, **envelope))


def test_a_walk_begins_with_whatever_is_asked_first():
    assert Pages().current_value == {"page": 1}
    assert not Pages().finished
    assert Pages().sample() == {"page": 1}
    assert Pages().get_next(None) == {"page": 1}
    paginator, first = Pages(), page(1, 2, next_page=2)
    assert paginator.take(first) == first.records
    assert paginator.current_value == {"page": 2}
    with pytest.raises(ApiError, match="no such page"):
        Pages().fail(ApiError("no such page"))


def test_a_list_can_be_gone_on_with_at_any_page():
    paginator = Pages()
    paginator.resume({"page": 7}, page(1), [])
    assert paginator.current_value == {"page": 7}
    paginator.take(page(1))
    assert paginator.finished


def test_rows_are_counted_and_totals_remembered():
    paginator = Pages(total="$.total")
    assert (paginator.first_claimed, paginator.most_claimed, paginator.total) == (0, 0, None)
    claims = []
    for ids, total in (([1, 2], None), ([3], 30), ([4], 40), ([5], 35), ([6], 0)):
        envelope = {} if total is None else {"total": total}
        paginator.take(page(*ids, next_page=2, **envelope))
        claims.append((paginator.first_claimed, paginator.most_claimed, paginator.total))
    assert claims == [(0, 0, None), (30, 30, 30), (30, 40, 40), (30, 40, 35), (30, 40, 0)]
    assert paginator.records_read == 6
    assert paginator.evidence.longest == 2


def test_two_hundred_and_fifty_pages_without_a_row_are_followed_and_counted_anew_behind_one():
    paginator = Pages()
    for _ in range(2):
        paginator.take(page(1, next_page=2))
        for _ in range(250):
            paginator.take(page(next_page=2))
            assert not paginator.finished
    paginator.take(page(next_page=2))
    with pytest.raises(ApiError, match="same rows again and again: only 2 records of a list can be read"):
        _ = paginator.finished


def test_an_end_behind_however_many_pages_without_a_row_is_an_end():
    paginator = Pages()
    for _ in range(250):
        paginator.take(page(next_page=2))
    paginator.take(page())
    assert paginator.finished


def test_a_failure_is_raised_where_the_walk_does_not_deal_with_it():
    paginator = Pages()
    paginator.take(page(1, next_page=2))
    with pytest.raises(ApiError, match="no such page"):
        paginator.fail(ApiError("no such page"))


def test_a_walk_can_end_at_a_failure():
    class Tolerant(Pages):
        def walk(self):
            try:
                yield from super().walk()
            except ApiError:
                return

    paginator = Tolerant()
    paginator.take(page(1, next_page=2))
    paginator.fail(ApiError("no such page"))
    assert paginator.finished


def test_nothing_is_sent_ahead_or_asked_for_in_pieces():
    paginator = Pages(size=10)
    paginator.take(page(1, next_page=2))
    assert list(paginator.upcoming()) == []
    assert paginator.piece(0, 5) is None
    assert paginator.stretch({"page": 2}) == (0, 10)
    assert Pages().stretch({"page": 2}) == (0, 0)
    assert paginator.counts_rows


def test_the_same_rows_may_come_as_new_ones_twice():
    paginator = Pages()
    for _ in range(3):
        assert not paginator.finished
        paginator.take(page(1, 2, next_page=2))
    assert not paginator.finished
    paginator.take(page(1, 2, next_page=2))
    with pytest.raises(ApiError, match="same rows again and again: only 8 records"):
        _ = paginator.finished
