"""Limits told in words, with any status or inside of a 200, and what only speaks of one, as whole runs."""

from __future__ import annotations

import json

import pytest

from lists import QUICK, only
from raw_server import RawServer, answer
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling


def limited(how):
    """Refuses each other request as a limiter does that knows no 429."""
    seen = []

    def reply(target, sock):
        seen.append(target)
        if len(seen) % 2:
            return answer(*how[0], **how[1])
        name = target.partition("?")[0].rsplit("/", 1)[-1].removesuffix(".json")
        rows = [{"id": "1", "rule_type": "ip", "transaction": {"id": 1}}]
        return answer(rows if name == "transactions" else {name: rows})

    return reply


@pytest.mark.parametrize(
    "how",
    [
        ((b'{"message": "Rate limit exceeded"}', "403 Forbidden"), {}),
        *(
            ((json.dumps({"message": said}).encode(), status), {})
            for said, status in (
                ("API quota exceeded", "403 Forbidden"),
                ("Usage limit reached, try again later", "403 Forbidden"),
                ("Limit Exceeded", "403 Forbidden"),
                ("You have exceeded the maximum number of requests", "403 Forbidden"),
                ("Call limit of your plan reached: upgrade", "403 Forbidden"),
                ("Enhance your calm", "420 Calm"),
                ("You are sending requests too quickly", "403 Forbidden"),
                ("You have crossed the maximum number of requests per minute", "403 Forbidden"),
                ("Too many concurrent connections", "403 Forbidden"),
                ("error code: 1015", "403 Forbidden"),
                ("Demasiados intentos", "403 Forbidden"),
                ("Too many requests, slow down", "400 Bad Request"),
                ("too many requests", "401 Unauthorized"),
                ("API call quota exceeded for this minute", "402 Payment Required"),
                ("Too many requests", "402 Payment Required"),
                ("Too many requests", "405 Method Not Allowed"),
                ("Too many requests", "418 I'm a teapot"),
                ("Request was throttled.", "423 Locked"),
                ("Rate limit exceeded", "451 Unavailable"),
                ("Too many requests", "502 Bad Gateway"),
            )
        ),
        ((b'{"errors": ["Too many requests, please slow down"]}', "422 Unprocessable"), {}),
        ((b"Too many requests", "409 Conflict"), {}),
        ((b"{}", "403 Forbidden"), {"Retry_After": "0"}),
        ((b"{}", "403 Forbidden"), {"X_RateLimit_Remaining": "0"}),
    ],
)
@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "transactions"), (TapRewards, "fraud_rules")])
def test_H05_a_limiter_may_refuse_with_any_status(tap, stream, how):
    with RawServer(limited(how)) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        output = run(tap, config, catalog=only(tap, stream))
    assert len(output.records[stream]) == 1


SAID_BY_200 = [
    {"error": "Too many requests", "status": 429},
    {"error": {"code": 429, "message": "Wait a minute"}},
    {"errors": [{"status": "429", "detail": "Quota"}]},
    {"errors": ["Rate limit exceeded"]},
    {"success": False, "message": "Too many requests, please slow down"},
    {"status": {"code": 429, "message": "no"}},
    {"status": "rate_limited"},
    {"status": "429 Too Many Requests"},
    {"statusCode": 429},
    {"meta": {"code": 429, "error": "x"}},
]


@pytest.mark.parametrize("body", SAID_BY_200, ids=json.dumps)
@pytest.mark.parametrize(
    ("tap", "stream", "beside"),
    [
        (TapRewards, "fraud_rules", {}),
        (TapRewards, "fraud_rules", {"fraud_rules": []}),
        (TapScheduling, "schedules", {"data": None}),
        (TapEvents, "users", {"users": []}),
    ],
)
def test_H05_a_limit_that_is_said_inside_a_200_is_waited_for_as_a_429(tap, stream, beside, body):
    """Three refusals in a row are more than the faults that are tried again."""
    whole = {"data" if tap is TapScheduling else stream: [{"id": "1", "rule_type": "ip"}]}
    with RawServer(lambda *_: answer(whole if len(server.paths) > 3 else {**beside, **body})) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "max_retries": 2}
        output = run(tap, config, catalog=only(tap, stream))
    assert len(output.records[stream]) == 1


