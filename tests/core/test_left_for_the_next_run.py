"""What a run could not read is read by the next one, however the first one ended."""

from __future__ import annotations

import json
import re

import pytest

from in_process import call, select
from json_api import JsonApi, cut, numbered
from lists import only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling


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


ROWS = [{"id": str(n), "updated_at": f"2026-01-0{n}T00:00:00Z"} for n in range(1, 7)]


def customers(rows, query):
    found = [{**row, "id": row["id"] and int(row["id"])} for row in rows]
    return numbered(
        [{"customer": row} for row in found if row["updated_at"] >= query.get("since", "")], query
    )


def orders(rows, query):
    found = [{"id": row["id"], "created_at": row["updated_at"]} for row in reversed(rows)]
    return {"orders": cut(found, query)}


@pytest.mark.parametrize("cause", ["no key", "a map takes the key", "null"])
@pytest.mark.parametrize(
    ("tap", "stream", "answer"), [(TapBilling, "customers", customers), (TapRewards, "orders", orders)]
)
def test_A03_a_row_that_cant_be_loaded_is_read_again(tmp_path, tap, stream, answer, cause):
    """It is named, and the bookmark stays; the next run has it, when it was put right."""
    bad = {"yes": True}

    def handle(path, query):
        rows = [
            {**row, "id": None} if cause == "no key" and bad["yes"] and row["id"] == "2" else row
            for row in ROWS
        ]
        found = answer(rows, query)
        if cause == "null" and bad["yes"]:
            listed = found if isinstance(found, list) else found["orders"]
            listed[1:2] = [None] * len(listed[1:2])
        return found

    maps = {stream: {"id": "id if str(id) != '2' else None"}} if cause.startswith("a map") else None
    ids = set()
    with JsonApi(handle) as api:
        read = {"url": api.url, "catalog": select(tap, stream)}
        first = call(tap, tmp_path, **read, **({"stream_maps": maps} if maps else {}))
        bad["yes"] = False
        second = call(tap, tmp_path, **read, state=first.state)
    assert (first.code, second.code) == (2, 0)
    assert first.state["bookmarks"][stream].get("replication_key_value") is None
    for output in (first, second):
        ids |= {str(row["id"]) for row in output.records[stream]}
    assert ids == {row["id"] for row in ROWS}
    assert second.state["bookmarks"][stream]["replication_key_value"] == ROWS[-1]["updated_at"]


def test_A03_an_incremental_list_that_seemed_gone_is_read_again(tmp_path):
    """A 404 of one parent's list costs nothing else, and the bookmark of all lists stays for it."""
    gone = {"yes": True}

    def handle(path, query):
        if not path.endswith("usages.json"):
            rows = [{"subscription_id": n, "component_id": 7, "kind": "metered_component"} for n in range(9)]
            return {"subscriptions_components": numbered(rows, query)}
        parent = int(path.split("/")[-4])
        if gone["yes"] and parent == 4:
            return 404, {}
        row = {"id": parent, "created_at": "2026-01-01T00:00:00Z"}
        return [{"usage": row}] if query.get("page", "1") == "1" else []

    with JsonApi(handle) as api:
        runs, state = [], {}
        for _ in range(3):
            config = {"url": api.url, "catalog": select(TapBilling, "usages"), "lookback": 0}
            runs.append(call(TapBilling, tmp_path, state=state, **config))
            gone["yes"], state = False, runs[-1].state
    first, second, third = runs
    assert [output.code for output in runs] == [0, 0, 0]
    assert {row["id"] for row in first.records["usages"]} == {*range(9)} - {4}
    assert {row["id"] for row in second.records["usages"]} == {*range(9)}
    assert third.state["bookmarks"]["usages"]["replication_key_value"] == "2026-01-01T00:00:00Z"


def test_A03_attendees_of_an_old_booking_that_seemed_gone_are_read_again(tmp_path):
    """The bookmark of bookings stays before it, as lists are read for the bookings alone that a run reads."""
    gone = {"yes": True}
    rows = [
        {"id": n, "uid": f"u{n}", "end": "2025-01-01T00:00:00Z", "updatedAt": f"2026-01-0{n}T00:00:00Z"}
        for n in range(1, 8)
    ]

    def handle(path, query):
        if not path.endswith("/attendees"):
            found = [row for row in rows if row["updatedAt"] >= query.get("afterUpdatedAt", "")]
            found = [] if "afterStart" in query or "afterEnd" in query else found
            return {"status": "success", "data": cut(found, query, start="skip", size="take")}
        number = int(path.split("/")[-2].removeprefix("u"))
        if gone["yes"] and number == 3:
            return 404, {}
        return {"status": "success", "data": [{"id": 100 + number}]}

    with JsonApi(handle) as api:
        found, state = [], {}
        for _ in range(3):
            catalog = select(TapScheduling, "bookings", "booking_attendees")
            output = call(TapScheduling, tmp_path, url=api.url, state=state, catalog=catalog, lookback=0)
            assert output.code == 0, output.log
            found.append({row["id"] - 100 for row in output.records.get("booking_attendees", [])})
            gone["yes"], state = False, output.state
    assert found[:2] == [{1, 2, 4, 5, 6, 7}, {3, 4, 5, 6, 7}]
    assert found[2] <= {7}


@pytest.mark.parametrize(
    ("tap", "parents", "stream"), [(TapEvents, "events", "attendees"), (TapPromotions, "promotions", "users")]
)
def test_A03_a_list_of_an_ended_parent_that_seemed_gone_is_read_again(tmp_path, tap, parents, stream):
    """With `children_since` it would never have been asked for again."""
    gone = {"yes": True}
    rows = [{"id": n, "end_date": "2025-02-01T00:00:00Z", "end_time": "10:00"} for n in range(1, 13)]

    def handle(path, query):
        parts = path.strip("/").split("/")
        if parts[-1] == parents:
            name = "events" if parents == "events" else "items"
            return {name: cut(rows, query) if name == "events" else rows}
        parent = int(parts[-2] if stream == "attendees" else parts[-1])
        if gone["yes"] and parent == 5:
            return 404, {}
        found = [{"id": 100 + parent}]
        return {"attendees": cut(found, query)} if stream == "attendees" else {"items": found}

    with JsonApi(handle) as api:
        found, state = [], {}
        for _ in range(3):
            catalog = only(tap, parents, stream)
            output = call(tap, tmp_path, url=api.url, state=state, catalog=catalog, children_since=7)
            found.append({int(row["id"]) for row in output.records.get(stream, [])})
            gone["yes"], state = False, output.state
    everything = {100 + n for n in range(1, 13)}
    assert found == [everything - {105}, everything, set()]


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
