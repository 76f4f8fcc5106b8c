"""What a run could not read is read by the next one, however the first one ended."""

from __future__ import annotations

import json
import re

import pytest

from json_api import JsonApi, cut, numbered
from lists import only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards


def last_state(text):
    states = [json.loads(line) for line in text.splitlines() if '"STATE"' in line]
    return states[-1]["value"] if states else {}


def run_to_its_failure(tap, config, catalog, capsys, state=None):
    """What a run writes before it fails."""
    with pytest.raises(ApiError):
        tap(config={"backoff_factor": 0.01, **config}, catalog=catalog, state=state or {}).run()
    return capsys.readouterr().out


def test_C04_a_list_of_a_child_that_failed_before_the_run_was_cut_short(capsys):
    """The key is refused at the fortieth parent, which ends the run as a kill would."""
    broken = {"yes": True}

    def handle(path, query):
        parts = path.split("/")
        if parts[-1] == "events":
            return {"events": cut([{"id": number} for number in range(1, 61)], query)}
        event = int(parts[-2])
        if broken["yes"] and event in {3, 40}:
            return (422 if event == 3 else 401), {}
        return {parts[-1]: cut([{"id": event * 1000 + number} for number in range(3)], query)}

    catalog = only(TapEvents, "events", "attendees")
    with JsonApi(handle) as api:
        first = run_to_its_failure(TapEvents, settings(api, concurrency=1), catalog, capsys)
        broken["yes"] = False
        second = run(TapEvents, settings(api), catalog=catalog, state=last_state(first))
    found = {int(key) for key in re.findall(r'"stream":"attendees","record":\{[^}]*"id":(\d+)', first)}
    found |= {row["id"] for row in second.records["attendees"]}
    assert found == {event * 1000 + number for event in range(1, 61) for number in range(3)}


def test_H04_a_row_that_could_not_be_sent_before_a_page_that_failed(capsys):
    rows = [{"id": n, "updated_at": f"2026-01-01T00:{n // 60:02}:{n % 60:02}-05:00"} for n in range(600)]
    broken = {"yes": True}

    def handle(path, query):
        size = min(200, int(query["per_page"]))
        begin = (int(query["page"]) - 1) * size
        if broken["yes"] and begin <= 50 < begin + size:
            return 500, {}
        if broken["yes"] and begin > 450:
            return 422, {}
        return [{"customer": row} for row in numbered(rows, query)]

    catalog = only(TapBilling, "customers")
    with JsonApi(handle) as api:
        first = run_to_its_failure(TapBilling, settings(api, max_retries=0), catalog, capsys)
        broken["yes"] = False
        second = run(TapBilling, settings(api), catalog=catalog, state=last_state(first))
    assert 50 in {row["id"] for row in second.records["customers"]}


def test_an_answer_that_two_streams_share_is_asked_for_again_by_one_that_steps_back():
    """Rows are deleted while the list is read, so that both streams look at the page before once more."""
    rows = [{"id": f"{number:03}"} for number in range(250)]
    requests = {"count": 0}

    def handle(path, query):
        requests["count"] += 1
        if requests["count"] == 2:
            del rows[:5]
        return {"members": cut(rows, query, cap=100)}

    streams = ("members", "account_members")
    with JsonApi(handle) as api:
        output = run(TapRewards, settings(api, concurrency=1), catalog=only(TapRewards, *streams))
    for stream in streams:
        assert {row["id"] for row in output.records[stream]} >= {f"{number:03}" for number in range(5, 250)}


def test_E04_the_total_of_an_earlier_page_counts_where_the_last_gives_none():
    rows = [{"id": str(number), "created_at": "2026-01-01T00:00:00Z"} for number in range(1000)]
    with (
        JsonApi(
            lambda _, query: {
                "orders": cut(rows[:397], query, cap=100),
                "total_count": 1000 if int(query["offset"]) < 390 else 0,
            }
        ) as api,
        pytest.raises(ApiError, match="where the API says there are 1000"),
    ):
        run(TapRewards, settings(api), catalog=only(TapRewards, "orders"))
