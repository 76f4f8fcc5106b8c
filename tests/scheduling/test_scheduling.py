"""tap-scheduling against the sandbox: every row and value, whatever the server does."""

from __future__ import annotations

import json
import re
import time

import pytest
from singer_sdk.testing import get_tap_test_class

from api_sandbox import Sandbox
from in_process import select
from scheduling.truth import OFF, STREAMS, assert_all, expected
from support import KEY, discovered, run
from tap_core.errors import ApiError
from tap_scheduling.tap import TapScheduling

BOOKINGS = "/scheduling/v1/bookings"
FAST = 100_000


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/scheduling", "api_key": KEY, "requests_per_minute": FAST}


def only(*streams):
    """A catalog with only these streams selected."""
    catalog = discovered(TapScheduling)
    for entry in catalog["streams"]:
        root = next(item for item in entry["metadata"] if not item["breadcrumb"])
        root["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


def test_all_rows_and_values(api, config):
    output = run(TapScheduling, config)
    assert_all(output, api)
    assert {name: len(rows) for name, rows in output.records.items()} == {
        name: len(expected(api, name)) for name in STREAMS
    }
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)


def test_one_schema_per_stream(config):
    schemas = run(TapScheduling, config).schemas
    assert {name: len(messages) for name, messages in schemas.items()} == dict.fromkeys(STREAMS, 1)
    assert schemas["calendars"][0]["key_properties"] == ["credentialId", "externalId"]
    assert schemas["bookings"][0]["bookmark_properties"] == ["updatedAt"]


def test_credentials_of_video_apps_are_not_emitted(api, config):
    assert "zoom-secret" in str(api.data["scheduling"]["conferencing"])
    output = run(TapScheduling, config)
    assert "zoom-secret" not in output.text
    assert "key" not in output.schemas["conferencing"][0]["schema"]["properties"]


def test_each_endpoint_in_its_own_version(api, config):
    run(TapScheduling, config)
    versions = {
        re.sub(r"\d+", "7", entry.path.removeprefix("/scheduling/v1/")): entry.headers.get("cal-api-version")
        for entry in api.requests
    }
    assert versions == {
        **dict.fromkeys(("me/ooo", "webhooks", "teams", "teams/7/memberships", "teams/7/event-types")),
        "event-types": "2024-04-15",
        "me": None,
        "schedules": "2024-06-11",
        "calendars": None,
        "bookings": "2024-08-13",
        "conferencing": None,
    }


def test_version_in_the_path(api, config):
    assert_all(run(TapScheduling, {**config, "api_version": "v2"}), api)
    assert {entry.path.split("/")[2] for entry in api.requests} == {"v2"}


def test_A16_lists_without_pages_cost_one_request_more(api, config):
    """They would be read in pages of a server that pages them; that they come whole shows by a request."""
    first = ("event_types", "my_profile", "schedules", "calendars", "conferencing")
    run(TapScheduling, config, catalog=only(*first))
    others = [entry.path.rpartition("/")[2] for entry in api.requests]
    paged = ["event-types", "schedules"]
    assert sorted(others) == sorted([*paged, *paged, "me", "calendars", "conferencing"])


def test_event_types_in_the_flat_shape_of_later_versions(api, config, monkeypatch):
    monkeypatch.setattr("tap_scheduling.streams.user.EventTypes.cal_api_version", "2024-06-14")
    output = run(TapScheduling, config, catalog=only("event_types"))
    output.check()
    own = [row["id"] for row in api.data["scheduling"]["event_types"] if row["teamId"] is None]
    assert [row["id"] for row in output.records["event_types"]] == own
    row = output.records["event_types"][0]
    assert "_sdc_unmapped" not in row
    assert row["disableRescheduling"] == {"disabled": False, "minutesBefore": 60}
    assert row["bookingFields"] == [{"type": "name", "slug": "name", "isDefault": True, "required": True}]
    assert row["bookingUrl"] == ""