@pytest.mark.parametrize("lasting", [{"error": "Too many requests"}, {"status": 429}])
@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "transactions"), (TapRewards, "fraud_rules")])
def test_H05_a_limit_inside_a_200_that_lasts_fails_by_name_as_does_a_wait_that_is_too_long(
    tap, stream, lasting
):
    config = {"api_key": KEY, **QUICK, "max_wait": 5}
    for headers, words in (
        ({}, "at last with: the answer says by"),
        ({"Retry_After": "60"}, "asks to wait 60 s"),
    ):
        said = answer(lasting, **headers)
        with RawServer(lambda *_, said=said: said) as server, pytest.raises(ApiError, match=words):
            run(tap, {**config, "api_url": server.url}, catalog=only(tap, stream))


ROW = {"id": 429, "name": "Too many requests", "status": 429, "message": "Too many requests", "code": 429}


@pytest.mark.parametrize(
    ("tap", "stream", "body"),
    [
        (TapEvents, "users", {"users": [ROW]}),
        (TapBilling, "transactions", [ROW]),
        (TapBilling, "transactions", {"transaction": ROW}),
        (TapScheduling, "my_profile", {"status": "success", "data": {"id": 1, "name": "Rate limited"}}),
        (
            TapRewards,
            "fraud_rules",
            {"fraud_rules": [{**ROW, "rule_type": "slow down"}], "message": "slow down"},
        ),
    ],
)
def test_a_row_that_speaks_of_a_limit_is_a_row(tap, stream, body):
    with RawServer(lambda target, sock: answer(body)) as server:
        output = run(tap, {"api_url": server.url, "api_key": KEY, **QUICK}, catalog=only(tap, stream))
    assert len(output.records[stream]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"data": [ROW]},
        {"rows": [{"error": "Too many requests"}]},
        {"error": "no such list", "query": "too many requests"},
        {"error": {"message": "no", "offset": 429}},
        {"error": "no such list", "total": 429},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "fraud_rules")])
def test_an_answer_without_the_list_is_a_fault_where_only_rows_or_echoes_speak_of_a_limit(tap, stream, body):
    with RawServer(lambda *_: answer(body)) as server, pytest.raises(ApiError, match="no list at"):
        run(tap, {"api_url": server.url, "api_key": KEY, **QUICK}, catalog=only(tap, stream))


@pytest.mark.parametrize(
    ("message", "status", "words"),
    [
        ("no such right", "403 Forbidden", "may not read"),
        ("Upgrade your plan to use this feature", "403 Forbidden", "may not read"),
        ("User limit reached, upgrade your plan", "403 Forbidden", "may not read"),
        ("Seat limit exceeded", "403 Forbidden", "may not read"),
        ("Request limit must be 100 or less", "400 Bad Request", "refused"),
        ("Invalid key", "401 Unauthorized", "refused"),
        ("Invalid key (rate limit tier unknown)", "401 Unauthorized", "refused"),
        ("Unknown query parameter: rate_limit", "400 Bad Request", "refused"),
        ("field throttle is required", "400 Bad Request", "refused"),
        ("You have reached the limit of 3 API users. Contact sales", "403 Forbidden", "may not read"),
        ("This key lacks the scope usage_limits:read", "403 Forbidden", "may not read"),
        ("Request limit must be 100 or less", "422 Unprocessable", "refused"),
        ("The quota of rows in a filter is exceeded", "422 Unprocessable", "refused"),
        ("rate_limit: unknown parameter", "422 Unprocessable", "refused"),
        ("You have too many requested fields", "422 Unprocessable", "refused"),
        ("Your plan has too few seats: upgrade", "402 Payment Required", "refused"),
        ("Quota exceeded", "404 Not Found", "has nothing at"),
        ("Rate limited offers: not found", "404 Not Found", "has nothing at"),
        ("No such list: slow-down", "410 Gone", "has nothing at"),
        ("User Too Many Requests does not exist", "404 Not Found", "has nothing at"),
    ],
)
def test_a_refusal_that_is_no_limit_is_not_asked_for_again(message, status, words):
    with RawServer(lambda target, sock: answer({"message": message}, status)) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        with pytest.raises(Exception, match=words):
            run(TapEvents, config, catalog=only(TapEvents, "users"))
        assert len(server.paths) == 1


@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "transactions"), (TapScheduling, "out_of_office")])
def test_a_plan_without_a_list_is_no_limit(tap, stream):
    said = {"message": "Upgrade your plan to use this feature"}
    with RawServer(lambda target, sock: answer(said, "403 Forbidden")) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        assert not run(tap, config, catalog=only(tap, stream)).records
        assert len(server.paths) == 1
