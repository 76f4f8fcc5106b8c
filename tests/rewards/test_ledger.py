"""Lines without an id: equal ones are told apart, and none is lost or doubled at a page's edge."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import MAXYEAR, MINYEAR, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lists
from json_api import JsonApi, cut
from rewards.truth import PATH, expected, without_key
from support import Output, command, run
from tap_core.errors import ApiError
from tap_core.paging.page import Page
from tap_core.records import jsonpath
from tap_rewards.ledger import LedgerPages
from tap_rewards.lines import Line, LineReader, keyed
from tap_rewards.tap import TapRewards

STREAM = "balance_transactions"
SAMPLE = {
    "created_at": "2026-05-12T14:03:28.020Z",
    "amount": Decimal("-51.50"),
    "balance": None,
    "action": "Order",
    "description": "Order 7QK2M9XA4TLD",
    "order": {"id": "7QK2M9XA4TLD", "external_id": None, "payment": {"total": 1}},
}


def raw(row):
    return msgspec.Raw(json.dumps(row, default=float).encode())


def test_the_key_is_as_documented():
    text = '["2026-05-12T14:03:28.020000+00:00","-51.5","Order","7QK2M9XA4TLD",1]'
    (record,) = keyed([raw(SAMPLE)], [Line.of(raw(SAMPLE))])
    assert jsonpath.decode(record)["_sdc_key"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("order", ["newest first", "oldest first", "none", "one line astray"])
def test_A05_equal_lines_that_are_no_neighbours_are_not_told_apart_in_silence(order):
    lines = [
        {"created_at": f"2026-05-12T14:{n // 3:02}:00.000Z", "amount": -5, "action": "Order"}
        for n in range(150)
    ]
    if order == "newest first":
        lines.reverse()
    elif order == "none":
        lines = [lines[n * 7 % 150] for n in range(150)]
    elif order == "one line astray":
        lines.insert(40, lines.pop(100))

    with JsonApi(lambda _, query: {"transactions": cut(lines, query)}) as api:
        if order.endswith("first"):
            output = run(TapRewards, lists.settings(api), catalog=lists.only(TapRewards, STREAM))
            assert len({row["_sdc_key"] for row in output.records[STREAM]}) == 150
        else:
            with pytest.raises(ApiError, match="in no order of their time"):
                run(TapRewards, lists.settings(api), catalog=lists.only(TapRewards, STREAM))


@pytest.mark.parametrize("time", [None, "", "soon", "0000-00-00T00:00:00+00:00"])
@pytest.mark.parametrize("places", [[3], [0, 1, 99, 100, 101, 249]])
def test_a_line_without_a_time_costs_no_other(time, places):
    """Nor are those of them lost that are equal, on whatever pages they are."""
    lines = [
        {"created_at": f"2026-05-12T14:{59 - n // 5:02}:00.000Z", "amount": -5, "action": "Order"}
        for n in range(250)
    ]
    for place in places:
        lines[place]["created_at"] = time
    with JsonApi(lambda _, query: {"transactions": cut(lines, query)}) as api:
        output = run(TapRewards, lists.settings(api), catalog=lists.only(TapRewards, STREAM))
    assert len({row["_sdc_key"] for row in output.records[STREAM]}) == len(output.records[STREAM]) == 250


@pytest.mark.parametrize(
    "change",
    [
        {"balance": 12.5},
        {"description": None},
        {"currency_code": "USD"},
        {"order": {"id": "7QK2M9XA4TLD", "payment": {"total": 1, "refund": {"total": 1}}}},
        {"created_at": "2026-05-12T16:03:28.02+02:00"},
        {"amount": "-51.5"},
        {"amount": Decimal("-51.500")},
    ],
)
def test_what_may_change_is_not_in_the_key(change):
    line = Line.of(SAMPLE | change)
    assert keyed([SAMPLE], [line]) == keyed([SAMPLE], [Line.of(SAMPLE)])


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": "2026-05-12T14:03:28.021Z"},
        {"amount": Decimal("51.5")},
        {"action": "Refund"},
        {"order": {"id": "OTHER"}},
        {"order": None},
    ],
)
def test_what_never_changes_is_in_the_key(change):
    assert Line.of(SAMPLE | change) != Line.of(SAMPLE)


def test_odd_rows_have_keys_too():
    rows = [{}, {"created_at": "soon", "amount": "much"}, {"amount": 0}, {"amount": Decimal("-0.0")}]
    assert all(
        jsonpath.decode(record)["_sdc_key"]
        for record in keyed([raw(r) for r in rows], list(map(Line.of, rows)))
    )
    assert Line.of(rows[2]) == Line.of(rows[3])
    assert Line.of(None) == Line.of([])


@pytest.mark.parametrize("field", ["amount", "action", "description"])
def test_half_a_character_in_a_line_costs_no_other(field):
    rows = [{**SAMPLE, "amount": number} for number in range(3)]
    rows[1][field] = "a\ud800"
    with JsonApi(lambda _, query: {"transactions": cut(rows, query)}) as api:
        output = run(TapRewards, lists.settings(api), catalog=lists.only(TapRewards, STREAM))
    assert len({row["_sdc_key"] for row in output.records[STREAM]}) == len(rows)


_texts = st.one_of(st.none(), st.text(max_size=4), st.integers(), st.lists(st.none(), max_size=1))
_amounts = st.one_of(
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,14})?([eE][+-]?[0-9]{1,2})?\Z"),
    st.sampled_from(["-0", "0.0", "-0.00", '"51.50"', "null", "true", "[]", "1e999999999", "1" * 40]),
)
_times = st.one_of(
    st.datetimes(timezones=st.one_of(st.none(), st.timezones())).map(datetime.isoformat),
    st.sampled_from(
        [
            *("2026-05-12T14:03:28Z", "2026-05-12t14:03:28.5z", "2026-05-12", "", None, 1_778_594_608),
            "0001-01-01T00:00:00+05:00",  # a moment before all times
        ]
    ),
)


@settings(deadline=None)
@given(
    row=st.fixed_dictionaries(
        {},
        optional={
            "created_at": _times,
            "action": _texts,
            "description": _texts,
            "order": st.one_of(_texts, st.fixed_dictionaries({}, optional={"id": _texts})),
        },
    ),
    amount=_amounts,
)
def test_the_quick_reading_of_a_line_is_the_careful_one(row, amount):
    text = json.dumps({**row, "amount": 0}).replace('"amount": 0', f'"amount": {amount}')
    node = msgspec.Raw(text.encode())
    assert Line.of(node) == Line.of(jsonpath.decode(node))
    assert LineReader().of_all([node, raw(SAMPLE)]) == [Line.of(node), Line.of(raw(SAMPLE))]


@given(
    time=st.datetimes(timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=-5, minutes=-30))]))
)
def test_the_time_of_a_line_is_in_utc_with_microseconds(time):
    assume(MINYEAR < time.year < MAXYEAR)
    utc = time.astimezone(timezone.utc).isoformat(timespec="microseconds")
    assert Line.of(raw({**SAMPLE, "created_at": time.isoformat()})).time == utc


def test_numbers_are_counted_from_the_oldest():
    old, new = dict(SAMPLE, description="old"), dict(SAMPLE, description="new")

    def keys(rows):
        return {row["description"]: row["_sdc_key"] for row in keyed(rows, [Line.of(row) for row in rows])}

    assert keys([new, old])["old"] == keys([old])["old"]
    assert len(set(keys([new, old]).values())) == 2


def test_equal_lines_are_lines_of_their_own(api, config):
    rows = expected(api, STREAM)
    equal = Counter(json.dumps(row, default=str) for row in rows)
    assert max(equal.values()) == 3
    output = run(TapRewards, config)
    assert without_key(output.records[STREAM]) == rows
    assert len(output.rows(STREAM)) == len(rows)


def test_keys_are_the_same_whatever_the_pages(api, config):
    truth = run(TapRewards, config).records[STREAM]
    for size in (3, 11, 64):
        api.clear()
        api.fault("page_cap", path=f"{PATH}/{STREAM}", size=size)
        assert run(TapRewards, config).records[STREAM] == truth


def test_new_lines_during_the_read_move_nothing(api, config):
    """What is newer than the first page's newest line is left to the next run."""
    truth = run(TapRewards, config)
    newest = api.data["rewards"]["transactions"][0]
    later = datetime.fromisoformat(newest["created_at"][:-1]) + timedelta(minutes=1)
    line = {**newest, "created_at": f"{later.isoformat(timespec='milliseconds')}Z"}
    for after in (1, 2, 3):
        api.change(
            api="rewards",
            resource="transactions",
            op="insert",
            at=0,
            rows=[line],
            after=after,
            path=f"{PATH}/{STREAM}",
        )
    output = run(TapRewards, {**config, "concurrency": 1})
    assert output.records[STREAM] == truth.records[STREAM]
    second = run(TapRewards, config, state=output.state)
    assert len(output.rows(STREAM) | second.rows(STREAM)) == len(truth.records[STREAM]) + 3