@pytest.mark.parametrize(
    "data",
    ["[]", '{"eventTypeGroups": []}', '{"eventTypeGroups": [{"teamId": 1, "eventTypes": []}]}'],
)
def test_no_event_types(api, config, data):
    api.fault("raw_body", path="/scheduling/v1/event-types", body=f'{{"status": "success", "data": {data}}}')
    assert run(TapScheduling, config, catalog=only("event_types")).records == {}


def test_broken_calendar_accounts_are_named(config, caplog):
    output = run(TapScheduling, config, catalog=only("calendars"))
    assert "2 connected accounts can't be reached" in caplog.text
    accounts = {row["credentialId"] for row in output.records["calendars"]}
    assert len(accounts) == 7


def test_a_calendar_in_two_accounts_has_two_rows(api, config):
    shared = api.data["scheduling"]["me"][0]["email"]
    rows = run(TapScheduling, config, catalog=only("calendars")).rows("calendars")
    assert len([key for key in rows if key[1] == shared]) == 7


@pytest.mark.parametrize("start_date", [None, "2025-01-01"])
@pytest.mark.parametrize("size", [1, 7, 40, 99])
def test_page_cap_below_what_is_asked(api, config, size, start_date):
    del api.data["scheduling"]["bookings"][120:]
    api.fault("page_cap", path="/scheduling", size=size)
    output = run(TapScheduling, {**config, "start_date": start_date}, catalog=only("bookings"))
    dated = {key for key, row in expected(api, "bookings").items() if row["updatedAt"] or not start_date}
    assert output.rows("bookings").keys() == dated


@pytest.mark.parametrize("start_date", [None, "2025-01-01"])
def test_paging_ignored(api, config, start_date):
    api.fault("ignore_paging", path="/scheduling")
    output = run(TapScheduling, {**config, "start_date": start_date})
    dated = [row for row in api.data["scheduling"]["bookings"] if row["updatedAt"] or not start_date]
    assert len(output.records["bookings"]) == len(output.rows("bookings")) == len(dated)


def test_offset_ignored_but_not_the_page_size(api, config):
    api.fault("ignore_paging", path=BOOKINGS, limit_honoured=True)
    with pytest.raises(ApiError, match="ignores `skip` but not `take`"):
        run(TapScheduling, config, catalog=only("bookings"))


def test_first_attempt_of_every_request_fails(api, config):
    api.fault("status", status=503, first_attempts=True)
    assert_all(run(TapScheduling, config), api)


def test_same_bytes_whatever_the_concurrency(api, config):
    api.fault("latency", seconds=0.002, rate=0.5)

    def lines(concurrency):
        text = run(TapScheduling, {**config, "concurrency": concurrency}).text
        return re.sub(r'"(time_extracted|began)": ?"[^"]*"', "", text).splitlines()

    assert lines(1) == lines(16)


def test_pages_short_of_rows_that_were_just_deleted(api, config, caplog):
    tables = api.data["scheduling"]
    by_creation = sorted(tables["bookings"], key=lambda row: row["createdAt"])
    gone = [by_creation[place]["id"] for place in (3, 97, 98, 99, 100, 250, 518)]
    tables["deleted"] += gone
    output = run(TapScheduling, config, catalog=only("bookings"))
    assert output.rows("bookings").keys() == expected(api, "bookings").keys() - {(id_,) for id_ in gone}
    assert "read 513 records where the API says there are 520" in caplog.text


@pytest.mark.parametrize(
    ("field", "start_date"), [("createdAt", None), ("updatedAt", "2025-01-01"), ("updatedAt", None)]
)
def test_rows_of_the_same_moment_that_trade_places(api, config, field, start_date):
    rows = sorted(api.data["scheduling"]["bookings"], key=lambda row: row[field] or "")
    for first in (60, 165, 290):
        for row in rows[first : first + 70]:
            row[field] = f"2025-0{first // 60 + 1}-07T00:00:00.000Z"
    output = run(TapScheduling, {**config, "start_date": start_date}, catalog=only("bookings"))
    dated = {key for key, row in expected(api, "bookings").items() if row["updatedAt"] or not start_date}
    assert output.rows("bookings").keys() == dated


