"""Bookings from run to run: what changed is read, and nothing is lost."""

from __future__ import annotations

import contextlib
import io
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest

from in_process import select
from support import KEY, Output, discovered, run
from tap_core.errors import ApiError
from tap_scheduling.tap import TapScheduling

OTHERS = ("event_types", "my_profile", "schedules", "calendars", "conferencing")
LAST = "2026-01-30T00:00:00.000Z"
"""When the newest bookings of the sandbox were changed."""


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/scheduling", "api_key": KEY, "requests_per_minute": 100_000}


@pytest.fixture
def bookings(api):
    return api.data["scheduling"]["bookings"]


def queries(api):
    return [
        {name: values[0] for name, values in parse_qs(entry.query).items()}
        for entry in api.matching("/scheduling/v1/bookings")
    ]


def keys(rows):
    return {(row["id"],) for row in rows}


def bookmark(output):
    return output.state["bookmarks"]["bookings"].get("replication_key_value")


def state_at(value):
    return {
        "bookmarks": {"bookings": {"replication_key": "updatedAt", "replication_key_value": value}},
    }


def test_first_run_reads_everything_and_sends_no_filter(api, config, bookings):
    output = run(TapScheduling, config)
    assert output.rows("bookings").keys() == keys(bookings)
    assert any(row["updatedAt"] is None for row in output.records["bookings"])
    assert bookmark(output) == LAST
    assert all(query["sortCreated"] == "asc" and len(query) <= 3 for query in queries(api))


def lately_held(bookings):
    """Those whose meeting began in the two weeks before the last run's bookmark, or later."""
    return [row for row in bookings if row["start"] >= "2026-01-15T23:59:00.000Z"]


def test_second_run_over_unchanged_data_costs_six_requests(api, config, bookings):
    first = run(TapScheduling, config)
    api.clear()
    second = run(TapScheduling, config, state=first.state, catalog=select(TapScheduling, *OTHERS, "bookings"))
    since = {"afterUpdatedAt": "2026-01-29T23:59:00.000Z", "sortUpdatedAt": "asc", "take": "100"}
    assert queries(api)[:3] == [{**since, "skip": "0"}, {**since, "skip": "4"}, {**since, "skip": "5"}]
    held = queries(api)[3:]
    assert len(held) == 3
    assert {query.pop("beforeEnd") > "2026-03" for query in held} == {True}
    names = {"skip", "take", "afterStart", "sortStart"}
    assert all(query.keys() == names and query["sortStart"] == "asc" for query in held)
    assert {query["afterStart"] for query in held} == {"2026-01-15T23:59:00.000Z"}
    assert len(api.requests) == 13
    changed = [row for row in bookings if row["updatedAt"] == LAST]
    assert second.rows("bookings").keys() == keys(changed) | keys(lately_held(bookings))
    assert len(second.records["bookings"]) == len(second.rows("bookings"))
    assert bookmark(second) == LAST


def test_H02_a_guest_who_is_marked_absent_after_the_meeting(api, config, bookings):
    """Only the guest's row is written then, and not the booking's `updatedAt`."""
    bookings[0].update(updatedAt="2026-02-14T10:00:00.000Z")
    held = [row for row in bookings if "2026-02-02" < row["start"] < "2026-02-14"]
    before = [row for row in bookings if "2026-01-01" < row["start"] < "2026-01-20"]
    undated = held[3]
    undated["updatedAt"] = None
    first = run(TapScheduling, config)
    for row in [*held, *before]:
        row["attendees"][0]["absent"] = True
    second = run(TapScheduling, config, state=first.state)
    rows = second.rows("bookings")
    assert {rows[row["id"],]["attendees"][0]["absent"] for row in held} == {True}
    assert (undated["id"],) in rows
    assert rows.keys().isdisjoint(keys(before))
    assert len(second.records["bookings"]) == len(rows)


def test_H02_guests_of_meetings_before_the_start_date_are_not_read(api, config, bookings):
    start = "2026-01-28T00:00:00.000Z"
    state = state_at(LAST)
    output = run(TapScheduling, {**config, "start_date": start}, state=state)
    assert all(row["updatedAt"] is None or row["updatedAt"] >= start for row in output.records["bookings"])


def test_H02_meetings_that_can_not_be_read_again_hold_the_bookmark(api, config, bookings):
    """What is not seen in this run is seen in the next, from where this one began."""
    first = run(TapScheduling, config)
    bookings[0]["updatedAt"] = "2026-02-14T10:00:00.000Z"
    api.fault("status", path="/scheduling/v1/bookings", query="afterStart", status=401)
    second = interrupted(config, first.state)
    assert bookmark(second) == LAST
    assert keys([bookings[0]]) <= second.rows("bookings").keys()
    held = [row for row in lately_held(bookings) if (row["updatedAt"] or "") < LAST]
    for row in held:
        row["attendees"][0]["absent"] = True
    api.clear()
    rows = run(TapScheduling, config, state=second.state).rows("bookings")
    assert {rows[row["id"],]["attendees"][0]["absent"] for row in held} == {True}


def test_changes_between_two_runs(api, config, bookings):
    first = run(TapScheduling, config)
    moments = [f"2026-01-30T{minute // 60:02}:{minute % 60:02}:00.500Z" for minute in range(230)]
    for row, moment in zip(bookings[:200], moments, strict=False):
        row.update(updatedAt=moment, title="Moved ✈")
    undated = next(row for row in bookings[200:] if row["updatedAt"] is None)
    undated.update(updatedAt=LAST, status="cancelled")
    bookings += [
        {**bookings[0], "id": number, "createdAt": moment, "updatedAt": moment}
        for number, moment in enumerate(moments[200:], start=1)
    ]
    api.clear()
    second = run(TapScheduling, config, state=first.state)
    assert first.rows("bookings") | second.rows("bookings") == {(row["id"],): row for row in bookings}
    assert len([query for query in queries(api) if "afterUpdatedAt" in query]) <= 5
    assert bookmark(second) == max(row["updatedAt"] or "" for row in bookings)
    second.check()