def test_lines_at_one_and_the_same_moment_only(api, config):
    line = api.data["rewards"]["transactions"][0]
    api.data["rewards"]["transactions"][:] = [dict(line) for _ in range(250)]
    output = run(TapRewards, config)
    assert len(output.rows(STREAM)) == len(output.records[STREAM]) == 250


def page_of(rows):
    return Page(
        jsonpath.parse(json.dumps({"transactions": rows}).encode()), "$.transactions[*]", LineReader()
    )


def read(rows, *, size, cap, offset=True, limit=True, late=(), clamped=False):
    """Lines read from a server of these rows, which may ignore, or clamp, the offset, or get new rows."""
    paginator = LedgerPages(size=size, until_param="until", time_field="created_at")
    found, rows, late = [], list(rows), list(late)
    for _ in range(300):
        query = paginator.current_value
        rows[:0] = [late.pop()] if late else []
        shown = [row for row in rows if row["created_at"] <= query.get("until", "9999")]
        start = query["offset"] if offset else 0
        start = max(0, min(start, len(shown) - query["limit"])) if clamped else start
        end = start + min(query["limit"], cap) if limit else len(shown)
        found += map(jsonpath.decode, paginator.take(page_of(shown[start:end])))
        if paginator.finished:
            return found
    msg = "a loop"
    raise AssertionError(msg)


