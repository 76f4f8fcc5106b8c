"""The runner for tests, APIs of one's own, and paging of every kind."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests

from api_sandbox import Api, Reply, Sandbox
from api_sandbox.paging import Paging
from api_sandbox.server import listen

ROWS = [{"id": number} for number in range(10)]


def toy(handler):
    return Api(
        name="toy",
        generate=lambda rng: {"rows": [{"id": rng.random()}]},
        routes={"/rows/{name}": handler},
        authorized=lambda headers: headers.get("authorization") == "Bearer sandbox-key",
        error=lambda status, message: Reply({"error": {"message": message}}, status),
    )


def test_it_stops_at_once_and_leaves_nothing():
    before = threading.active_count()
    with Sandbox() as sandbox:
        sandbox.fault("hang", seconds=3600)
        hanging = threading.Thread(
            target=pytest.raises, args=(requests.ConnectionError, requests.get, sandbox.url + "/events")
        )
        hanging.start()
        while not sandbox.requests:
            time.sleep(0.001)
    hanging.join()
    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url, timeout=1)


def test_sandboxes_do_not_share_rows():
    with Sandbox() as one, Sandbox() as other:
        one.data["events"]["users"].clear()
        assert len(other.data["events"]["users"]) == 25


def test_rows_can_be_given():
    tables = {"events": [], "users": [], "categories": [{"category": "only"}]}
    with Sandbox(data={"events": tables}) as sandbox:
        response = requests.get(
            f"{sandbox.url}/events/v1/categories", headers={"api_key": "sandbox-key"}, timeout=5
        )
    assert response.json() == {"categories": [{"category": "only"}]}


def test_an_api_of_its_own():
    def handler(call):
        return Reply(
            {"name": call.path["name"], "tags": call.query.getlist("tag"), "rows": call.tables["rows"]}, 201
        )

    with Sandbox([toy(handler)]) as sandbox:
        url = f"{sandbox.url}/toy/rows/a%2Fb?tag=1&tag=2"
        refused = requests.get(url, timeout=5)
        answer = requests.get(
            url.replace("%2F", "-"), headers={"authorization": "Bearer sandbox-key"}, timeout=5
        )
        sandbox.fault("status", status=502)
        broken = requests.get(url, timeout=5)
        assert answer.json() == {"name": "a-b", "tags": ["1", "2"], "rows": sandbox.data["toy"]["rows"]}
    assert answer.status_code == 201
    assert (refused.status_code, list(refused.json())) == (404, ["error"])
    assert (broken.status_code, broken.json()) == (502, {"error": {"message": "Sandbox fault: 502"}})


def test_a_handler_that_fails_is_a_500_and_does_not_stop_the_server():
    def handler(call):
        return Reply({"row": call.tables["nothing"]})

    with Sandbox([toy(handler)]) as sandbox:
        for _ in range(2):
            response = requests.get(
                f"{sandbox.url}/toy/rows/1", headers={"authorization": "Bearer sandbox-key"}, timeout=5
            )
            assert response.status_code == 500


def test_pages_by_number():
    assert [row["id"] for row in Paging().by_number(ROWS, 2, 4).rows] == [4, 5, 6, 7]
    assert [row["id"] for row in Paging(cap=3).by_number(ROWS, 2, 4).rows] == [3, 4, 5]
    assert list(Paging().by_number(ROWS, 4, 4).rows) == []
    assert [row["id"] for row in Paging(first=True).by_number(ROWS, 2, 4).rows] == [0, 1, 2, 3]
    assert Paging(whole=True).by_number(ROWS, 2, 4).rows == ROWS


def test_pages_by_cursor():
    seen, cursor = [], None
    while True:
        page = Paging().by_cursor(ROWS, cursor, 4)
        seen += page.rows
        if page.next_cursor is None:
            break
        cursor = str(page.next_cursor)
    assert seen == ROWS
    assert Paging().by_cursor(ROWS, "unknown", 4) is None
    assert Paging().by_cursor(ROWS, "5", 4).next_cursor is None
    assert Paging(cursor="again").by_cursor(ROWS, None, 4).next_cursor == "again"
    assert Paging(first=True).by_cursor(ROWS, "7", 4).next_cursor == 3
    empty = Paging(empty=True).by_cursor(ROWS, None, 4)
    assert (list(empty.rows), empty.next_cursor) == ([], 3)


def test_a_body_does_not_wait_for_the_acknowledgement_of_its_headers():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
