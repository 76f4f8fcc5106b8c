"""Two runs with changes in between: the union is the truth, and the second run is short."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from rewards.truth import INCREMENTAL, PATH, STREAMS, assert_all, bag, expected
from support import Output, command, discovered, run
from tap_rewards.tap import TapRewards

DAY = 86_400


def lists_of(api, stream):
    return [entry.query for entry in api.matching(f"{PATH}/{stream}(\\?|$)")]


def union(api, stream, *outputs):
    """The rows of several runs as a target has them: the last of each key."""
    rows = {}
    for output in outputs:
        rows |= output.rows(stream)
    assert bag(rows.values()) == bag(expected(api, stream)), stream


def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def stamp(moment):
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


@pytest.mark.parametrize("lookback", [None, 0, 3 * DAY])
def test_second_run_over_unchanged_data(api, config, lookback):
    if lookback is not None:
        config["lookback"] = lookback
    first = run(TapRewards, config)
    api.clear()
    second = run(TapRewards, config, state=first.state)
    second.check()
    for stream in INCREMENTAL:
        # A bookmark moves only behind a list that is shown to be at its end: by its total and a further
        # request, or, where the ledger says no total, by two.
        assert len(lists_of(api, stream)) <= (3 if stream == "balance_transactions" else 2), stream
        assert 0 < len(second.records[stream]) < len(first.records[stream]) / 4
        assert second.rows(stream).keys() <= first.rows(stream).keys()
        assert second.state["bookmarks"][stream] == first.state["bookmarks"][stream]
        union(api, stream, first, second)


@pytest.mark.parametrize("cap", [None, 7, 40])
def test_changes_between_two_runs(api, config, cap):
    if cap:
        api.fault("page_cap", path=PATH, size=cap)
    first = run(TapRewards, config)
    change(api.data["rewards"])
    second = run(TapRewards, config, state=first.state)
    assert_all(first, api, ["products"])
    for stream in STREAMS:
        union(api, stream, first, second)
    newest = api.data["rewards"]["orders"][0]["created_at"]
    assert second.state["bookmarks"]["orders"]["replication_key_value"] == newest
    third = run(TapRewards, config, state=second.state)
    for stream in STREAMS:
        union(api, stream, first, second, third)


def change(tables):
    """New rows of all kinds, some in the very moment of the newest; late changes of recent ones."""
    for name in ("orders", "rewards", "transactions"):
        newest = tables[name][0]
        last = at(newest["created_at"])
        times = [last, last, *(last + timedelta(hours=hours) for hours in (1, 1, 5))]
        new = [{**newest, "created_at": stamp(time)} for time in times]
        if name != "transactions":
            new = [{**row, "id": f"NEW{name[:2].upper()}{number}"} for number, row in enumerate(new)]
        tables[name][:0] = new[::-1]
    tables["orders"][9]["status"] = "CANCELED"
    tables["rewards"][9]["delivery"] = {"method": "EMAIL", "status": "FAILED"}
    # The balance of lines comes late, and an order's payment changes with a refund.
    for line in tables["transactions"][:8]:
        line["balance"] = Decimal("12.34")
    refunded = next(line for line in tables["transactions"] if line.get("order"))
    refunded["order"]["payment"]["refund"] = {"total": Decimal("5.5")}
    tables["invoices"][-1]["status"] = "MARKED_AS_PAID"
    tables["invoices"].insert(0, {**tables["invoices"][0], "id": "PPS-90001", "status": "OPEN"})
    tables["members"].insert(3, {**tables["members"][3], "id": "NEWMEMBER", "name": "Anew"})


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_run_that_fails_keeps_the_bookmark(api, config, tmp_path, stream):
    first = run(TapRewards, config)
    change(api.data["rewards"])
    api.fault("page_cap", path=f"{PATH}/{stream}", size=55)
    api.fault("status", path=f"{PATH}/{stream}", status=500, after=1)
    state = tmp_path / "state.json"
    state.write_text(json.dumps(first.state))
    settings = {**config, "max_retries": 0, "concurrency": 1, "lookback": 90 * DAY}
    failed = command("tap_rewards", "--state", state, config=settings, folder=tmp_path)
    assert failed.returncode == 2
    output = Output(failed.stdout)
    assert output.records[stream]
    name = "replication_key_value"
    assert output.state["bookmarks"][stream][name] == first.state["bookmarks"][stream][name]
    api.clear()
    union(api, stream, first, output, run(TapRewards, config, state=output.state))


def test_A05_a_smaller_page_than_ever_ends_nothing_before_the_bookmark(api, config):
    first = run(TapRewards, config)
    change(api.data["rewards"])
    api.fault("page_cap", path=f"{PATH}/balance_transactions", size=2)
    second = run(TapRewards, {**config, "lookback": 0}, state=first.state)
    rows = first.rows("balance_transactions") | second.rows("balance_transactions")
    assert len(rows) == len(expected(api, "balance_transactions"))


def test_late_changes_are_seen_within_the_look_back(api, config):
    first = run(TapRewards, config)
    orders = api.data["rewards"]["orders"]
    newest = at(orders[0]["created_at"])
    inside = next(o for o in reversed(orders) if newest - at(o["created_at"]) < timedelta(days=29))
    outside = next(o for o in orders if newest - at(o["created_at"]) > timedelta(days=31))
    inside["channel"] = outside["channel"] = "YOTPO"
    rows = run(TapRewards, config, state=first.state).rows("orders")
    assert rows[inside["id"],]["channel"] == "YOTPO"
    assert (outside["id"],) not in rows
    rows = run(TapRewards, {**config, "lookback": 100 * DAY}, state=first.state).rows("orders")
    assert rows[outside["id"],]["channel"] == "YOTPO"


def test_start_date_bounds_the_first_read(api, config):
    start = "2026-02-01T00:00:00Z"
    output = run(TapRewards, {**config, "start_date": start})
    for stream in INCREMENTAL:
        truth = [row for row in expected(api, stream) if row["created_at"] >= start]
        assert 0 < len(truth) < 100
        assert bag(output.records[stream]) == bag(truth)
        assert len(lists_of(api, stream)) <= (3 if stream == "balance_transactions" else 2)
    for stream in ("orders", "balance_transactions"):
        assert all(f"created_at%5Bgte%5D={start.replace(':', '%3A')}" in q for q in lists_of(api, stream))
    assert_all(output, api, [stream for stream in STREAMS if stream not in INCREMENTAL])


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_bounds_are_inclusive(api, config, stream):
    truth = expected(api, stream)
    times = Counter(row["created_at"] for row in truth)
    start = next(time for time, count in times.items() if count > 1 and time < truth[40]["created_at"])
    output = run(TapRewards, {**config, "start_date": start})
    assert bag(output.records[stream]) == bag(row for row in truth if row["created_at"] >= start)


def test_start_date_in_the_future(config):
    output = run(TapRewards, {**config, "start_date": "2099-01-01"})
    assert not set(INCREMENTAL) & output.records.keys()
    assert output.records["products"]


def test_filters_that_are_ignored_only_cost_requests(api, config):
    full = run(TapRewards, config)
    start = "2026-02-01T00:00:00Z"
    for stream in ("orders", "balance_transactions"):
        rows = [row for row in full.records[stream] if row["created_at"] >= start]
        some = [row for row in full.records[stream] if row["created_at"] < start][:30]
        name = "transactions" if stream == "balance_transactions" else stream
        plain = [{k: v for k, v in row.items() if k != "_sdc_key"} for row in rows + some]
        body = json.dumps({name: plain, "total_count": len(plain)}, default=float)
        api.fault("raw_body", path=f"{PATH}/{stream}", body=body)
    output = run(TapRewards, {**config, "start_date": start})
    for stream in ("orders", "balance_transactions"):
        assert {row["created_at"] for row in output.records[stream]} == {
            row["created_at"] for row in full.records[stream] if row["created_at"] >= start
        }


def test_full_table_on_demand(api, config):
    first = run(TapRewards, config)
    catalog = discovered(TapRewards)
    for entry in catalog["streams"]:
        if entry["stream"] == "rewards":
            entry["replication_method"] = "FULL_TABLE"
    second = run(TapRewards, config, state=first.state, catalog=catalog)
    assert_all(second, api, ["rewards"])
