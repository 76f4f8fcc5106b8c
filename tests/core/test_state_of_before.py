"""STATE that version 0.1.0 wrote, of whole and of interrupted runs over the sandbox, is read on."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from api_sandbox import Sandbox
from in_process import select
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

STATES = json.loads((Path(__file__).parent / "states_of_0_1_0.json").read_text())
TAPS = {
    "events": (TapEvents, ()),
    "scheduling": (TapScheduling, ("bookings",)),
    "promotions": (TapPromotions, ()),
    "billing": (TapBilling, ("customers", "invoices", "subscriptions", "transactions")),
    "rewards": (TapRewards, ("orders", "rewards", "balance_transactions")),
}


def settings(api, name):
    path = "promotions/v2" if name == "promotions" else name
    keys = {"bearer_token": KEY} if name == "promotions" else {"api_key": KEY}
    return {"api_url": f"{api.url}/{path}", **keys, "requests_per_minute": 100_000}


@pytest.mark.parametrize("name", TAPS)
def test_bookmarks(api, name):
    tap, incremental = TAPS[name]
    whole = run(tap, settings(api, name))
    output = run(tap, settings(api, name), state=STATES[name]["whole"])
    for stream, rows in whole.records.items():
        if stream in incremental:
            assert len(output.records.get(stream, ())) < len(rows), stream
        else:
            assert len(output.records[stream]) == len(rows), stream
    for stream in incremental:
        old, new = STATES[name]["whole"]["bookmarks"][stream], output.state["bookmarks"][stream]
        assert new["replication_key_value"] == old["replication_key_value"]
        assert new.get("page_size") is None


@pytest.fixture(scope="module")
def whole():
    """The sandbox with as many events as it had then."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("name", "stream"), [("events", "events"), ("scheduling", "bookings"), ("billing", "customers")]
)
def test_checkpoints(whole, name, stream, caplog):
    caplog.set_level(logging.INFO)
    tap, _ = TAPS[name]
    state = STATES[name]["cut"]
    key = state["bookmarks"][stream]["checkpoint"]["key"]
    keys = [str(row["id"]) for row in run(tap, settings(whole, name)).records[stream]]
    then = select(tap, *STATES[name]["whole"]["bookmarks"])  # a new list below would be read for all parents
    output = run(tap, settings(whole, name), state=state, catalog=then)
    assert f"{stream}: going on where the last run was interrupted" in caplog.text
    rest = [str(row["id"]) for row in output.records[stream]]
    assert len(rest) < len(keys)
    assert set(rest) == set(keys[keys.index(key) + 1 :])
    assert output.state["bookmarks"][stream]["checkpoint"] is None
