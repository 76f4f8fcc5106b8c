"""A refusal of one list for good that speaks of a limit: the others are read, and that list is named."""

from __future__ import annotations

import pytest

from in_process import call, select
from json_api import JsonApi, cut
from tap_core.errors import Retriable
from tap_core.http.believed import Believed
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions

PARENTS = range(1, 13)


class Events:
    tap, streams = TapEvents, ("events", "attendees")

    def __call__(self, path, query):
        name = path.rsplit("/", 1)[1]
        own = [{"id": n} for n in PARENTS] if name == "events" else [{"id": 100 + self.parent(path)}]
        return {"pagination": [{"total": len(own)}], name: cut(own, query)}

    def parent(self, path):
        return None if path.endswith("/events") else int(path.split("/")[-2])


class Promotions:
    tap, streams = TapPromotions, ("promotions", "users")

    def __call__(self, path, query):
        parent = self.parent(path)
        own = (
            [{"id": 100 + parent}]
            if parent
            else [{"id": n, "created": "2025-01-01T00:00:00Z"} for n in PARENTS]
        )
        return {"items": own, "paging": {"next_cursor": None}}

    def parent(self, path):
        return None if path == "/promotions" else int(path.rsplit("/", 1)[1])


SAID = [
    (500, {"message": "Calendar of another vendor: Rate Limit Exceeded"}),
    (402, {"message": "Monthly quota of exports exceeded"}),
    (403, {"message": "API quota exceeded"}),
    (422, {"message": "'Slow Down Sunday' can't be listed"}),
    (200, {"error": {"message": "Rate limit exceeded"}}),
]


def read(kind, folder, refuses, said, **more):
    account, asked = kind(), []

    def handle(path, query):
        asked.append(path)
        return said if refuses(account.parent(path), len(asked)) else account(path, query)

    with JsonApi(handle) as api:
        catalog, waits = select(kind.tap, *kind.streams), {"max_retries": 2, "concurrency": 4}
        output = call(kind.tap, folder, url=api.url, catalog=catalog, **waits, **more)
    return output, asked


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("kind", [Events, Promotions])
def test_H05_one_list_that_is_refused_for_good_costs_that_list_alone(tmp_path, kind, said):
    output, _ = read(kind, tmp_path, lambda parent, _: parent == 5, said)
    assert output.code == 2, output.log
    child = kind.streams[1]
    assert {int(row["id"]) for row in output.records[child]} == {100 + n for n in PARENTS} - {105}
    assert f"partly read: {child}" in output.log


@pytest.mark.parametrize("kind", [Events, Promotions])
def test_D03_a_limiter_of_other_words_is_believed_after_a_list_that_was_refused_in_vain(tmp_path, kind):
    account, limited = kind(), {8: 2, 9: 1, 11: 2}

    def handle(path, query):
        parent = account.parent(path)
        if parent == 3:
            return 403, {"message": "You have exceeded the quota of API calls of your plan"}
        limited[parent] = limited.get(parent, 0) - 1
        return (403, {"message": "API rate limit exceeded"}) if limited[parent] >= 0 else account(path, query)

    with JsonApi(handle) as api:
        catalog, settings = select(kind.tap, *kind.streams), {"max_retries": 2, "concurrency": 1}
        output = call(kind.tap, tmp_path, url=api.url, catalog=catalog, **settings)
    assert {int(row["id"]) for row in output.records[kind.streams[1]]} == {100 + n for n in PARENTS} - {103}


def test_D03_words_that_were_in_vain_are_doubted_whatever_number_is_in_them():
    believed = Believed()
    plan = [
        Retriable("403", status=429, inferred=True, said=b"quota of plan %d exceeded" % n) for n in (1, 2)
    ]
    believed.in_vain(plan[0], 5)
    assert believed.is_limit(plan[1], 5), "where nothing has passed since, all are refused"
    assert not believed.is_limit(plan[1], 6)
    assert believed.words(6, b"API rate limit exceeded")
    for said in (b"a", b"b"):
        believed.in_vain(Retriable("403", status=429, inferred=True, said=said), 7)
    assert not believed.words(8, b"API rate limit exceeded"), "it has been in vain too often"


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("kind", [Events, Promotions])
def test_H05_where_nothing_passes_any_more_the_run_ends(tmp_path, kind, said):
    output, asked = read(kind, tmp_path, lambda _, count: count > 6, said)
    assert output.code == 2, output.log
    assert len(asked) < 6 + 15


@pytest.mark.parametrize("status", [404, 410])
def test_H05_of_what_is_gone_no_words_are_believed(tmp_path, status):
    said = (status, {"message": "Event 'Slow Down Sunday' was removed"})
    output, asked = read(Events, tmp_path, lambda parent, _: parent == 5, said)
    assert output.code == 0, output.log
    assert len([path for path in asked if "/5/" in path]) == 2, "once more at the end"


