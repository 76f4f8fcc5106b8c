"""Reviews by the time of the redemption: two runs, and what changes without moving that time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from in_process import select
from rewards.truth import PATH, expected
from support import run
from tap_rewards.tap import TapRewards


def read(config, state=None, **more):
    return run(TapRewards, {**config, **more}, state=state, catalog=select(TapRewards, "fraud_reviews"))


def at(review):
    return datetime.fromisoformat(review["redeemed_at"].replace("Z", "+00:00"))


@pytest.mark.parametrize("cap", [None, 7])
def test_two_runs(api, config, cap):
    if cap:
        api.fault("page_cap", path=PATH, size=cap)
    first = read(config)
    reviews = api.data["rewards"]["fraud_reviews"]
    newest = max(map(at, reviews))
    for number in range(3):  # one of them in the very moment of the newest
        time = f"{(newest + timedelta(hours=number)).replace(tzinfo=None).isoformat('T', 'milliseconds')}Z"
        reviews.insert(0, {**reviews[0], "redeemed_at": time, "reward": {"id": f"NEW{number}"}})
    inside = next(row for row in reversed(reviews) if newest - at(row) < timedelta(days=29))
    outside = next(row for row in reviews if newest - at(row) > timedelta(days=31))
    inside["status"] = outside["status"] = "seen again"
    second = read(config, first.state)
    rows = first.rows("fraud_reviews") | second.rows("fraud_reviews")
    truth = {(row["reward_id"],): row for row in expected(api, "fraud_reviews")}
    late = (outside["reward"]["id"],)
    assert rows.pop(late)["status"] != truth.pop(late)["status"]
    assert rows == truth
    assert 3 < len(second.records["fraud_reviews"]) < len(truth)
    assert second.state["bookmarks"]["fraud_reviews"]["replication_key_value"] == reviews[0]["redeemed_at"]


def test_start_date(api, config):
    start = "2026-03-01T00:00:00Z"
    truth = [row for row in expected(api, "fraud_reviews") if row["redeemed_at"] >= start]
    assert read(config, start_date=start).records["fraud_reviews"] == truth
    assert 0 < len(truth) < 100
    assert all("redeemed_at%5Bgte%5D=2026-03-01T00%3A00%3A00Z" in entry.query for entry in api.requests)
