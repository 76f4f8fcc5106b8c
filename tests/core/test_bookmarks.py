"""Bookmarks compare moments and integers exactly, and nothing that an API or a STATE holds upsets them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from tap_core.bookmark_scope import entry_of
from tap_core.bookmarks import Bookmark, bound_text
from tap_core.errors import ApiError
from tap_core.positions import Order, instant

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


def bookmark(value=None, *, now=NOW, **settings):
    state = {} if value is None else {"replication_key": "at", "replication_key_value": value}
    return Bookmark(state, "at", **{"start_date": None, "lookback": 0, **settings}, now=now), state


@pytest.mark.parametrize("value", NO_TIMES)
@pytest.mark.parametrize("reached", ["2026-01-01T00:00:00Z", 7])
def test_D01_a_row_without_a_place_is_wanted_and_moves_nothing(reached, value):
    mark, state = bookmark(reached)
    assert mark.wants([value]) == [True]
    mark.advance([value])
    mark.save()
    assert state["replication_key_value"] == reached


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1899-12-31"])
def test_D02_a_bookmark_before_all_times_stands_for_all_rows(value):
    mark, state = bookmark(value, lookback=86_400)
    assert mark.start is None
    assert mark.wants(["0001-01-01T00:00:00Z"]) == [True]
    mark.advance(["0001-01-02T00:00:00Z", "2026-01-01T00:00:00Z"])
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
    mark.advance(["2026-05-31T23:59:59Z", "2099-01-01T00:00:00Z"])
    mark.save()
    assert instant(state["replication_key_value"]) == NOW


@pytest.mark.parametrize("values", [[None], [None, "now"], ["2026-01-01T00:00:00Z", None], [7, None]])
def test_D01_all_rows_are_wanted_by_a_first_run(values):
    mark, _ = bookmark()
    assert mark.wants(values) == [True] * len(values)


def test_an_integer_bookmark_begins_at_itself():
    mark, state = bookmark(7, lookback=86_400, start_date="2026-01-01")
    assert (mark.start, mark.reached) == (7, 7)
    assert mark.wants([6, 7, 10, "2026-01-01T00:00:00Z"]) == [False, True, True, True]
    mark.advance([10, 9, 100])
    mark.save()
    assert state["replication_key_value"] == 100


def test_an_integer_key_needs_no_bookmark_and_may_be_zero():
    mark, state = bookmark(start_date="2026-01-01")
    assert mark.wants([-5]) == [True]
    mark.advance([0, -5])
    mark.save()
    assert state["replication_key_value"] == 0
    again, _ = bookmark(0)
    assert again.start == 0
    assert again.wants([-1]) == [False]


@pytest.mark.parametrize("value", ["soon", "2026-02-30T00:00:00Z", [], {"a": 1}, "9" * 5000])
def test_D11_a_bookmark_that_is_none_is_named(value):
    with pytest.raises(ApiError, match="state: the bookmark"):
        bookmark(value or [1])


def test_nanoseconds_are_compared_exactly():
    mark, state = bookmark("2026-01-01T00:00:00.123456789Z")
    assert mark.wants(["2026-01-01T00:00:00.123456Z"]) == [True]
    mark.advance(["2026-01-01T00:00:00.12345679Z", "2026-01-01T00:00:00.123456788Z"])
    mark.save()
    assert state["replication_key_value"] == "2026-01-01T00:00:00.12345679Z"
    mark.advance(["2026-06-01T00:00:00.000000001Z"])
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
    mark.cap_at(datetime(2026, 2, 1, tzinfo=timezone.utc))
    mark.advance(["2026-03-01T00:00:00Z", "2026-01-15T00:00:00Z"])
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
    mark.advance([6, 9])
    for value in left:
        mark.stay_before(value)
    mark.save()
    assert state["replication_key_value"] == kept


def day(number, time="00:00:00"):
    return f"2026-01-{number:02}T{time}Z"


def test_a_window_has_its_first_moment_and_not_its_last():
    mark, _ = bookmark(start_date=day(10), end_date=day(20))
    for asked in (mark.wants, mark.is_in_window):
        assert asked([day(number) for number in (9, 10, 19, 20)]) == [False, True, True, False]
        assert asked([day(9, "23:59:59.999999")]) == [False]
        assert asked([None]) == [True]
    news = [mark.is_new(value) for value in (day(9), day(10), day(25), None, 7)]
    assert news == [False, True, True, True, True]
    assert not mark.is_past_end


def test_the_look_back_leaves_no_window():
    mark, _ = bookmark(day(12), start_date=day(10), end_date=day(20), lookback=7 * 86_400)
    assert mark.start == instant(day(10))
    mark, _ = bookmark(day(18), start_date=day(10), end_date=day(20), lookback=7 * 86_400)
    assert mark.start == instant(day(11))


def test_a_late_change_is_wanted_again_if_it_came_before_and_is_in_the_window():
    mark, _ = bookmark(day(15), start_date=day(10))
    answers = mark.wants_again([day(9), day(10), day(14), day(15), None, 7])
    assert answers == [False, True, True, False, True, True]


@pytest.mark.parametrize(("reached", "past"), [(19, False), (20, True), (21, True)])
def test_all_before_the_end_was_read_once_a_bookmark_is_there(reached, past):
    assert bookmark(day(reached), end_date=day(20))[0].is_past_end is past
    assert not bookmark(reached, end_date=day(20))[0].is_past_end


def test_what_lies_behind_the_end():
    mark, _ = bookmark(end_date=day(20), lookback=86_400)
    assert [mark.is_behind(day(number), settled=False) for number in (19, 20)] == [False, True]
    assert [mark.is_behind(day(number), settled=True) for number in (20, 21)] == [False, True]
    assert mark.is_behind(None, settled=False) is False
    assert bookmark()[0].is_behind(day(20), settled=False) is False
    endless, _ = bookmark(end_date="9999-12-31", lookback=86_400)
    assert endless.is_behind("9999-12-31T23:00:00Z", settled=True) is False


def test_the_bookmark_never_passes_the_end():
    mark, state = bookmark(end_date=day(20))
    mark.advance([day(19), day(20), day(21)])
    mark.save()
    assert state["replication_key_value"] == day(20)


def test_a_whole_read_begins_at_the_start_date():
    mark, _ = bookmark(day(15), start_date=day(10), whole=True)
    assert (mark.start, mark.reached) == (instant(day(10)), instant(day(15)))
    assert bookmark(day(15), whole=True)[0].start is None


def test_ids_settle_before_the_rows_of_the_look_back():
    mark, state = bookmark(5, lookback=300)
    old, young = NOW - timedelta(seconds=301), NOW - timedelta(seconds=300)
    times = [old.isoformat(), young.isoformat(), old.isoformat(), None]
    mark.advance(mark.ids_safe_to_pass([7, 9, 12, 13], times))
    mark.save()
    assert state["replication_key_value"] == 7
    mark.advance([30])
    assert mark.ids_safe_to_pass([8, 6, "x"], [young.isoformat(), old.isoformat(), old.isoformat()]) == [6]
    mark.save()
    assert state["replication_key_value"] == 5  # 30 is behind what is not settled: the last run's counts


@pytest.mark.parametrize("descending", [False, True])
def test_an_order_is_kept_from_page_to_page(descending):
    def follows(*pages):
        order = Order(descending=descending)
        return [order.holds(reversed(page) if descending else page) for page in pages]

    rising, later = [day(1), day(2), day(2), None, day(3)], [day(3), day(4)]
    assert follows(*([later, rising] if descending else [rising, later])) == [True, True]
    assert follows(*([rising, later] if descending else [later, rising])) == [True, False]
    assert follows([1, 2], [day(1)]) == [True, True]  # of two kinds none comes first
    first, last = (day(1), day(2)) if descending else (day(2), day(1))
    assert follows([7, first, 8], [last]) == [True, False]  # whatever stands between


def test_a_bound_as_a_text():
    assert [bound_text(bound) for bound in (None, 7, NOW)] == [None, "7", "2026-06-01T00:00:00+00:00"]


@pytest.mark.parametrize("text", ["10:11:12", "P1D", "2026-01-01/2026-02-01"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match="no date and time"):
        instant(text)


def test_another_key_in_state_is_no_bookmark():
    mark = Bookmark(
        {"replication_key": "other", "replication_key_value": day(15)},
        "at",
        start_date=None,
        lookback=0,
        now=NOW,
    )
    assert (mark.start, mark.reached) == (None, None)


@pytest.mark.parametrize("before", [{"a": {"x": 1}}, [{"of": "a", "x": 1}]])
def test_the_entry_of_a_list_is_found_without_a_look_at_all_others(before):
    state, known = {"lists": before}, {}
    stream = SimpleNamespace(stream_state=state, config={})
    assert entry_of(stream, "a", known)["x"] == 1
    lists = state["lists"]
    entry_of(stream, "b", known)["x"] = 2
    assert entry_of(stream, "b", known)["x"] == 2
    assert state["lists"] is lists, "not made anew for each list: there can be many"
    assert lists == [{"of": "a", "x": 1}, {"of": "b", "x": 2}]
