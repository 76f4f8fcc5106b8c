"""A server that drops the connection of some requests, or of all."""

from __future__ import annotations

import json

import pytest

from json_api import cut
from lists import QUICK, only
from raw_server import RawServer, answer
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import PartlyRead, Unreachable
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling


def rows_at(target):
    """A body for a request, by the last word of its path."""
    path, _, query = target.partition("?")
    name = path.rsplit("/", 1)[-1]
    asked = dict(pair.split("=") for pair in query.split("&") if "=" in pair)
    rows = [{"id": str(number), "promotion_id": "1"} for number in range(1, 9)]
    if {"promotions", "stages"} & set(path.split("/")):
        return {"items": rows, "paging": {}}
    return {name: cut(rows, asked)}


CASES = {
    "an event's attendees": (
        TapEvents,
        ["events", "attendees", "users"],
        "/events/3/attendees",
        "attendees",
        7,
    ),
    "a promotion's stages": (TapPromotions, ["promotions", "stages"], "/stages/3", "stages", 7),
    "fields": (TapRewards, ["fields", "campaigns", "products"], "/fields", "fields", 0),
}


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("case", CASES)
def test_C04_a_list_whose_connection_is_dropped_costs_itself(case, concurrency):
    tap, streams, broken, in_part, lists = CASES[case]

    def reply(target, sock):
        return None if broken in target.partition("?")[0] else answer(rows_at(target))

    with RawServer(reply) as server:
        config = {"api_url": server.url, tap.key_setting: KEY, **QUICK, "concurrency": concurrency}
        with pytest.raises(PartlyRead):
            run(tap, config, catalog=only(tap, *streams))
        output = run(tap, {**config, "allow_partial": True}, catalog=only(tap, *streams))
    for stream in streams:
        below = stream in {"attendees", "stages"}
        assert len(output.records.get(stream, [])) == (
            8 * lists if stream == in_part else 64 if below else 8
        ), stream


@pytest.mark.parametrize("after", [1, 4])
def test_C04_a_server_that_drops_every_connection_ends_the_run(after):
    def reply(target, sock):
        return answer(rows_at(target)) if len(server.paths) <= after else None

    with RawServer(reply) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "concurrency": 1}
        with pytest.raises((PartlyRead, Unreachable)):
            run(TapEvents, config, catalog=only(TapEvents, "events", "attendees", "users"))
        paths = {path.partition("?")[0] for path in server.paths[after:]}
    looked_at = {server.paths[after - 1].partition("?")[0]}  # it passed last: whether all are dropped
    assert len(paths - looked_at) <= 7, "no more than five lists of one stream, and one of each other"


SOME = {
    "neighbouring parents": (TapEvents, ["events", "attendees", "users"], ["/3/attendees", "/4/attendees"]),
    "all of a child stream": (TapEvents, ["events", "attendees", "users"], ["/attendees"]),
    "the first list": (TapEvents, ["categories", "events", "users"], ["/categories"]),
    "two streams": (
        TapRewards,
        ["campaigns", "fields", "funding_sources", "members", "products"],
        ["/fields", "/funding_sources"],
    ),
    "three at first": (
        TapRewards,
        ["campaigns", "fields", "funding_sources", "members", "products", "roles"],
        ["/campaigns", "/fields", "/funding_sources"],
    ),
    "all but the last": (
        TapRewards,
        ["campaigns", "fields", "members", "roles"],
        ["/campaigns", "/fields", "/members"],
    ),
    "the first of another API": (TapRewards, ["campaigns", "fields", "products"], ["/campaigns"]),
}


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("case", SOME)
def test_C04_no_other_stream_is_lost_with_those_whose_connections_are_dropped(case, concurrency):
    tap, streams, broken = SOME[case]

    def reply(target, sock):
        path = target.partition("?")[0]
        return None if any(path.endswith(end) for end in broken) else answer(rows_at(target))

    with RawServer(reply) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "concurrency": concurrency}
        output = run(tap, {**config, "allow_partial": True}, catalog=only(tap, *streams))
    dropped = {end.rsplit("/", 1)[-1] for end in broken if end.count("/") == 1}
    for stream in {*streams} - dropped:
        wanted = 6 * 8 if stream == "attendees" else 8
        assert len(output.records.get(stream, [])) == wanted, stream


FAILED = [
    *({"status": "error"}, {"status": 500}, {"status": {"code": "error"}}, {"meta": {"status": "failed"}}),
    *({"success": False}, {"success": "false"}, {"ok": False}),
    *({"errors": ["no such"]}, {"error": {"code": 9}}, {"error": "no such thing"}, {"fault": {"text": "x"}}),
    *({"statusCode": 500}, {"status": "500"}, {"error_message": "boom"}, {"response": {"status": "error"}}),
    *({"success": 0}, {"success": "False"}, {"ok": "no"}, {"isSuccess": False}, {"succeeded": False}),
    *({"status": False}, {"status": "internal_error"}, {"status": "Timeout"}, {"status": {"code": "ERR"}}),
    *({"status": "KO"}, {"result": "unsuccessful"}, {"state": "error"}, {"code": "INTERNAL_SERVER_ERROR"}),
    *(
        {"error_code": 17},
        {"errorCode": "E1"},
        {"error_description": "boom"},
        {"err": "boom"},
        {"exception": "X"},
    ),
    *({"hasError": True}, {"is_error": True}, {"timed_out": True}, {"partial": True}, {"incomplete": True}),
    {"message": "Internal server error"},
]
WELL = [
    *({"status": "success"}, {"status": 200}, {"status": {"code": "ok"}}, {"meta": {"status": "active"}}),
    *({"success": True}, {"success": 1}, {"ok": "yes"}, {"filters": {"status": "failed"}}),
    *({"error_count": 0}, {"hasError": False}, {"partial": False}, {"default": "x"}, {"result": 0}),
    *({"message": "No users found"}, {"type": "list"}, {"state": "complete"}, {"code": "no_results"}),
    *({"errors": [None]}, {"errors": [{}]}, {"error": "None"}, {"error": {"code": 200, "message": "OK"}}),
    *({"errors": []}, {"errors": {"count": 0}}, {"error": None}, {"error": {"code": 0, "message": ""}}),
]