def test_capped_pages_after_the_first_run(api, config, bookings):
    first = run(TapScheduling, config)
    for number, row in enumerate(bookings[:40]):
        row["updatedAt"] = f"2026-01-30T00:01:{number:02}.000Z"
    api.fault("page_cap", path="/scheduling", size=7)
    second = run(TapScheduling, config, state=first.state)
    assert second.rows("bookings").keys() >= keys(bookings[:40])


def test_bound_is_inclusive(config, bookings):
    moment = bookings[7]["updatedAt"]
    output = run(TapScheduling, {**config, "lookback": 0}, state=state_at(moment))
    at_least = keys(row for row in bookings if row["updatedAt"] and row["updatedAt"] >= moment)
    two_weeks_before = datetime.fromisoformat(moment.replace("Z", "+00:00")) - timedelta(days=14)
    again = keys(row for row in bookings if row["start"] >= two_weeks_before.isoformat())
    assert output.rows("bookings").keys() == at_least | again


def test_bookmark_in_another_zone_is_sent_as_utc(api, config):
    run(TapScheduling, {**config, "lookback": 0}, state=state_at("2026-01-05T09:30:00+02:00"))
    assert queries(api)[0]["afterUpdatedAt"] == "2026-01-05T07:30:00.000Z"


def test_lookback(api, config):
    run(TapScheduling, {**config, "lookback": 3600}, state=state_at("2026-01-05T09:30:00.250Z"))
    assert queries(api)[0]["afterUpdatedAt"] == "2026-01-05T08:30:00.250Z"


@pytest.mark.parametrize("start_date", ["2025-12-24", "2025-12-24T00:00:00Z", "2025-12-24T01:00:00+01:00"])
def test_start_date_bounds_the_first_read(api, config, bookings, start_date):
    output = run(TapScheduling, {**config, "start_date": start_date})
    wanted = [row for row in bookings if row["updatedAt"] and row["updatedAt"] >= "2025-12-24"]
    assert output.rows("bookings").keys() == keys(wanted)
    assert 0 < len(wanted) < 100
    assert len(queries(api)) == 3  # two of them prove that the list ends there


def test_start_date_in_the_future(api, config):
    output = run(TapScheduling, {**config, "start_date": "2999-01-01"})
    assert "bookings" not in output.records
    assert len(queries(api)) == 1
    assert bookmark(output) is None


def test_H08_totals_that_ignore_the_filter_are_no_cause_for_a_warning(config, caplog):
    run(TapScheduling, {**config, "start_date": "2025-12-24"})
    assert "the API says" not in caplog.text


def test_rows_without_a_date_do_not_move_the_bookmark(api, config, bookings):
    for row in bookings:
        row["updatedAt"] = None
    output = run(TapScheduling, config)
    assert output.rows("bookings").keys() == keys(bookings)
    assert bookmark(output) is None
    again = run(TapScheduling, config, state=output.state)
    assert again.rows("bookings").keys() == keys(bookings)


def test_full_table_when_the_catalog_says_so(api, config, bookings):
    catalog = discovered(TapScheduling)
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    output = run(TapScheduling, config, state=state_at(LAST), catalog=catalog)
    assert output.rows("bookings").keys() == keys(bookings)


def interrupted(config, state=None):
    """Run to where the server fails, and give what was written."""
    written = io.StringIO()
    tap = TapScheduling(config={**config, "max_retries": 0, "backoff_factor": 0.01}, state=state or {})
    with contextlib.redirect_stdout(written), pytest.raises(ApiError, match="was refused"):
        tap.run()
    return Output(written.getvalue())


def test_interrupted_first_run(api, config, bookings):
    by_creation = sorted(bookings, key=lambda row: row["createdAt"])
    api.fault("status", path="/scheduling/v1/bookings", query="skip=294", status=401)
    first = interrupted(config)
    assert bookmark(first) is None
    assert 0 < len(first.records["bookings"]) < len(bookings)
    api.clear()
    began = datetime.now(timezone.utc)
    by_creation[5]["updatedAt"] = began.isoformat(timespec="milliseconds")
    by_creation[500]["updatedAt"] = (began + timedelta(milliseconds=1)).isoformat(timespec="milliseconds")
    time.sleep(0.01)
    second = run(TapScheduling, config, state=first.state)
    third = run(TapScheduling, {**config, "lookback": 0}, state=second.state)
    rows = {**first.rows("bookings"), **second.rows("bookings"), **third.rows("bookings")}
    assert rows == {(row["id"],): row for row in bookings}
    assert bookmark(second) == LAST


def test_interrupted_second_run(api, config, bookings):
    first = run(TapScheduling, config)
    for number, row in enumerate(bookings[:250]):
        row["updatedAt"] = f"2026-01-30T00:{number // 60:02}:{number % 60:02}.000Z"
    api.fault("status", path="/scheduling/v1/bookings", query="skip=98&", status=401)
    second = interrupted(config, first.state)
    assert bookmark(second) == LAST
    api.clear()
    third = run(TapScheduling, config, state=second.state)
    rows = {**first.rows("bookings"), **second.rows("bookings"), **third.rows("bookings")}
    assert rows == {(row["id"],): row for row in bookings}