NO_RIGHT = {"message": "You have no permission to list this"}
OF_ALL = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"}
"""What stands beside every answer of some gateways, also of those that pass."""


@pytest.mark.parametrize("headers", [OF_ALL, {"Retry-After": "3600"}])
@pytest.mark.parametrize("kind", [Events, Promotions])
def test_H05_a_refusal_for_lack_of_a_right_is_none_of_a_limiter(tmp_path, kind, headers):
    said = (403, NO_RIGHT, headers)
    output, asked = read(kind, tmp_path, lambda parent, _: parent == 5, said)
    assert output.code == 2, output.log
    assert {int(row["id"]) for row in output.records[kind.streams[1]]} == {100 + n for n in PARENTS} - {105}
    assert "may not read" in output.log
    assert len(asked) <= 2 * len(PARENTS) + 4


@pytest.mark.parametrize("words", ["Daily quota exceeded", "Forbidden"])
@pytest.mark.parametrize("kind", [Events, Promotions])
def test_H05_a_wait_too_long_that_one_list_alone_is_asked_for_costs_that_list(tmp_path, kind, words):
    said = (403, {"message": words}, {"Retry-After": "3600"})
    output, _ = read(kind, tmp_path, lambda parent, _: parent == 5, said)
    assert output.code == 2, output.log
    assert {int(row["id"]) for row in output.records[kind.streams[1]]} == {100 + n for n in PARENTS} - {105}
    assert "asks to wait 3600 s" in output.log
    output, asked = read(kind, tmp_path, lambda _, count: count > 6, said)
    assert output.code == 2, output.log
    assert len(asked) < 6 + 15
    assert "run again with the last STATE after" in output.log


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"code": 403, "message": "Rate Limit Exceeded", "status": "PERMISSION_DENIED"}},
        b'<html><body><div role="main">Slow down</div></body></html>',
        b'<html><body><div role="main">Forbidden</div></body></html>',
    ],
)
@pytest.mark.parametrize("kind", [Events, Promotions])
def test_H05_a_firewall_that_lets_the_next_one_through_is_a_limiter(tmp_path, kind, said):
    refusal = (403, said, {"Retry-After": "0"})
    output, _ = read(kind, tmp_path, lambda _, count: count % 9 in {4, 5}, refusal)
    assert output.code == 0, output.log
    assert {int(row["id"]) for row in output.records[kind.streams[1]]} == {100 + n for n in PARENTS}


def test_a_wrong_key_is_no_limit_whatever_it_speaks_of(tmp_path):
    said = (401, {"message": "The number of API calls is exceeded by this key"})
    output, asked = read(Events, tmp_path, lambda *_: True, said)
    assert output.code == 1
    assert len(asked) == 1
    assert "was refused (401)" in output.log


WORDS = [
    "userRateLimitExceeded",
    "Request limit exceeded, retry later",
    "Too many API requests",
    "Too many concurrent requests",
    "ThrottlingException: Rate exceeded",
    "You have exceeded a secondary rate limit",
    "Too Many Attempts.",
    "API limit reached",
    "request rate too high",
    "Out of call volume quota. Quota will be replenished in 00:00:10.",
    "Demasiadas peticiones",
]


@pytest.mark.parametrize("status", [400, 403, 409, 422])
@pytest.mark.parametrize("words", WORDS)
def test_C01_a_limit_in_whatever_words_is_waited_for(tmp_path, words, status):
    kind = (Events, Promotions)[len(words) % 2]
    output, _ = read(kind, tmp_path, lambda _, count: count % 9 in {4, 5}, (status, {"message": words}))
    assert output.code == 0, output.log
    assert {int(row["id"]) for row in output.records[kind.streams[1]]} == {100 + n for n in PARENTS}


@pytest.mark.parametrize(
    "words",
    [
        "Unknown parameter `rate_limit`",
        "page size limit exceeded: at most 200",
        "The time for a request was exceeded",
        "`limit` must be 100 or less",
        "Too many characters in `name`",
        "The number of attendees a day is limited",
        "The API key used for API requests is invalid",
        "Test keys cannot be used for live requests",
        "Access refused: API calls need a paid plan",
        "Your IP address is not whitelisted for API requests",
        "The date range exceeded the 90 day limit",
        "Daily booking limit reached for this event type",
        "query limit exceeded: per_page must be at most 100",
        "The request exceeded the size limit",
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422])
def test_what_only_speaks_of_a_limit_is_not_waited_for(tmp_path, words, status):
    said = (status, {"message": words})
    output, asked = read(Events, tmp_path, lambda parent, _: parent == 5, said)
    assert output.code == 2
    assert len([path for path in asked if "/5/" in path]) == 1 + (status == 403), "403 once more at the end"
