"""The log of requests, and rows that change while they are read."""

from __future__ import annotations

import pytest
import requests

EVENTS = "/events/v1/events"


def ids(response, name="events"):
    return [row["id"] for row in response.json()[name]]


def test_requests_are_logged(sandbox, get, control):
    get(EVENTS, offset=40, limit=20)
    get(EVENTS, offset=60, limit=20)
    get("/events/v1/users")
    requests.get(f"{sandbox.url}{EVENTS}", timeout=5)
    first, second = sandbox.requests[:2]
    assert (first.method, first.path, first.query, first.status) == ("GET", EVENTS, "offset=40&limit=20", 200)
    assert (first.running, first.headers["x-api-key"], first.faults) == (1, "sandbox-key", ())
    assert first.time <= second.time
    assert first.seconds >= 0
    assert len({entry.client for entry in sandbox.requests}) == 2
    report = control("GET", "/requests")
    assert (report["count"], report["most_running"]) == (4, 1)
    assert report["by_path"] == {EVENTS: 3, "/events/v1/users": 1}
    assert report["by_status"] == {"200": 3, "401": 1}
    assert "headers" not in report["requests"][0]
    report = control("GET", "/requests?path=/events/v1/users&headers=true")
    assert [entry["headers"]["x-api-key"] for entry in report["requests"]] == ["sandbox-key"]
    assert control("DELETE", "/requests")["count"] == 0
    assert sandbox.requests == []


def test_rows_change_at_once(sandbox, get, control):
    rows = sandbox.data["events"]["users"]
    truth = [row["id"] for row in rows]
    where = {"api": "events", "resource": "users"}
    control("POST", "/changes", json={**where, "op": "insert", "at": 0, "rows": [{"id": 1}, {"id": 2}]})
    control("POST", "/changes", json={**where, "op": "insert", "rows": [{"id": 3}]})
    control("POST", "/changes", json={**where, "op": "delete", "at": 2, "count": 2})
    control("POST", "/changes", json={**where, "op": "update", "where": {"id": 3}, "set": {"company": "Ω"}})
    control("POST", "/changes", json={**where, "op": "delete", "where": {"id": truth[5]}})
    control("POST", "/changes", json={**where, "op": "update", "at": -2, "set": {"username": "last"}})
    assert ids(get("/events/v1/users", limit=100), "users") == [1, 2, *truth[2:5], *truth[6:], 3]
    assert rows[-1] == {"id": 3, "company": "Ω"}
    assert rows[-2]["username"] == "last"


def test_rows_move_while_a_list_is_read(sandbox, get):
    truth = [event["id"] for event in sandbox.data["events"]["events"]]
    sandbox.change(api="events", resource="events", op="delete", at=0, after=2, path=f"{EVENTS}$")
    sandbox.change(
        api="events", resource="events", op="insert", at=0, rows=[{"id": 7, "status": None}], after=3
    )
    assert ids(get(EVENTS, limit=5)) == truth[:5]
    assert get("/events/v1/categories").status_code == 200
    assert ids(get(EVENTS, limit=5, offset=5)) == truth[5:10]
    assert ids(get(EVENTS, limit=5)) == [7, *truth[1:5]]
    sandbox.reset()
    assert ids(get(EVENTS, limit=5)) == truth[:5]


def test_an_event_goes_while_its_children_are_read(sandbox, get):
    event = sandbox.data["events"]["events"][0]["id"]
    path = f"{EVENTS}/{event}/tickets"
    sandbox.change(api="events", resource="events", op="delete", where={"id": event}, after=1, path=path)
    assert "exist" not in get(path).json().get("message", "")
    assert get(path).json() == {"message": f"Event {event} does not exist"}


def test_children_change_below_their_parent(sandbox, get):
    event = next(key for key, rows in sandbox.data["events"]["attendees"].items() if not rows)
    sandbox.change(api="events", resource="attendees", parent=event, op="insert", rows=[{"id": 5}])
    assert get(f"{EVENTS}/{event}/attendees").json() == {"attendees": [{"id": 5}]}


def test_inserted_numbers_keep_their_digits(sandbox, get):
    row = b'{"n":1.10,"m":12345678901234567890.123}'
    body = b'{"api":"events","resource":"categories","op":"insert","rows":[' + row + b"]}"
    assert requests.post(f"{sandbox.url}/_sandbox/changes", data=body, timeout=5).status_code == 201
    assert row in get("/events/v1/categories").content


@pytest.mark.parametrize(
    "change",
    [
        {"api": "events", "resource": "events", "op": "delete"},
        {"api": "events", "resource": "events", "op": "insert"},
        {"api": "events", "resource": "nothing", "op": "delete", "at": 0},
        {"api": "nothing", "resource": "events", "op": "delete", "at": 0},
        {"api": "events", "resource": "events", "op": "move", "at": 0},
        {"api": "billing", "resource": "customers", "op": "delete", "parent": "zz", "at": 0},
        {"api": "events", "resource": "attendees", "op": "delete", "at": 0},
        {"api": "events", "resource": "attendees", "op": "delete", "at": 0, "after": 3},
        {"api": "nothing", "resource": "events", "op": "delete", "at": 0, "after": 3},
        {"api": "events", "resource": "events", "op": "delete", "at": 0, "count": -1},
        {"api": "events", "resource": "events", "op": "update", "at": 0},
        {"api": "events", "resource": "events", "op": "delete", "at": 0, "after": 1, "path": "("},
        {"api": "billing", "resource": "site", "op": "update", "at": 0, "parent": "name", "set": {"a": 1}},
        {"api": "events", "resource": "attendees", "op": "delete", "at": 0, "parent": "nosuch"},
    ],
)
def test_a_wrong_change_is_refused(sandbox, get, change):
    response = requests.post(f"{sandbox.url}/_sandbox/changes", json=change, timeout=5)
    assert response.status_code == 422
    assert response.json()["message"]
    assert [get(EVENTS).status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 99},
        {"kind": "status", "headers": {"a\nb": "c"}},
        {"kind": "status", "headers": {"a": "b\r\nc: d"}},
        {"kind": "status", "headers": {"a": "€"}},
        {"kind": "status", "retry_after": "date:x"},
        {"kind": "status", "retry_after": "soon"},
        {"kind": "limit_per_minute"},
        {"kind": "max_concurrent"},
        {"kind": "latency", "seconds": -1},
        {"kind": "status", "times": -1},
        {"kind": "status", "rate": 5},
        {"kind": "status", "retry_after": -5},
        {"kind": "status", "status": 204},
        {"kind": "raw_body", "status": 304, "body": "x"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox, get, fault):
    response = requests.post(f"{sandbox.url}/_sandbox/faults", json=fault, timeout=5)
    assert response.status_code == 422
    assert response.json()["message"]
    assert get(EVENTS).status_code == 200


def test_reset_restores_rows_and_forgets_the_rest(sandbox, get, control):
    truth = ids(get(EVENTS, limit=3))
    sandbox.data["events"]["events"].clear()
    sandbox.fault("status")
    sandbox.change(api="events", resource="users", op="delete", at=0, after=5)
    control("POST", "/reset")
    assert sandbox.requests == []
    assert ids(get(EVENTS, limit=3)) == truth
    assert [get("/events/v1/users").json()["pagination"][0]["total"] for _ in range(6)] == [25] * 6


def test_it_says_who_it_is(control):
    about = control("GET", "/")
    assert about["name"] == "api-sandbox"
    assert "events" in about["apis"]