lines = st.builds(
    lambda second, amount: {"created_at": f"2026-01-01T00:00:{second:02d}Z", "amount": amount},
    st.integers(0, 5),
    st.integers(0, 1),
)
ledgers = st.lists(lines, max_size=30).map(lambda rows: sorted(rows, key=lambda row: row["created_at"])[::-1])


@settings(deadline=None, max_examples=400)
@given(rows=ledgers, size=st.integers(1, 9), cap=st.integers(1, 9), new=st.integers(0, 4))
def test_H03_no_line_is_lost_or_doubled(rows, size, cap, new):
    late = [{"created_at": f"2026-01-01T01:{minute:02d}:00Z", "amount": 0} for minute in range(new)][::-1]
    assert [r for r in read(rows, size=size, cap=cap, late=late) if r not in late] == rows


@pytest.mark.parametrize("size", [2, 3, 9, 20])
@pytest.mark.parametrize("count", [1, 2, 8, 9, 10, 17, 20, 39])
def test_H07_places_behind_the_end_can_show_the_last_page(count, size):
    rows = [{"created_at": f"2026-01-01T00:00:{59 - n}Z", "amount": n // 2} for n in range(count)]
    assert read(rows, size=size, cap=size, clamped=True) == rows
    if 2 < size < count:  # pages of fewer rows can show the last two again and again
        twice = [*rows, rows[-1]]
        assert read(twice, size=size, cap=size, clamped=True) == twice


def test_H07_where_equal_lines_at_the_end_cannot_be_counted_the_list_fails():
    rows = [{"created_at": f"2026-01-01T00:00:0{second}Z", "amount": 0} for second in (3, 2, 1, 1)]
    with pytest.raises(ApiError, match="Equal rows come"):
        read(rows, size=2, cap=2, clamped=True)


@settings(deadline=None, max_examples=200)
@given(rows=ledgers, size=st.integers(1, 9), cap=st.integers(1, 9))
def test_paging_that_is_ignored_ends(rows, size, cap):
    if len(rows) == size > 1:  # it may be the server's own page size
        with pytest.raises(ApiError, match="just as many rows as a page has"):
            read(rows, size=size, cap=cap, offset=False, limit=False)
    else:
        assert read(rows, size=size, cap=cap, offset=False, limit=False) == rows
    try:
        found = read(rows, size=size, cap=cap, offset=False)
    except ApiError:
        return
    assert found == rows[: min(size, cap)]


def test_an_interrupted_read_begins_anew(api, config, tmp_path):
    """Lines that wait for their moment's others when a run ends are in no STATE."""
    api.fault("page_cap", path=f"{PATH}/{STREAM}", size=20)
    api.fault("status", path=f"{PATH}/{STREAM}", status=500, after=5)
    settings = {**config, "max_retries": 0, "concurrency": 1}
    broken = Output(command("tap_rewards", config=settings, folder=tmp_path).stdout)
    assert 50 < len(broken.records[STREAM]) < 100
    api.clear()
    output = run(TapRewards, config, state=broken.state)
    assert without_key(output.records[STREAM]) == expected(api, STREAM)
