"""`start_date` and `end_date`: exactly the rows between them, by whomever cut; nothing is called gone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from lists import BOOKING
from tap_billing.tap import TapBilling
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

START, END = "2026-03-01T12:00:00.000001Z", "2026-03-08T02:00:00.5+02:00"
WINDOW = {"start_date": START, "end_date": END}
WITHIN = {
    2: "2026-03-01T12:00:00.000001Z",
    3: "2026-03-01T07:00:00.000002-05:00",
    4: "2026-03-04T00:00:00Z",
    5: "2026-03-08T09:00:00.499999+09:00",
    6: "2026-03-08T00:00:00.499999999Z",
}
OUTSIDE = {
    1: "2026-03-01T12:00:00Z",
    7: "2026-03-08T00:00:00.500000Z",
    8: "2026-03-08T00:00:00.5000000001Z",
    9: "2026-03-07T23:00:00.6-01:00",
    10: "2026-04-01T00:00:00Z",
}
TIMES = dict(sorted({**WITHIN, **OUTSIDE}.items()))


def rows_of(times, field, key=int, **more):
    return [{"id": key(number), field: time, **more} for number, time in times.items()]


def customers(times):
    rows = [{"customer": row} for row in rows_of(times, "updated_at")]
    return lambda path, query: numbered(rows, query)


def happened(times):
    """Ids are the cursor; a server that heeds no bound of time."""
    rows = rows_of(times, "created_at")

    def answer(path, query):
        return numbered([{"event": row} for row in rows if row["id"] >= int(query.get("since_id", 0))], query)

    return answer


def invoice_events(times):
    rows = rows_of(times, "timestamp")

    def answer(path, query):
        found = [row for row in rows if row["id"] > int(query.get("since_id", -1))]
        return {"events": numbered(found, query)}

    return answer


def orders(times):
    rows = rows_of(times, "created_at", str)
    return lambda path, query: {"orders": cut(rows[::-1], query), "total_count": len(rows)}


def rewards(times):
    rows = sorted(rows_of(times, "created_at", str), key=lambda row: datetime.fromisoformat(at(row)))
    return lambda path, query: {"rewards": cut(rows[::-1], query), "total_count": len(rows)}


def at(row):
    """A time that every Python reads, for the order of a list."""
    text = row["created_at"].replace("Z", "+00:00")
    day, _, rest = text.partition(".")
    zone = rest[-6:] if rest else ""
    return f"{day}.{rest[:-6]:0<6.6}{zone}" if rest else text


def bookings(times):
    rows = rows_of(times, "updatedAt", **BOOKING)

    def answer(path, query):
        found = [] if "afterStart" in query else rows
        return {"status": "success", "data": cut(found, query, start="skip", size="take")}

    return answer


LISTS = {
    "customers": (TapBilling, customers, "end_datetime"),
    "events": (TapBilling, happened, "end_datetime"),
    "invoice_events": (TapBilling, invoice_events, None),
    "orders": (TapRewards, orders, "created_at[lte]"),
    "rewards": (TapRewards, rewards, None),
    "bookings": (TapScheduling, bookings, "beforeUpdatedAt"),
}


@pytest.fixture
def read(tmp_path):
    """Runs a tap over a list with these times: its output, and the queries that it sent."""

    def read(stream, times=TIMES, odd=None, **more):
        tap, serve, _ = LISTS[stream]
        handle = serve(times)
        with JsonApi(lambda path, query: odd(handle(path, query)) if odd else handle(path, query)) as api:
            chosen = {"catalog": select(tap, stream), "receipt": True, **more}
            output = call(tap, tmp_path, url=api.url, **chosen)
            assert output.code == 0, output.log
            return output, [parse_qs(urlsplit(target).query) for target in api.paths]

    return read


def ids(output, stream):
    return sorted({int(row["id"]) for row in output.records.get(stream, [])})


def bookmark(output, stream):
    return output.state["bookmarks"][stream].get("replication_key_value")


def receipt(output, stream):
    return next(row for row in output.records["_sdc_reads"] if row["stream"] == stream)


def added(body):
    """The body with a field that no schema knows in each second record, so that it goes the careful way."""
    if isinstance(body, dict) and isinstance(body.get("id"), (int, str)):
        return {**body, "new_here": {"x": 1}} if int(body["id"]) % 2 else body
    if isinstance(body, list):
        return [added(item) for item in body]
    return {name: added(item) for name, item in body.items()} if isinstance(body, dict) else body


@pytest.mark.parametrize(
    ("stream", "odd"), [*((name, None) for name in LISTS), ("events", added), ("rewards", added)]
)
def test_a_window_has_its_first_moment_and_not_its_last(read, stream, odd):
    """Whatever the zone and the digits, and though the server sends all rows."""
    output, asked = read(stream, odd=odd, **WINDOW, emit_activate_version_messages=True)
    assert ids(output, stream) == [*WITHIN]
    assert "ACTIVATE_VERSION" not in output.text
    found = receipt(output, stream)
    assert found["whole"] is False
    assert "2026-03-08T02:00:00.500000+02:00" in found["reason"]
    param = LISTS[stream][2]
    assert all(param in query for query in asked if "afterStart" not in query) or param is None
    by = "API" if param else "tap"
    (line,) = [line for line in said(output, "INFO") if line.startswith(f"before {END}")]
    assert line == f"before {END}: cut by the {by}: {stream}"


@pytest.mark.parametrize("stream", LISTS)
def test_an_end_alone(read, stream):
    output, _ = read(stream, end_date=END)
    assert ids(output, stream) == [1, *WITHIN]
    assert receipt(output, stream)["reason"].startswith("only rows before 2026-03-08T02:00")


@pytest.mark.parametrize("stream", ["customers", "invoice_events", "orders", "bookings"])
def test_a_later_end_goes_on_from_the_bookmark(read, stream):
    """The look-back is as ever, but not beyond either bound."""
    times = {n: f"2026-03-{n:02}T00:00:00Z" for n in range(1, 29)}
    first, _ = read(stream, times, start_date="2026-03-03", end_date="2026-03-10", lookback=0)
    assert ids(first, stream) == [*range(3, 10)]
    second, _ = read(
        stream, times, start_date="2026-03-03", end_date="2026-03-20", lookback=0, state=first.state
    )
    assert {*range(10, 20)} <= {*ids(second, stream)} <= {*range(9, 20)}
    back, _ = read(stream, times, start_date="2026-03-03", end_date="2026-03-20", state=first.state)
    assert min(ids(back, stream)) > 2
    assert max(ids(back, stream)) == 19
    daily, _ = read(stream, times, start_date="2026-03-03", lookback=0, state=second.state)
    assert {*range(20, 29)} <= {*ids(daily, stream)} <= {*range(19, 29)}
    assert daily.state["bookmarks"][stream]["window_start"] == "2026-03-03T00:00:00+00:00"


@pytest.mark.parametrize("stream", ["customers", "events", "rewards"])
def test_windows_that_come_newest_first_share_a_state(read, stream):
    times = {n: f"2026-03-{n:02}T00:00:00Z" for n in range(1, 29)}
    state, found = None, []
    for first, last in ((21, 29), (11, 21), (1, 11)):
        window = {"start_date": f"2026-03-{first:02}", "end_date": f"2026-03-{last:02}"}
        output, _ = read(stream, times, state=state, **window)
        again, _ = read(stream, times, state=output.state, lookback=0, **window)
        assert len(ids(again, stream)) <= 1, "that window is done"
        found.append(ids(output, stream))
        state = again.state
    assert found == [[*range(21, 29)], [*range(11, 21)], [*range(1, 11)]]


@pytest.mark.parametrize("stream", ["customers", "orders", "rewards", "bookings"])
def test_a_bookmark_behind_the_end_stays_and_nothing_is_asked_for(read, stream):
    plain, _ = read(stream)
    output, asked = read(stream, **WINDOW, state=plain.state)
    assert asked == []
    assert ids(output, stream) == []
    assert bookmark(output, stream) == bookmark(plain, stream)
    assert [line for line in said(output, "INFO") if line.startswith(f"{stream}: nothing is read, as it was")]


@pytest.mark.parametrize("stream", ["events", "invoice_events"])
def test_the_bookmark_of_ids_stays_before_rows_that_may_be_made_at_the_end(read, stream):
    """Row 3 was given its id before row 4, and is made after the end: the next window must have it."""
    times = {
        1: "2026-03-01T00:00:00Z",
        2: "2026-03-09T23:50:00Z",
        3: "2026-03-10T00:00:10Z",
        4: "2026-03-09T23:59:50Z",
        5: "2026-03-10T00:01:00Z",
    }
    first, _ = read(stream, times, end_date="2026-03-10")
    assert ids(first, stream) == [1, 2, 4]
    assert bookmark(first, stream) == 2
    second, _ = read(stream, times, end_date="2026-03-11", state=first.state)
    assert {3, 4, 5} <= {*ids(second, stream)}


def test_rows_without_a_time_belong_to_no_window_and_are_not_lost(read):
    output, _ = read("customers", {**TIMES, 11: None}, **WINDOW)
    assert ids(output, "customers") == [*WITHIN, 11]


def test_another_key_of_the_catalog_is_cut_in_the_tap(tmp_path):
    rows = [{"coupon": row} for row in rows_of(TIMES, "created_at")]
    chosen = select(TapBilling, "coupons", replication_key="created_at", replication_method="INCREMENTAL")
    with JsonApi(lambda path, query: numbered(rows, query)) as api:
        output = call(TapBilling, tmp_path, url=api.url, catalog=chosen, **WINDOW)
    assert ids(output, "coupons") == [*WITHIN]
    assert f"before {END}: cut by the tap: coupons" in output.log


def test_what_is_read_whole_all_the_same_is_named_and_claims_deletes(tmp_path):
    def answer(path, query):
        if path == "/customers.json":
            return customers(TIMES)(path, query)
        return numbered([{"coupon": {"id": 1}}], query)

    chosen = select(TapBilling, "customers", "coupons")
    with JsonApi(answer) as api:
        claims = {"emit_activate_version_messages": True, "full_read_every": 1}
        output = call(TapBilling, tmp_path, url=api.url, catalog=chosen, **WINDOW, **claims)
    (line,) = [line for line in said(output, "INFO") if line.startswith("before")]
    assert line == f"before {END}: cut by the API: customers; read whole: coupons"
    gone = [message["stream"] for message in output.messages if message["type"] == "ACTIVATE_VERSION"]
    assert gone == ["coupons"]
    warning = "full_read_every is ignored: with start_date and end_date, no read is whole"
    assert warning in said(output, "WARNING")


def failing(handle, until):
    """The server, which refuses the key from some request on."""
    asked = []

    def answer(path, query):
        asked.append(query)
        return (401, {}) if len(asked) > until else handle(path, query)

    return answer


@pytest.mark.parametrize("stream", ["customers", "orders", "events"])
@pytest.mark.parametrize("moved", [False, True])
def test_an_interrupted_window_goes_on_and_another_does_not(tmp_path, stream, moved):
    tap, serve, _ = LISTS[stream]
    began = datetime(2026, 3, 1, tzinfo=timezone.utc)
    times = {n: (began + timedelta(hours=n)).isoformat() for n in range(200)}
    more = {"catalog": select(tap, stream), "page_size": 20, "concurrency": 1, "lookback": 0}
    window = {"start_date": "2026-03-02", "end_date": "2026-03-05"}
    whole = {*range(24, 96)}
    with JsonApi(failing(serve(times), 6)) as api:
        first = call(tap, tmp_path, url=api.url, **more, **window)
    assert first.code == 2
    then = {"start_date": "2026-03-01", "end_date": "2026-03-02"} if moved else window
    with JsonApi(serve(times)) as api:
        second = call(tap, tmp_path, url=api.url, state=first.state, **more, **then)
    assert second.code == 0, second.log
    found = {*ids(first, stream), *ids(second, stream)}
    assert found - {*ids(first, stream)} == {*range(24)} if moved else found == whole
    assert moved or len(ids(second, stream)) < len(whole)


@pytest.mark.parametrize("order", ["as asked", "newest first", "none"])
@pytest.mark.parametrize("stream", ["events", "invoice_events"])
def test_a_list_that_the_api_does_not_cut_is_read_no_further_than_the_window(read, stream, order):
    """If it comes in order: by ids, and by times but for some minutes."""
    began = datetime(2026, 3, 1, tzinfo=timezone.utc)
    made = [(began + timedelta(hours=n)).isoformat() for n in range(400)]
    made[51], made[95] = made[95], made[51]  # given its id early, and late
    times = dict(enumerate(made))
    window = {"start_date": "2026-03-02", "end_date": "2026-03-05", "page_size": 20}
    state = {"bookmarks": {stream: {"replication_key": "id", "replication_key_value": 24}}}
    if order == "newest first":
        times = dict(reversed(times.items()))
    elif order == "none":
        times = {n: made[n] for n in Random(3).sample(range(400), 400)}
    output, asked = read(stream, times, state=state, lookback=3600, **window)
    assert {*ids(output, stream)} == {*range(24, 96)}
    assert len(asked) < 8 if order == "as asked" else len(asked) >= 19
    assert ("does not come in order" in output.log) is (order != "as asked")
