"""Bookmarks compare moments and integers exactly, and nothing that an API or a STATE holds upsets them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tap_core.bookmarks import Bookmark, instant
from tap_core.errors import ApiError

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
NO_TIMES = [
    "2026-02-30T00:00:00Z",
    "2026-01-01t00:00:00z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00+99:99",
    "0000-01-01T00:00:00Z",
    "٢٠٢٦-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z\n",
    "now",
    "",
    None,
    True,
    ["2026-01-01T00:00:00Z"],
    {},
]


def bookmark(value=None, *, start_date=None, lookback=0, now=NOW):
    state = {} if value is None else {"replication_key": "at", "replication_key_value": value}
    return Bookmark(state, "at", start_date=start_date, lookback=lookback, now=now), state


@pytest.mark.parametrize("value", NO_TIMES)
@pytest.mark.parametrize("reached", ["2026-01-01T00:00:00Z", 7])
def test_D01_a_row_without_a_place_is_wanted_and_moves_nothing(reached, value):
    mark, state = bookmark(reached)
    assert mark.wants(value)
    mark.see([value])
    mark.save()
    assert state["replication_key_value"] == reached


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1899-12-31"])
def test_D02_a_bookmark_before_all_times_stands_for_all_rows(value):
    mark, state = bookmark(value, lookback=86_400)
    assert mark.start is None
    assert mark.wants("0001-01-01T00:00:00Z")
    mark.see(["0001-01-02T00:00:00Z", "2026-01-01T00:00:00Z"])
    mark.save()
    assert state["replication_key_value"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "value", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "2099-01-01T00:00:00Z"]
)
def test_D02_E06_a_bookmark_in_the_future_counts_as_the_start_of_the_run(value, caplog):
    mark, state = bookmark(value, lookback=60)
    assert mark.start == NOW - timedelta(seconds=60)
    (line,) = caplog.messages
    assert value in line
    mark.see(["2026-05-31T23:59:59Z", "2099-01-01T00:00:00Z"])
    mark.save()
    assert instant(state["replication_key_value"]) == NOW


def test_an_integer_bookmark_begins_at_itself():
    mark, state = bookmark(7, lookback=86_400, start_date="2026-01-01")
    assert (mark.start, mark.reached) == (7, 7)
    assert [mark.wants(value) for value in (6, 7, 10, "2026-01-01T00:00:00Z")] == [False, True, True, True]
    mark.see([10, 9, 100])
    mark.save()
    assert state["replication_key_value"] == 100


def test_an_integer_key_needs_no_bookmark_and_may_be_zero():
    mark, state = bookmark(start_date="2026-01-01")
    assert mark.wants(-5)
    mark.see([0, -5])
    mark.save()
    assert state["replication_key_value"] == 0
    again, _ = bookmark(0)
    assert again.start == 0
    assert not again.wants(-1)


@pytest.mark.parametrize("value", ["soon", "2026-02-30T00:00:00Z", [], {"a": 1}, "9" * 5000])
def test_D11_a_bookmark_that_is_none_is_named(value):
    with pytest.raises(ApiError, match="state: the bookmark"):
        bookmark(value or [1])


def test_nanoseconds_are_compared_exactly():
    mark, state = bookmark("2026-01-01T00:00:00.123456789Z")
    assert mark.wants("2026-01-01T00:00:00.123456Z")
    mark.see(["2026-01-01T00:00:00.12345679Z", "2026-01-01T00:00:00.123456788Z"])
    mark.save()
    assert state["replication_key_value"] == "2026-01-01T00:00:00.12345679Z"
    mark.see(["2026-06-01T00:00:00.000000001Z"])
    mark.save()
    assert state["replication_key_value"] == "2026-01-01T00:00:00.12345679Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T10:11:12Z", "2026-01-31T10:11:12+00:00"),
        ("2026-01-31 10:11:12", "2026-01-31T10:11:12+00:00"),
        ("2026-01-31T10:11:12.5-0530", "2026-01-31T10:11:12.500000-05:30"),
        ("2026-01-31T10:11:12.1234567+01:00", "2026-01-31T10:11:12.123456+01:00"),
        ("20260131T101112Z", "2026-01-31T10:11:12+00:00"),
    ],
)
def test_K02_times_are_read_without_loss(text, moment):
    assert instant(text).isoformat() == moment


def test_a_bookmark_can_be_held():
    mark, state = bookmark("2026-01-01T00:00:00Z")
    mark.hold(datetime(2026, 2, 1, tzinfo=timezone.utc))
    mark.see(["2026-03-01T00:00:00Z", "2026-01-15T00:00:00Z"])
    mark.save()
    assert state["replication_key_value"] == "2026-01-15T00:00:00Z"


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        ([], 9),
        ([7], 7),
        ([8, 7], 7),
        ([3], 3),
        ([9, 12], 9),
        ([8, None], 5),
        (["2026-01-01T00:00:00Z"], 5),
    ],
)
def test_a_bookmark_stays_before_what_is_left(left, kept):
    """And where it was, if that has no place among the rows: it comes again from there."""
    mark, state = bookmark(5)
    mark.see([6, 9])
    for value in left:
        mark.leave(value)
    mark.save()
    assert state["replication_key_value"] == kept
