"""Refusals in words of an API's own, and honest empty lists beside them, on several taps, as whole runs."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest

from json_api import JsonApi
from lists import QUICK, WITH_DELETES, activated, only, settings
from raw_server import RawServer, answer
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

REFUSED = [
    *({"message": "Too many requests"}, {"message": "Invalid API key"}, {"message": "Access denied"}),
    *({"status": "throttled"}, {"status": "rate_limited"}, {"status": "unauthorized"}),
    *({"httpStatus": 503}, {"http_code": "503"}, {"title": "Too Many Requests"}),
    *({"detail": "Request was throttled."}, {"warning": "Quota exceeded"}, {"warnings": ["request limit"]}),
    *({"truncated": True}, {"complete": False}, {"message": "The site is under maintenance"}),
    *({"message": "Service temporarily busy"}, {"message": "You do not have access"}),
    *({"message": "Your trial has ended"}, {"message": "Upgrade your plan"}, {"info": "Too many requests"}),
    *({"notice": "rate limit exceeded"}, {"statusMessage": "Too Many Requests"}),
    *({"messages": ["Too many requests"]}, {"warnings": ["results incomplete: shard failure"]}),
    *({"retry_after": 5}, {"_shards": {"total": 5, "failed": 2}}),
    *({"message": "Oops, something went wrong"}, {"message": "We could not process your request"}),
    *({"http_status": "pending"}, {"result": "processing"}, {"note": "You don't have permission to see it"}),
]
HONEST = [
    *({"message": "OK"}, {"message": "No results"}, {"info": "See our docs"}, {"retry_after": None}),
    *({"_shards": {"total": 5, "failed": 0}}, {"warnings": []}, {"messages": []}, {"notes": ["All is well"]}),
    *({"query": "too many requests"}, {"account_name": "Too Many Requests Inc"}, {"state": "pending"}),
    *({"info": "Expired rows are not listed"}, {"rate_limit": "60 requests, a minute's quota"}),
    *({"description": "Users who cannot connect a calendar"}, {"title": "Carts we could load"}),
    *({"warning": "You have used 80% of your daily request limit"}, {"message": "5 of 1000 calls used"}),
    *({"message": "We were unable to find any events"}, {"message": "Sorry, no results"}),
    *({"filters": ["access denied"]}, {"kind": "quota"}),
    *({"message": "Your subscription was extended"}, {"summary": "Subscription overview"}),
    *(
        {"notice": "Version 1 will be unavailable after 2027"},
        {"notice": "There is a rate limit of 10 a second"},
    ),
    *({"copyright": "Reproduction is not permitted"}, {"disclaimer": "Unauthorized use is forbidden"}),
    *({"announcement": "Scheduled maintenance on Sunday"}, {"usage": "5 of 1000 calls of your quota used"}),
    *({"scopes": ["not allowed: write"]}, {"tip": "Campaigns that are busy are hidden"}),
    *({"self": "https://x.io/a?status=denied or blocked"}, {"label": "Too many choices? None yet"}),
]


@pytest.mark.parametrize("sign", REFUSED, ids=json.dumps)
@pytest.mark.parametrize(
    ("tap", "stream", "body"),
    [
        (TapEvents, "users", {"users": []}),
        (TapPromotions, "promotions", {"items": [], "paging": {}}),
        (TapBilling, "invoices", {"invoices": []}),
        (TapScheduling, "teams", {"status": "success", "data": []}),
    ],
)
def test_A01_words_of_refusal_beside_an_empty_list_are_no_empty_list(tap, stream, body, sign):
    with JsonApi(lambda path, query: {**body, **sign}) as api:
        config = settings(api, **WITH_DELETES, **({"bearer_token": KEY} if tap is TapPromotions else {}))
        said = f"says by `{next(iter(sign))}` that (something failed|too much was asked for)"
        with pytest.raises(Exception, match=said):
            run(tap, config, catalog=only(tap, stream))


@pytest.mark.parametrize("sign", HONEST, ids=json.dumps)
@pytest.mark.parametrize(
    ("tap", "stream", "body"),
    [(TapEvents, "users", {"users": []}), (TapBilling, "invoices", {"invoices": []})],
)
def test_an_empty_list_is_one_whatever_harmless_stands_beside_it(tap, stream, body, sign):
    with JsonApi(lambda path, query: {**body, **sign}) as api:
        output = run(tap, settings(api, **WITH_DELETES), catalog=only(tap, stream))
    assert activated(output) == {stream}


@pytest.mark.parametrize("body", [{"items": []}, {"items": [], "message": "sorry"}])
def test_A01_a_page_without_what_stood_beside_the_others_is_not_the_last(body):
    rows = [{"id": str(number)} for number in range(100)]

    def handle(path, query):
        return body if "next_cursor" in query else {"items": rows, "paging": {"next_cursor": "7"}}

    with JsonApi(handle) as api:
        config = {**settings(api, allow_partial=True, **WITH_DELETES), "bearer_token": KEY}
        output = run(TapPromotions, config, catalog=only(TapPromotions, "promotions"))
    assert len(output.records["promotions"]) == len(rows)
    assert not activated(output)


@pytest.mark.parametrize("stream", ["users", "categories"])
@pytest.mark.parametrize(
    ("message", "is_empty"),
    [("No order found", False), ("No attendees found.", False), ("No records found", True)],
)
def test_A12_nothing_found_of_another_resource_is_no_empty_list(stream, message, is_empty):
    with JsonApi(lambda path, query: (404, {"message": message})) as api:
        if is_empty:
            output = run(TapEvents, settings(api, **WITH_DELETES), catalog=only(TapEvents, stream))
            assert activated(output) == {stream}
            return
        with pytest.raises(Exception, match="has nothing at"):
            run(TapEvents, settings(api, **WITH_DELETES), catalog=only(TapEvents, stream))


@pytest.mark.parametrize(
    ("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns"), (TapScheduling, "teams")]
)
def test_A01_an_answer_without_content_is_no_empty_list(tap, stream):
    with RawServer(lambda target, sock: answer(b"", "204 No Content")) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, **WITH_DELETES}
        with pytest.raises(Exception, match=r"sent nothing for .* .204 No Content"):
            run(tap, config, catalog=only(tap, stream))


@pytest.mark.parametrize("size", [20, 40, 100])
def test_A01_no_content_behind_the_last_row_ends_a_list_and_a_parent_may_have_none(size):
    rows = [{"id": str(number)} for number in range(1, 41)]

    def serve(target, sock):
        path, _, query = target.partition("?")
        asked = dict(parse_qsl(query))
        place = int(asked.get("offset", 0))
        if path.endswith("/events"):
            found = rows[place : place + min(size, int(asked["limit"]))]
            return answer({"events": found}) if found else answer(b"", "204 No Content")
        has_row = "/7/" in path and not place
        return answer({"tickets": [{"id": 1}]}) if has_row else answer(b"", "204 No Content")

    with RawServer(serve) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, **WITH_DELETES}
        output = run(TapEvents, config, catalog=only(TapEvents, "events", "tickets"))
    assert len(output.records["events"]) == 40
    assert [row["event_id"] for row in output.records["tickets"]] == [7]
    assert activated(output) == {"events", "tickets"}


@pytest.mark.parametrize("status", ["202 Accepted", "207 Multi-Status"])
@pytest.mark.parametrize(
    ("tap", "stream", "body"),
    [
        (TapEvents, "users", {"users": []}),
        (TapBilling, "customers", []),
        (TapRewards, "campaigns", {"campaigns": []}),
    ],
)
def test_A01_no_row_in_an_answer_that_is_not_all_there_is(tap, stream, body, status):
    with RawServer(lambda target, sock: answer(body, status)) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, **WITH_DELETES}
        with pytest.raises(Exception, match=f"not all there is .{status}"):
            run(tap, config, catalog=only(tap, stream))
