"""The events API as its contract describes it."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal

import msgspec
import pytest
import requests

from api_sandbox import APIS, Data

EVENTS = "/events/v1/events"


def plain(rows):
    """Rows as they look after their way over the wire."""
    return json.loads(msgspec.json.Encoder(decimal_format="number").encode(rows))


def pages(get, path, name, limit=100):
    """All rows of a list that has a total."""
    rows, total = [], 1
    while len(rows) < total:
        body = get(path, offset=len(rows), limit=limit).json()
        rows += body[name]
        total = body["pagination"][0]["total"]
    return rows


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_page_to_the_end(sandbox, get, version):
    truth = sandbox.data["events"]["events"]
    assert len(truth) == 300
    assert pages(get, f"/events/{version}/events", "events") == plain(truth)


def test_pagination_is_a_list_and_limits_are_clamped(get):
    assert get(EVENTS).json()["pagination"] == [{"offset": 0, "limit": 20, "total": 300}]
    assert get(EVENTS, limit=5000, offset=250).json()["pagination"] == [
        {"offset": 250, "limit": 100, "total": 300}
    ]
    assert len(get(EVENTS, limit=5000, offset=250).json()["events"]) == 50
    assert len(get(EVENTS, limit=0, offset="x").json()["events"]) == 1


def test_an_empty_list_is_an_error(get):
    past = get(EVENTS, offset=300)
    assert (past.status_code, past.json()) == (404, {"message": "No events found"})


@pytest.mark.parametrize(
    "filters", [{"status": "live"}, {"category": "Music"}, {"status": "draft", "category": "Dance"}]
)
def test_events_can_be_filtered(sandbox, get, filters):
    body = get(EVENTS, limit=1, **filters).json()
    expected = [
        event["id"]
        for event in sandbox.data["events"]["events"]
        if filters.get("status") in {None, (event["status"] or "").lower()}
        and ("category" not in filters or filters["category"] in (event["categories"] or "").split(","))
    ]
    assert 0 < len(expected) < 300
    assert (body["events"][0]["id"], body["pagination"][0]["total"]) == (expected[0], len(expected))


def test_attendees_page_without_pagination(sandbox, get):
    attendees = sandbox.data["events"]["attendees"]
    event = next(key for key, rows in attendees.items() if len(rows) == 100)
    path = f"{EVENTS}/{event}/attendees"
    assert get(path, limit=100).json() == {"attendees": plain(attendees[event])}
    assert get(path, limit=100, offset=100).json() == {"message": "No attendees found"}
    assert get(path, limit=30, offset=90).json() == {"attendees": plain(attendees[event][90:])}
    empty = next(key for key, rows in attendees.items() if not rows)
    assert get(f"{EVENTS}/{empty}/attendees").json() == {"message": "No attendees found"}


def test_tickets_and_categories_ignore_paging(sandbox, get):
    tables = sandbox.data["events"]
    event = next(
        key for key, rows in tables["tickets"].items() if len(rows) == 4 and tables["donations"][key]
    )
    assert get(f"{EVENTS}/{event}/tickets", offset=2, limit=1).json() == {
        "tickets": plain(tables["tickets"][event]),
        "donation": plain(tables["donations"][event]),
    }
    assert get("/events/v1/categories", offset=5, limit=1).json() == {"categories": tables["categories"]}


def test_transactions_carry_another_event_id(sandbox, get):
    for event, rows in list(sandbox.data["events"]["transactions"].items())[:5]:
        sent = pages(get, f"{EVENTS}/{event}/transactions", "transactions", limit=20)
        assert sent == plain(rows)
        assert event not in {row["event_id"] for row in sent}


def test_unknown_things_are_404_with_a_message(sandbox, get):
    sandbox.data["events"]["events"].pop(0)
    for path in (
        f"{EVENTS}/1/tickets",
        f"{EVENTS}/x/tickets",
        "/events/v1/nothing",
        "/events/v3/events",
        "/nowhere",
    ):
        response = get(path)
        assert response.status_code == 404, path
        assert response.json()["message"]


def test_details(sandbox, get):
    tables = sandbox.data["events"]
    event, user = tables["events"][7], tables["users"][3]
    assert get(f"{EVENTS}/{event['id']}").json() == {"events": plain([event])}
    assert get(f"/events/v1/users/{user['id']}").json() == {"user": plain([user])}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-api-key": "wrong"}, 401),
        ({"X-API-Key": "sandbox-key"}, 200),
        ({"api_key": "sandbox-key"}, 200),
    ],
)
def test_the_key_is_enforced(sandbox, headers, status):
    response = requests.get(f"{sandbox.url}{EVENTS}", headers=headers, timeout=5)
    assert response.status_code == status
    assert ("message" in response.json()) == (status == 401)


def test_the_data_has_what_taps_stumble_over(sandbox):
    tables = sandbox.data["events"]
    children = {
        name: [row for rows in tables[name].values() for row in rows]
        for name in ("attendees", "tickets", "transactions")
    }
    sizes = [len(rows) for rows in tables["attendees"].values()]
    assert sizes.count(0) > 20
    assert sum(size > 100 for size in sizes) >= 5
    assert {type(row["transaction_amount"]) for row in children["attendees"]} >= {str, int, Decimal}
    assert any(row["price"] == "" for row in children["tickets"])
    text = json.dumps(plain(tables["events"]), ensure_ascii=False)
    assert max(text) > "\uffff"
    for field in ("title", "description", "show_remaining", "tickets_sold"):
        assert any(event[field] is None for event in tables["events"]), field
    for name, key in (
        ("attendees", "id"),
        ("tickets", "id"),
        ("transactions", "refno"),
        ("transactions", "checkout_id"),
    ):
        assert len({row[key] for row in children[name]}) == len(children[name]) > 500


def test_the_data_is_the_same_in_every_process(sandbox):
    code = "from api_sandbox import *; import zlib; print(zlib.crc32(repr(Data(APIS)['events']).encode()))"
    hashes = {subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)}
    assert len(hashes) == 1
    assert Data(APIS)["events"] == sandbox.data["events"] != Data(APIS, seed=1)["events"]