def test_bookings_that_come_and_go_during_the_read(api, config):
    rows = api.data["scheduling"]["bookings"]
    truth = set(expected(api, "bookings"))
    first = sorted(rows, key=lambda row: row["createdAt"])[:40]
    for number, row in enumerate(first[:30]):
        api.change(
            api="scheduling", resource="bookings", op="delete", where={"id": row["id"]}, after=1 + number % 3
        )
    new = [{**rows[-1], "id": 1, "createdAt": "2024-12-01T00:00:00.000Z"}]
    api.change(api="scheduling", resource="bookings", op="insert", rows=new, after=2)
    output = run(TapScheduling, config, catalog=only("bookings"))
    assert output.rows("bookings").keys() >= truth - {(row["id"],) for row in first[:30]}


def test_too_many_requests_without_retry_after(api, config, caplog):
    reset = {"X-RateLimit-Reset-Default": "1", "X-RateLimit-Remaining-Default": "0"}
    api.fault("status", path="/scheduling/v1/me", status=429, headers=reset, times=1)
    run(TapScheduling, config, catalog=only("my_profile"))
    assert "trying again in 1.0 s" in caplog.text


def test_reset_as_a_point_in_time(api, config, caplog):
    reset = {"X-RateLimit-Reset-Default": str(int(time.time()) + 1)}
    api.fault("status", path="/scheduling/v1/me", status=429, headers=reset, times=1)
    run(TapScheduling, config, catalog=only("my_profile"))
    assert re.search(r"trying again in [01]\.\d s", caplog.text)  # not the minute of one that names no time


def test_request_budget_by_default():
    tap = TapScheduling(config={"api_url": "http://127.0.0.1", "api_key": KEY})
    assert tap.client.limits.requests_per_minute == 120


def test_key_without_rights_for_one_endpoint(api, config, caplog):
    api.fault("status", path=BOOKINGS, status=403)
    with pytest.raises(ApiError, match=r"partly read: bookings.*api_key may not read"):
        run(TapScheduling, config)
    api.reset()
    api.fault("status", path=BOOKINGS, status=403)
    output = run(TapScheduling, {**config, "allow_skipped_streams": True})
    assert_all(output, api, [stream for stream in STREAMS if stream != "bookings"])
    assert "partly read: bookings" in caplog.text


def test_wrong_key(config):
    with pytest.raises(ApiError, match=r"api_key was refused \(401\)"):
        run(TapScheduling, {**config, "api_key": "cal_wrong"})


def test_fields_and_shapes_that_the_schema_does_not_know(api, config):
    booking = {"id": "7", "uid": "u", "updatedAt": None, "newField": [1], "title": None, "hosts": "x"}
    api.fault("raw_body", path=BOOKINGS, body=json.dumps({"data": [booking]}))
    output = run(TapScheduling, config, catalog=only("bookings"))
    output.check()
    (row,) = output.records["bookings"]
    assert row.pop("_sdc_unmapped") == {"newField": [1], "hosts": "x"}
    assert row == {"id": 7, "uid": "u", "title": None, "updatedAt": None}


_suite_sandbox = Sandbox()
_suite_sandbox.__enter__()


@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestSuite(
    get_tap_test_class(
        TapScheduling,
        config={"api_url": f"{_suite_sandbox.url}/scheduling", "api_key": KEY, "requests_per_minute": FAST},
        catalog=select(TapScheduling, *STREAMS, *OFF),
    )
):
    """The SDK's own tests of a tap."""

    @classmethod
    def teardown_class(cls):
        _suite_sandbox.__exit__(None, None, None)
