"""Versions of the scheduling API: an answer in another version's shape, and words for "none"."""

from __future__ import annotations

import json

import pytest

from api_sandbox.scheduling import api as scheduling
from json_api import JsonApi, cut
from support import KEY, discovered, run
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

QUICK = {"requests_per_minute": 100_000, "max_retries": 0}


def only(*streams, tap=TapScheduling):
    catalog = discovered(tap)
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] in streams]
    return catalog


def read(handle, *streams):
    with JsonApi(handle) as api:
        config = {"api_url": api.url, "api_key": KEY, **QUICK}
        return run(TapScheduling, config, catalog=only(*streams))


@pytest.mark.parametrize(
    ("stream", "place", "body"),
    [
        ("bookings", "data.bookings", {"data": {"bookings": [], "recurringInfo": [], "totalCount": 0}}),
        ("bookings", "bookings", {"bookings": [{"id": 1}]}),
        ("schedules", "schedules", {"schedules": []}),
        (
            "bookings",
            "pagination.nextCursor",
            {"data": [{"id": 1, "updatedAt": None}], "pagination": {"nextCursor": "x", "hasMore": True}},
        ),
    ],
)
def test_H09_an_answer_in_another_versions_shape_is_called_so(stream, place, body):
    with pytest.raises(ApiError, match=rf"{stream}: the answer has another version's shape, with `{place}`"):
        read(lambda path, query: body, stream)


def test_H09_a_server_that_knows_no_later_version(api, monkeypatch):
    """It takes the version that it does not know for the oldest."""
    monkeypatch.setattr(scheduling, "_VERSIONS", {"2024-04-15"})
    config = {"api_url": f"{api.url}/scheduling", "api_key": KEY, **QUICK}
    with pytest.raises(ApiError, match="bookings: the answer has another version's shape"):
        run(TapScheduling, config, catalog=only("bookings"))


@pytest.mark.parametrize("tap", [TapEvents, TapRewards, TapScheduling])
def test_H09_example_and_default_belong_together(tap):
    """The version of a vendor's own address is the one that this vendor has."""
    settings = tap.config_jsonschema["properties"]
    (example,) = settings["api_url"]["examples"]
    vendors = {"https://www.eventzillaapi.net/api": "v2", "https://api.cal.com": "v2"}
    vendors |= {"https://api.tremendous.com/api": "v2", "https://api.example.com": "v1"}
    assert settings["api_version"]["default"] == vendors[example]


@pytest.mark.parametrize("tap", [TapEvents, TapScheduling])
def test_H09_a_path_that_is_not_there_names_the_version(api, tap):
    name = tap.name.removeprefix("tap-")
    config = {"api_url": f"{api.url}/{name}", "api_key": KEY, "api_version": "v3", **QUICK}
    with pytest.raises(ApiError, match=r"\(404\): check api_url, and api_version: \w+.*has v2"):
        run(tap, config)


def no_such(message, status=404):
    error = {"code": "NotFoundException", "message": message}
    return status, {
        "status": "error",
        "error": {**error, "details": {"message": message, "statusCode": status}},
    }


@pytest.mark.parametrize(
    "message", ["Event types not found", "Event types not found.", "No event types found"]
)
def test_H06_A12_none_in_the_vendors_own_words_is_an_empty_list(message):
    def handle(path, query):
        if path.endswith("/event-types"):
            return no_such(message)
        return {"status": "success", "data": cut([{"id": 1}], query, start="skip", size="take")}

    assert read(handle, "event_types", "schedules").records.keys() == {"schedules"}


@pytest.mark.parametrize("message", ["Event types not found", "Team event types not found", "Team not found"])
def test_A12_a_team_without_event_types_is_no_team_without_the_list(message, caplog):
    def handle(path, query):
        if path == "/v1/teams/1/event-types":
            return no_such(message)
        rows = [{"id": 1}, {"id": 2}] if path.endswith("/teams") else [{"id": 5}]
        return {"status": "success", "data": cut(rows, query, start="skip", size="take")}

    assert len(read(handle, "team_event_types").records["team_event_types"]) == 1
    assert ("no such list" in caplog.text) == (message == "Team not found")


@pytest.mark.parametrize("message", ["My profile not found", "Me not found", "No my profile found"])
def test_a_user_without_a_profile_is_a_failure(message):
    with pytest.raises(ApiError, match="nothing could be read"):
        read(lambda path, query: no_such(message), "my_profile")


@pytest.mark.parametrize(
    ("tap", "stream", "message"),
    [
        (TapEvents, "categories", "No categories found"),
        (TapScheduling, "event_types", "Event types not found"),
    ],
)
def test_a_message_may_have_a_capital(tap, stream, message):
    with JsonApi(lambda path, query: (404, {"Message": message})) as api:
        config = {"api_url": api.url, "api_key": KEY, **QUICK, "emit_activate_version_messages": True}
        output = run(tap, config, catalog=only(stream, tap=tap))
    assert "ACTIVATE_VERSION" in {message["type"] for message in output.messages}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "Cannot GET /v1/event-types"),
        (404, "Not Found"),
        (404, "User not found"),
        (404, "No HTTP resource was found that matches the request URI"),
        (400, "Event types not found"),
        (404, "Event types not found in this version"),
    ],
)
def test_H06_A12_other_words_are_a_failure(status, message):
    with pytest.raises(ApiError, match="nothing could be read"):
        read(lambda path, query: no_such(message, status), "event_types")


@pytest.mark.parametrize("message", ["No attendees found", "No attendees were found!", "no Attendee found"])
@pytest.mark.parametrize("status", [400, 404])
def test_H06_A12_an_event_without_attendees(status, message):
    def handle(path, query):
        if path.endswith("/events"):
            return {"pagination": [{"total": 2}], "events": cut([{"id": 1}, {"id": 2}], query)}
        return (status, {"message": message}) if "/1/" in path else {"attendees": cut([{"id": 5}], query)}

    with JsonApi(handle) as api:
        output = run(TapEvents, {"api_url": api.url, "api_key": KEY, **QUICK}, catalog=attendees())
    assert [row["id"] for row in output.records["attendees"]] == [5]


def attendees():
    catalog = discovered(TapEvents)
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] in {"events", "attendees"}]
    return catalog


@pytest.mark.parametrize("message", ["No healthy backend found", "No HTTP resource was found", "Gone"])
def test_A12_a_fault_in_mid_list_is_no_end(message):
    rows = [{"id": number} for number in range(400)]

    def handle(path, query):
        if path.endswith("/events"):
            return {"pagination": [{"total": 1}], "events": cut([{"id": 1}], query)}
        if int(query["offset"]) > 100:
            return 404, {"message": message}
        return {"attendees": cut(rows, query)}

    with JsonApi(handle) as api, pytest.raises(ApiError, match=f"partly read: attendees.*{message}"):
        run(TapEvents, {"api_url": api.url, "api_key": KEY, **QUICK}, catalog=attendees())


def test_H09_a_body_of_another_kind_is_asked_for_again():
    """It may be a proxy's; no version of the API has such."""
    with pytest.raises(ApiError, match=r"is it of another version\?"):
        read(lambda path, query: json.loads('{"data": "moved"}'), "bookings")
