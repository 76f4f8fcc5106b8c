"""STATE as other programs treat it: merged into the last one, or kept only behind the last record."""

from __future__ import annotations

import json

import pytest

from in_process import call, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from two_taps import billing

ROWS = 500


def merged(new, old):
    """What Meltano makes of the STATE of a run and of the one before: nothing is ever taken away.

    Like its own, it fails at an object that comes where null was.
    """
    for name, value in new.items():
        if isinstance(value, dict):
            merged(value, old.setdefault(name, {}))
        else:
            old[name] = value
    return old


class Broken:
    """Lists that break off until they are mended; five rows change when they are told to."""

    def __init__(self):
        self.breaks, self.changed = True, False

    def rows(self, offset):
        if self.breaks and offset >= ROWS // 2:
            return None
        return [{"id": n, "title": "new" if self.changed and n < 5 else "old"} for n in range(1, ROWS + 1)]

    def billing(self, path, query):
        rows = self.rows((int(query.get("page", 1)) - 1) * int(query.get("per_page", 20)))
        return (
            (500, {})
            if rows is None
            else numbered([{"coupon": {**row, "name": row["title"]}} for row in rows], query)
        )

    def events(self, path, query):
        rows = self.rows(int(query.get("offset", 0)))
        return (500, {}) if rows is None else {"pagination": [{"total": ROWS}], "events": cut(rows, query)}


@pytest.mark.parametrize(
    ("tap", "stream", "answers"), [(TapBilling, "coupons", "billing"), (TapEvents, "events", "events")]
)
def test_J01_a_checkpoint_does_not_outlive_its_run(tmp_path, tap, stream, answers):
    server, state = Broken(), {}
    with JsonApi(getattr(server, answers)) as api:

        def read():
            output = call(tap, tmp_path, url=api.url, state=state, catalog=select(tap, stream))
            merged(output.state, state)
            return [row["id"] for row in output.records.get(stream, [])]

        first = read()
        assert 0 < len(first) < ROWS
        server.breaks = False
        assert {*first, *read()} == set(range(1, ROWS + 1))
        server.changed = True
        for _ in range(2):
            assert len(read()) == ROWS


def last_state(output):
    """What many targets print at the end: the STATE behind the last record."""
    state = ""
    for line in output.text.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            state = ""
        elif message["type"] == "STATE":
            state = json.dumps(message["value"])
    return state


def orders(path, query):
    rows = [{"id": f"A{n}", "created_at": f"2026-01-0{n}T00:00:00Z"} for n in (3, 2, 1)]
    return {"orders": cut(rows, query)}


@pytest.mark.parametrize(
    ("tap", "stream", "server"),
    [(TapBilling, "customers", billing), (TapRewards, "orders", lambda: JsonApi(orders))],
)
def test_J02_a_quiet_run_ends_with_a_state_behind_its_records(tmp_path, tap, stream, server):
    state = None
    with server() as api:
        for _ in range(3):
            output = call(tap, tmp_path, url=api.url, state=state, catalog=select(tap, stream))
            assert output.code == 0, output.log
            assert output.records[stream]
            state = last_state(output)
            assert json.loads(state)["bookmarks"][stream]["replication_key_value"]


def rewards(path, query):
    """Newest first by their creation, and in no order by their delivery."""
    rows = [
        {
            "id": f"A{n}",
            "created_at": f"2026-03-{30 - n % 28:02}T00:00:00Z",
            "deliver_at": f"2026-02-{n * 7 % 28 + 1:02}T00:00:00Z",
        }
        for n in range(700)
    ]
    rows.sort(key=lambda row: row["created_at"], reverse=True)
    return {"rewards": cut(rows, query), "total_count": len(rows)}


def test_J03_no_reading_stops_early_by_a_key_that_the_list_is_not_ordered_by(tmp_path):
    """`deliver_at` can be a day or a moment, and so is a text: it has no order."""
    catalog = select(TapRewards, "rewards", replication_key="deliver_at")
    state = {
        "bookmarks": {"rewards": {"replication_key": "deliver_at", "replication_key_value": "2026-02-01"}}
    }
    with JsonApi(rewards) as api:
        refused = call(TapRewards, tmp_path, url=api.url, catalog=catalog, state=state)
        assert refused.code == 1
        assert "catalog: rewards: replication-key `deliver_at` is no time" in refused.log
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, "rewards"), state=state)
        assert output.code == 0, output.log
        assert len({row["id"] for row in output.records["rewards"]}) == 700
