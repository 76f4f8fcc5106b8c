"""Faults, as a client feels them."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from collections import Counter
from types import SimpleNamespace

import msgspec
import pytest
import requests

from api_sandbox import faults

EVENTS = "/events/v1/events"


def statuses(get, count, path=EVENTS):
    return [get(path, limit=1).status_code for _ in range(count)]


def test_a_status_a_number_of_times(sandbox, get):
    fault = sandbox.fault("status", path="/events/v1/events$", status=503, times=2, after=1)
    assert get("/events/v1/users").status_code == 200
    assert statuses(get, 5) == [200, 503, 503, 200, 200]
    assert fault.hits == 2
    assert [entry.faults for entry in sandbox.matching(EVENTS)] == [(), ("status",), ("status",), (), ()]


def test_retry_after_in_seconds_and_as_a_date(sandbox, get, monkeypatch):
    monkeypatch.setattr(faults, "time", SimpleNamespace(time=lambda: 1_800_000_000))
    sandbox.fault("status", status=429, retry_after=7, times=1)
    sandbox.fault("status", status=429, retry_after="date:30")
    assert get(EVENTS).headers["retry-after"] == "7"
    refused = get(EVENTS)
    assert refused.headers["retry-after"] == "Fri, 15 Jan 2027 08:00:30 GMT"
    assert (refused.status_code, refused.json()) == (429, {"message": "Sandbox fault: 429"})


def test_every_first_attempt_fails(sandbox, get):
    sandbox.fault("status", first_attempts=True)
    assert statuses(get, 3) == [500, 200, 200]
    assert [get(EVENTS, offset=5).status_code for _ in range(2)] == [500, 200]


def test_a_rate_hits_the_same_requests_in_any_order(sandbox, get):
    def hit(offsets):
        sandbox.clear()
        sandbox.fault("status", rate=0.3)
        return {offset for offset in offsets if get(EVENTS, offset=offset, limit=1).status_code == 500}

    hits = hit(range(200))
    assert 35 < len(hits) < 85
    assert hit(reversed(range(200))) == hits


@pytest.mark.parametrize("kind", ["reset", "close", "cut"])
def test_broken_connections(sandbox, get, kind):
    sandbox.fault(kind, times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)) as failure:
        get(EVENTS)
    if kind == "reset":
        assert "reset by peer" in str(failure.value).lower()
    assert get(EVENTS).status_code == 200


def test_a_cut_body_is_shorter_than_announced(sandbox):
    sandbox.fault("cut")
    url = f"{sandbox.url}{EVENTS}"
    headers = {"x-api-key": "sandbox-key", "accept-encoding": "identity"}
    with requests.get(url, headers=headers, timeout=5, stream=True) as response:
        received = b"".join(_until_broken(response))
        assert int(response.headers["content-length"]) // 2 == len(received)


def _until_broken(response):
    try:
        yield from response.iter_content(1)
    except requests.exceptions.ChunkedEncodingError:
        return


def test_malformed_and_html_bodies_have_status_200(sandbox, get):
    sandbox.fault("malformed", times=1)
    sandbox.fault("html", after=1)
    malformed, html = get(EVENTS), get(EVENTS)
    assert (malformed.status_code, html.status_code) == (200, 200)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        malformed.json()
    assert html.headers["content-type"] == "text/html"
    assert "<html>" in html.text


def test_latency_and_hang(sandbox, get):
    sandbox.fault("latency", seconds=0.1, times=1)
    sandbox.fault("hang", seconds=0.1, after=1)
    assert get(EVENTS).status_code == 200
    with pytest.raises(requests.ConnectionError):
        get(EVENTS)
    assert [entry.status for entry in sandbox.requests] == [200, None]
    assert sandbox.requests[0].seconds >= 0.1


def test_a_client_that_gives_up_frees_a_hang(sandbox):
    sandbox.fault("hang", seconds=3600)
    with pytest.raises(requests.Timeout):
        requests.get(sandbox.url + EVENTS, timeout=0.05)
    while sandbox.requests[0].seconds is None:
        time.sleep(0.01)
    assert sandbox.requests[0].status is None


def test_pages_are_capped(sandbox, get):
    sandbox.fault("page_cap", path=EVENTS, size=7)
    assert get(EVENTS, offset=3, limit=100).json()["pagination"] == [{"offset": 3, "limit": 7, "total": 300}]
    assert len(get(EVENTS, limit=100).json()["events"]) == 7


def test_paging_is_ignored(sandbox, get):
    ids = [event["id"] for event in sandbox.data["events"]["events"]]
    sandbox.fault("ignore_paging", times=1)
    sandbox.fault("ignore_paging", limit_honoured=True, after=1)
    assert [event["id"] for event in get(EVENTS, offset=200, limit=10).json()["events"]] == ids
    assert [event["id"] for event in get(EVENTS, offset=200, limit=10).json()["events"]] == ids[:10]


def test_an_empty_page_and_a_wrong_total(sandbox, get):
    sandbox.fault("empty_page", times=1)
    sandbox.fault("wrong_total", size=-40, after=1)
    assert get(EVENTS, limit=10).json() == {
        "pagination": [{"offset": 0, "limit": 10, "total": 300}],
        "events": [],
    }
    assert get(EVENTS, limit=10).json()["pagination"][0]["total"] == 260


def test_a_raw_body_is_sent_byte_for_byte(sandbox, get, control):
    raw = b'{"events": [{"id": 123456789012345678901234567890.10, "title": "\\ud800 \xff"}]}'
    rule = {
        "kind": "raw_body",
        "raw": base64.b64encode(raw).decode(),
        "status": 206,
        "headers": {"X-Odd": "1"},
        "times": 1,
    }
    assert control("POST", "/faults", json=rule)["faults"][0]["kind"] == "raw_body"
    response = get(EVENTS)
    assert (response.status_code, response.content, response.headers["x-odd"]) == (206, raw, "1")
    sandbox.fault("raw_body", raw=raw)
    assert get(EVENTS).content == raw
    sandbox.clear()
    sandbox.fault("raw_body", body="[1]")
    assert (get(EVENTS).status_code, get(EVENTS).json()) == (200, [1])


def test_a_limit_per_minute(sandbox, get):
    sandbox.fault(limit_per_minute=3, path="/events")
    sandbox.fault("latency", seconds=0)
    assert statuses(get, 5) == [200, 200, 200, 429, 429]
    assert 0 < int(get(EVENTS).headers["retry-after"]) <= 60
    sandbox.clear()
    rule = sandbox.fault(limit_per_minute=1)
    assert statuses(get, 2) == [200, 429]
    rule._passed[0] -= rule.window
    assert statuses(get, 1) == [200]


def test_a_limit_of_concurrency(sandbox, get):
    sandbox.fault(max_concurrent=2)
    sandbox.fault("latency", seconds=0.3)
    results = []
    url, headers = f"{sandbox.url}{EVENTS}", {"x-api-key": "sandbox-key"}
    threads = [
        threading.Thread(
            target=lambda: results.append(requests.get(url, headers=headers, timeout=5).status_code)
        )
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(results) == {200: 2, 429: 3}
    assert max(entry.running for entry in sandbox.requests) >= 3
    assert get(EVENTS).status_code == 200


def test_gzip_is_sent_to_those_who_ask(sandbox):
    def raw(encoding):
        url, headers = (
            f"{sandbox.url}{EVENTS}?limit=50",
            {"x-api-key": "sandbox-key", "accept-encoding": encoding},
        )
        with requests.get(url, headers=headers, timeout=5, stream=True) as response:
            return response.headers.get("content-encoding"), response.raw.read()

    (_, packed), (none, plain) = raw("gzip, deflate"), raw("identity")
    assert none is None
    assert len(packed) < len(plain) / 2
    assert json.loads(gzip.decompress(packed)) == json.loads(plain)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "latncy"}, "latncy"),
        ({}, "kind"),
        ({"kind": "latency"}, "seconds"),
        ({"kind": "page_cap"}, "size"),
        ({"kind": "reset", "path": "("}, "regular expression"),
        ({"kind": "reset", "tmies": 3}, "tmies"),
    ],
)
def test_a_wrong_rule_is_refused(sandbox, rule, words):
    response = requests.post(f"{sandbox.url}/_sandbox/faults", json=rule, timeout=5)
    assert response.status_code == 422
    assert words in response.json()["message"]
    with pytest.raises((ValueError, msgspec.ValidationError), match=words):
        sandbox.fault(**rule)


def test_faults_can_be_listed_and_cleared(get, control):
    control("POST", "/faults", json={"kind": "status", "status": 404, "path": "/events"})
    assert get(EVENTS).status_code == 404
    shown = {"kind": "status", "status": 404, "path": "/events", "hits": 1}
    assert control("GET", "/faults") == {"faults": [shown]}
    assert control("DELETE", "/faults") == {"faults": []}
    assert get(EVENTS).status_code == 200