@pytest.mark.parametrize("sign", FAILED, ids=json.dumps)
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_A01_an_answer_that_says_that_it_failed_is_no_empty_list(tap, stream, sign):
    with RawServer(lambda target, sock: answer({stream: [], **sign})) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "emit_activate_version_messages": True}
        with pytest.raises(Exception, match=f"says by `{next(iter(sign))}` that something failed"):
            run(tap, config, catalog=only(tap, stream))


PLAINLY_FAILED = [
    {"status": "error"},
    {"success": False},
    {"errors": ["partial result"]},
    {"error": {"message": "timeout"}},
]
MAYBE_FAILED = [{"code": 500}, {"result": 404}, {"state": "error"}, {"success": 0}, {"partial": True}]
ROWS = [{"id": number} for number in range(3)]


@pytest.mark.parametrize("sign", PLAINLY_FAILED, ids=json.dumps)
@pytest.mark.parametrize(
    ("tap", "stream", "at"),
    [(TapEvents, "users", "users"), (TapRewards, "roles", "roles"), (TapScheduling, "teams", "data")],
)
def test_A01_rows_beside_a_plain_failure_are_not_the_whole_list(tap, stream, at, sign):
    with RawServer(lambda target, sock: answer({at: ROWS, **sign})) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "emit_activate_version_messages": True}
        with pytest.raises(Exception, match=f"says by `{next(iter(sign))}` that something failed"):
            run(tap, config, catalog=only(tap, stream))


@pytest.mark.parametrize("sign", MAYBE_FAILED, ids=json.dumps)
def test_rows_beside_what_may_mean_something_else_are_taken(sign):
    with RawServer(lambda target, sock: answer({"roles": ROWS, **sign})) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        assert len(run(TapRewards, config, catalog=only(TapRewards, "roles")).records["roles"]) == len(ROWS)


@pytest.mark.parametrize(
    ("tap", "stream", "body"),
    [
        (TapScheduling, "webhooks", {"status": "error", "data": {"id": "e-1", "message": "x"}}),
        (TapScheduling, "schedules", {"data": {"id": 1}}),
        (TapRewards, "campaigns", {"campaigns": {"id": "req-1", "message": "internal error"}}),
        (TapRewards, "campaigns", {"campaigns": {"id": "req-1", "name": "Error", "error_code": 5}}),
        (TapEvents, "users", {"users": {"id": 3, "error": "x"}}),
        (TapRewards, "forex", {"forex": {"error": "rates are not available"}}),
        (TapRewards, "forex", {"forex": {"message": "no", "code": "none"}}),
    ],
)
def test_A01_a_failure_in_a_record_s_place_is_no_record(tap, stream, body):
    with RawServer(lambda target, sock: answer(body)) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "emit_activate_version_messages": True}
        with pytest.raises(Exception, match="the answer has"):
            run(tap, config, catalog=only(tap, stream))


def test_a_lone_record_in_the_place_of_a_list_is_one():
    with RawServer(lambda target, sock: answer({"campaigns": {"id": "a", "name": "Spring"}})) as server:
        output = run(
            TapRewards, {"api_url": server.url, "api_key": KEY}, catalog=only(TapRewards, "campaigns")
        )
    assert [row["name"] for row in output.records["campaigns"]] == ["Spring"]


SHAPED = {
    "event types as a plain list": (TapScheduling, ["event_types"], {"data": []}),
    "calendars": (TapScheduling, ["calendars"], {"data": {"connectedCalendars": []}}),
    "events by status": (TapEvents, ["events"], {"events_live": []}),
    "tickets without donations": (TapEvents, ["events", "donations"], {"tickets": []}),
    "promotions": (TapPromotions, ["promotions"], {"items": [], "paging": {}}),
    "invoices": (TapBilling, ["invoices"], {"invoices": []}),
    "forex": (TapRewards, ["forex"], {"forex": {}}),
}


@pytest.mark.parametrize("case", SHAPED)
def test_A01_an_answer_that_says_that_it_failed_is_none_in_whatever_shape(case):
    tap, streams, body = SHAPED[case]

    def reply(target, sock):
        below = len(streams) == 1 or "/1/" in target
        return answer(
            {**body, "status": "error"} if below else {"events": [{"id": 1}][: "offset=0&" in target]}
        )

    with RawServer(reply) as server:
        config = {"api_url": server.url, tap.key_setting: KEY, **QUICK}
        with pytest.raises(Exception, match="says by `status` that something failed"):
            run(tap, config, catalog=only(tap, *streams))


@pytest.mark.parametrize("sign", WELL, ids=json.dumps)
def test_A01_an_answer_that_says_that_all_is_well_is_an_empty_list(sign):
    with RawServer(lambda target, sock: answer({"users": [], **sign})) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        assert not run(TapEvents, config, catalog=only(TapEvents, "users")).records
