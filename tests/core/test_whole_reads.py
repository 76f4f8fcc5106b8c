"""Whole reads of incremental streams: a lower bound claims nothing, and `full_read_every` makes one due."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from claims import CLAIMS, read, versions
from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_rewards.tap import TapRewards


def customers(rows):
    """Heeds the lower bound, as a day."""

    def answer(path, query):
        since = query.get("start_datetime", "")[:10]
        return numbered([{"customer": row} for row in rows if row["updated_at"][:10] >= since], query)

    return answer


def orders(rows):
    def answer(path, query):
        since = query.get("created_at[gte]", "")[:10]
        found = [row for row in rows if row["created_at"][:10] >= since]
        return {"orders": cut(found, query), "total_count": len(found)}

    return answer


def transactions(rows):
    """In order, so that the bookmark moves with each page of a read from a lower bound."""

    def answer(path, query):
        since = query.get("since_date", "")
        return numbered([{"transaction": row} for row in rows if row["created_at"][:10] >= since], query)

    return answer


INCREMENTAL = {
    "customers": (TapBilling, customers, "updated_at", int),
    "transactions": (TapBilling, transactions, "created_at", int),
    "orders": (TapRewards, orders, "created_at", str),
}


def rows_of(stream, count):
    *_, field, as_key = INCREMENTAL[stream]
    return [{"id": as_key(n), field: f"2026-0{1 + n // 28}-{1 + n % 28:02}T00:00:00Z"} for n in range(count)]


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_lower_bound_claims_nothing_and_a_line_says_why(tmp_path, stream):
    tap, serve, *_ = INCREMENTAL[stream]
    handle = serve(rows_of(stream, 200))
    first = read(tap, tmp_path, handle, stream)
    assert list(versions(first)[0]) == [stream]
    assert not [line for line in said(first, "INFO") if "called gone" in line]
    second = read(tap, tmp_path, handle, stream, state=first.state)
    assert versions(second)[0] == {}
    assert f"{stream}: no row is called gone: only what is new was asked for, from 2026-0" in second.log
    dated = read(tap, tmp_path, handle, stream, start_date="2025-01-01")
    assert versions(dated)[0] == {}
    assert f"{stream}: no row is called gone: only what is new was asked for, from 2025-01-01" in dated.log


def aged(state, stream, days):
    """STATE as if the last whole read were so many days ago."""
    older = json.loads(json.dumps(state))
    entry = older["bookmarks"][stream]
    entry["whole_read_at"] = (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()
    return older


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_whole_read_that_is_due(tmp_path, stream):
    tap, serve, *_ = INCREMENTAL[stream]
    rows = rows_of(stream, 200)
    run = {"full_read_every": 7}
    first = read(tap, tmp_path, serve(rows), stream, **run)
    assert "full_read_every" not in first.log, "there was no other way to read it"
    bookmark = first.state["bookmarks"][stream]["replication_key_value"]
    second = read(tap, tmp_path, serve(rows[1:]), stream, state=aged(first.state, stream, 6), **run)
    assert versions(second)[0] == {}
    older = aged(second.state, stream, 8)
    third = read(tap, tmp_path, serve(rows[1:-1]), stream, state=older, **run)
    day = older["bookmarks"][stream]["whole_read_at"][:10]
    assert f"{stream}: read whole, as it was so last on {day} (full_read_every)" in said(third, "INFO")
    assert list(versions(third)[0]) == [stream]
    assert len(third.records[stream]) == 198
    assert third.state["bookmarks"][stream]["replication_key_value"] == bookmark
    fourth = read(tap, tmp_path, serve(rows[1:-1]), stream, state=third.state, **run)
    assert versions(fourth)[0] == {}
    unset = read(tap, tmp_path, serve(rows[1:-1]), stream, state=older)
    assert versions(unset)[0] == {}


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_E12_a_whole_read_in_the_future_counts_as_one_of_this_run_with_a_line(tmp_path, stream):
    """As of a clock that was wrong once: it would be due never, or seventy years late."""
    tap, serve, *_ = INCREMENTAL[stream]
    rows, run = rows_of(stream, 60), {"full_read_every": 7}
    first = read(tap, tmp_path, serve(rows), stream, **run)
    future = aged(first.state, stream, -27_000)
    moment = future["bookmarks"][stream]["whole_read_at"]
    second = read(tap, tmp_path, serve(rows[1:]), stream, state=future, **run)
    told = f"{stream}: `whole_read_at` {moment!r} in STATE is in the future; this run's start counts"
    assert said(second, "WARNING") == [f"{told} (full_read_every)"]
    kept = datetime.fromisoformat(second.state["bookmarks"][stream]["whole_read_at"])
    assert abs(kept - datetime.now(timezone.utc)) < timedelta(minutes=1)
    third = read(tap, tmp_path, serve(rows[1:]), stream, state=aged(second.state, stream, 8), **run)
    assert list(versions(third)[0]) == [stream]
    unset = read(tap, tmp_path, serve(rows[1:]), stream, state=future)
    assert not said(unset, "WARNING")


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_whole_read_is_made_once_even_where_it_can_claim_nothing(tmp_path, stream):
    """A stream map filters its rows, today and in a week: it is no reason to read whole in every run."""
    tap, serve, *_ = INCREMENTAL[stream]
    run = {"full_read_every": 7, "stream_maps": {stream: {"__filter__": "id != 'x'"}}}
    first = read(tap, tmp_path, serve(rows_of(stream, 60)), stream, **run)
    second = read(tap, tmp_path, serve(rows_of(stream, 60)), stream, state=first.state, **run)
    assert "a stream map filters its rows" in first.log
    assert len(second.records[stream]) < len(first.records[stream]) == 60


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_whole_read_that_is_interrupted_goes_on(tmp_path, stream):
    """Of lists that come in order too: the bookmark stays where it was until the read is done."""
    tap, serve, *_ = INCREMENTAL[stream]
    rows, asked = rows_of(stream, 230), []
    run = {"full_read_every": 7, "page_size": 50}
    first = read(tap, tmp_path, serve(rows), stream, **run)

    def failing(path, query):
        asked.append(query)
        return (401, {}) if len(asked) > 3 else serve(rows)(path, query)

    stopped = read(tap, tmp_path, failing, stream, state=aged(first.state, stream, 8), **run)
    kept = [output.state["bookmarks"][stream]["replication_key_value"] for output in (first, stopped)]
    assert kept[0] == kept[1]
    second = read(tap, tmp_path, serve(rows), stream, state=stopped.state, **run)
    assert "going on where the last run was interrupted" in second.log
    ((version,),) = versions(stopped)[1].values()
    assert versions(second) == ({stream: version}, {stream: {version}})
    assert len(second.records[stream]) < len(rows)


def test_what_stands_in_the_way_is_said(tmp_path):
    output = call(TapBilling, tmp_path, full_read_every=3, start_date="2026-01-01")
    assert "full_read_every is ignored: with start_date, no read is whole" in said(output, "WARNING")
    batches = {"encoding": {"format": "jsonl"}, "storage": {"root": tmp_path.as_uri()}}
    chosen = {"catalog": select(TapBilling, "coupons"), "batch_config": batches, **CLAIMS}
    with JsonApi(lambda _, query: numbered([{"coupon": {"id": 1}}], query)) as api:
        output = call(TapBilling, tmp_path, url=api.url, **chosen)
    assert "ACTIVATE_VERSION" not in output.text
    line = "emit_activate_version_messages is ignored: batches of JSON lines and Parquet carry no version"
    assert said(output, "WARNING") == [line]
