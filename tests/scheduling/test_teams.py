"""Lists of teams, of a booking's attendees, and the user's own that came later."""

from __future__ import annotations

from random import Random

import pytest

from api_sandbox import Sandbox
from api_sandbox.scheduling.data import generate
from in_process import select
from json_api import JsonApi, cut
from lists import BOOKING, moment
from scheduling.truth import STREAMS, assert_all, expected
from support import KEY, run
from tap_core.errors import ApiError
from tap_scheduling.tap import TapScheduling

V1 = "/scheduling/v1"
TEAMS = ("teams", "team_memberships", "team_event_types", "team_bookings")
OWN = ("out_of_office", "webhooks", *TEAMS)


@pytest.fixture(scope="module")
def _small():
    data = generate(Random(4), event_types=40, schedules=3, bookings=60)
    with Sandbox(data={"scheduling": data}) as sandbox:
        yield sandbox


@pytest.fixture
def small(_small):
    """A sandbox with few bookings; no test changes its rows."""
    _small.clear()
    return _small


def read(sandbox, *streams, state=None, **more):
    config = {"api_url": f"{sandbox.url}/scheduling", "api_key": KEY, "requests_per_minute": 100_000}
    return run(TapScheduling, {**config, **more}, state=state, catalog=select(TapScheduling, *streams))


@pytest.mark.parametrize("size", [1, 7, 250])
def test_all_rows_and_values(small, size):
    small.fault("page_cap", path=V1, query="take", size=size)
    small.fault("status", status=503, first_attempts=True)
    output = read(small, *OWN)
    assert_all(output, small, OWN)
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)
    assert output.schemas["team_bookings"][0]["key_properties"] == ["teamId", "id"]


def test_paging_ignored(small):
    small.fault("ignore_paging", path=V1)
    assert_all(read(small, *OWN), small, OWN)


def test_what_requests_ask_for(small):
    read(small, *OWN)
    team = small.data["scheduling"]["teams"][0]["id"]
    asked = {entry.path.removeprefix(f"{V1}/"): entry for entry in reversed(small.requests)}
    queries = {
        "teams": "",
        f"teams/{team}/event-types": "sortCreatedAt=asc",
        f"teams/{team}/bookings": "sortCreated=asc&skip=0&take=100",
        "me/ooo": "sortStart=asc&skip=0&take=250",
        "webhooks": "skip=0&take=250",
    }
    assert {path: asked[path].query for path in queries} == queries
    assert asked[f"teams/{team}/bookings"].headers["cal-api-version"] == "2024-08-13"
    assert len(small.matching(rf"{V1}/teams$")) == 1


def test_teams_that_the_user_is_a_mere_member_of(small, caplog):
    refused = [row["id"] for row in small.data["scheduling"]["teams"][1:3]]
    for team in refused:
        small.fault("status", path=f"{V1}/teams/{team}/(memberships|bookings)", status=403)
    output = read(small, *TEAMS, emit_activate_version_messages=True)
    assert_all(output, small, ("teams", "team_event_types"))
    for stream in ("team_memberships", "team_bookings"):
        truth = {key: row for key, row in expected(small, stream).items() if row["teamId"] not in refused}
        assert output.rows(stream) == truth
        assert caplog.text.count(f"{stream}: this account or server has no such list (403)") == 1
    activated = {m["stream"] for m in output.messages if m["type"] == "ACTIVATE_VERSION"}
    assert activated == {"teams", "team_event_types"}


@pytest.mark.parametrize("hidden", [1, 5, 11])
def test_bookings_that_are_deleted_are_counted_and_no_failure(hidden, caplog):
    """Pages come without them, and none is asked for again."""
    rows = [{**BOOKING, "id": number, "createdAt": moment(number)} for number in range(12)]

    def handle(path, query):
        if path.endswith("/teams"):
            return {"status": "success", "data": [{"id": 7, "name": "a"}]}
        page = cut(rows, query, start="skip", size="take")
        kept = [row for row in page if row["id"] >= hidden]
        return {"status": "success", "data": kept, "pagination": {"totalItems": len(rows)}}

    with JsonApi(handle) as api:
        config = {"api_url": api.url, "api_key": KEY, "requests_per_minute": 100_000, "max_retries": 0}
        output = run(TapScheduling, config, catalog=select(TapScheduling, "team_bookings"))
    assert output.rows("team_bookings").keys() == {(7, number) for number in range(hidden, 12)}
    assert f"read {12 - hidden} records where the API says there are 12" in caplog.text


def test_lists_that_a_server_may_not_have(small, caplog):
    small.fault("status", path=f"{V1}/(teams|me/ooo)", status=404)
    output = read(small, "my_profile", *OWN)
    assert output.records.keys() == {"my_profile", "webhooks"}
    for name in ("teams", "out_of_office"):
        assert caplog.text.count(f"{name}: this account or server has no such list (404)") == 1


def test_webhooks_are_a_list_that_every_server_has(small):
    small.fault("status", path=f"{V1}/webhooks", status=404)
    with pytest.raises(ApiError, match="partly read: webhooks"):
        read(small, "webhooks", "my_profile")


def test_the_secret_of_a_webhook_is_dropped(small):
    assert "secret-of-the-webhook" in str(small.data["scheduling"]["webhooks"])
    output = read(small, "webhooks")
    assert "secret-of-the-webhook" not in output.text
    assert {type(row["id"]) for row in output.records["webhooks"]} == {str}


def test_attendees_of_all_bookings(small):
    output = read(small, "booking_attendees")
    assert_all(output, small, ("booking_attendees",))
    asked = small.matching(f"{V1}/bookings/.+/attendees")
    assert len(asked) == len(small.data["scheduling"]["bookings"])
    assert {(entry.query, entry.headers["cal-api-version"]) for entry in asked} == {("", "2024-08-13")}


def test_attendees_are_asked_for_the_bookings_that_a_run_reads(small):
    first = read(small, "bookings", "booking_attendees")
    small.clear()
    second = read(small, "bookings", "booking_attendees", state=first.state)
    asked = [entry.path.split("/")[-2] for entry in small.matching(f"{V1}/bookings/.+/attendees")]
    assert sorted(asked) == sorted(row["uid"] for row in second.records["bookings"])
    assert 0 < len(asked) < len(first.records["bookings"])


def test_a_booking_that_is_gone_since_is_passed_over_by_name(small, caplog):
    gone = small.data["scheduling"]["bookings"][5]["uid"]
    small.fault("status", path=f"{V1}/bookings/{gone}/attendees", status=404)
    output = read(small, "bookings", "booking_attendees", emit_activate_version_messages=True)
    truth = expected(small, "booking_attendees").items()
    assert output.rows("booking_attendees") == {key: row for key, row in truth if row["bookingUid"] != gone}
    assert f"booking_attendees {gone}: passed over" in caplog.text
    activated = {m["stream"] for m in output.messages if m["type"] == "ACTIVATE_VERSION"}
    assert activated == {"bookings"}


def test_a_default_run_adds_few_requests(small):
    read(small, *STREAMS)
    teams = small.data["scheduling"]["teams"]
    lists = {entry.path for entry in small.matching(f"{V1}/(teams|webhooks|me/ooo)")}
    assert len(lists) == 3 + 2 * len(teams)
