"""Lists whose later page is not there: their parent was deleted while they were read, or it seems so."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from in_process import select
from json_api import JsonApi, cut
from lists import settings
from support import KEY, run
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

LISTS = {
    "attendees": (TapEvents, "events"),
    "users": (TapPromotions, "promotions"),
    "team_memberships": (TapScheduling, "teams"),
    "connected_organization_members": (TapRewards, "connected_organizations"),
}
ROWS = 600
"""More than a page of any of these lists."""

MOST = 14
"""Requests for a page that the server can't manage: halves of it are asked for, and theirs."""


class Api:
    """Parents, each with a list of so many rows, whose later pages a function answers in place of the server.

    Args:
        count: Parents.
        later: Is given the parent's number, how often a later page of its list was asked for, and whether
            this is one.
    """

    def __init__(self, count, later):
        self.count, self.later, self.asked = count, later, Counter()
        self.long = {2}  # parents whose list has more than a page

    def __call__(self, path, query):
        words = [word for word in path.split("/") if word]
        number = next((int(word) for word in words if word.isdigit()), 0)
        number = int(query.get("connected_organization_id", number))
        if not number:
            return self._parents(words[-1], query)
        start = int(query.get("offset", query.get("skip", query.get("next_cursor", 0))))
        self.asked[number] += bool(start)
        refused = self.later(number, self.asked[number], bool(start))
        return refused or self._rows(path, query, number, start)

    def _parents(self, name, query):
        rows = [{"id": number, "name": "x", "title": "x"} for number in range(1, self.count + 1)]
        if name in {"connected_organizations", "promotions"}:
            rows = [{**row, "id": str(row["id"])} for row in rows]
        if name == "promotions":
            return {"items": rows, "paging": {"items_page": len(rows), "next_cursor": None}}
        return {"data": rows} if name == "teams" else {name: cut(rows, query)}

    def _rows(self, path, query, number, start):
        as_key = str if "users" in path or path.endswith("members") else int
        rows = [
            {"id": as_key(1000 * number + n), "user_id": n} for n in range(ROWS if number in self.long else 3)
        ]
        if "memberships" in path:
            return {"data": cut(rows, query, start="skip", size="take")}
        if "users" in path:
            more = str(start + 100) if start + 100 < len(rows) else None
            items = rows[start : start + 100]
            return {"items": items, "paging": {"items_page": len(items), "next_cursor": more}}
        return {path.split("/")[-1]: cut(rows, query)}


def read(api, stream, **more):
    tap, parent = LISTS[stream]
    key = {"bearer_token": KEY} if tap is TapPromotions else {}
    return run(tap, settings(api, **key, **more), catalog=select(tap, parent, stream))


BODY = (404, {"message": "Not found"})


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("stream", LISTS)
def test_C13_a_parent_that_is_deleted_while_its_list_is_read_is_passed_over(stream, concurrency, caplog):
    handle = Api(5, lambda number, asked, later: BODY if number == 2 and asked else None)
    with JsonApi(handle) as api:
        output = read(api, stream, concurrency=concurrency, emit_activate_version_messages=True)
    others = [row for row in output.records[stream] if not 2000 <= int(row["id"]) < 3000]
    assert len(others) == 4 * 3
    assert re.search(f"{stream}: 1 of 5 parents (were gone|have no list)", caplog.text)
    claimed = {message["stream"] for message in output.messages if message["type"] == "ACTIVATE_VERSION"}
    assert stream not in claimed


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("stream", LISTS)
def test_C13_a_later_page_that_is_not_there_for_a_moment_comes(stream, times):
    handle = Api(5, lambda number, asked, later: BODY if number == 2 and later and asked <= times else None)
    with JsonApi(handle) as api:
        output = read(api, stream)
    assert len(output.rows(stream)) == 4 * 3 + ROWS


@pytest.mark.parametrize("stream", LISTS)
def test_C13_a_later_page_that_is_never_there_is_a_failure(stream):
    handle = Api(5, lambda number, asked, later: BODY if later else None)
    with JsonApi(handle) as api:
        with pytest.raises(ApiError, match=rf"partly read: {stream}: {stream} 2: .* nothing at"):
            read(api, stream)
        assert handle.asked[2] <= 2 * MOST


@pytest.mark.parametrize("order", [1, -1], ids=["as asked for", "newest first"])
def test_J12_a_list_that_goes_while_it_is_read_keeps_its_own_bookmark(order):
    """The form is back in the next run, and its responses all come, in whichever order they are sent."""
    gone = [True]
    rows = [{"id": n, "createdAt": f"2026-01-{n // 10 + 1:02}T00:00:{n % 10:02}.000Z"} for n in range(300)]

    def handle(path, query):
        if path.endswith("/me"):
            return {"status": "success", "data": {"id": 1, "organizationId": 7}}
        if path.endswith("/routing-forms"):
            return {
                "status": "success",
                "data": cut([{"id": "a"}, {"id": "b"}], query, start="skip", size="take"),
            }
        found = rows[:3] if "/a/" in path else rows
        found = [row for row in found if row["createdAt"] >= query.get("afterCreatedAt", "")][::order]
        asked[path] += 1
        if gone[0] and "/b/" in path and asked[path] > 1:
            return BODY
        return {"status": "success", "data": cut(found, query, start="skip", size="take")}

    catalog = select(TapScheduling, "routing_form_responses")
    with JsonApi(handle) as api:
        asked = Counter()
        state = run(TapScheduling, settings(api), catalog=catalog).state
        gone[0] = False
        output = run(TapScheduling, settings(api), catalog=catalog, state=state)
    assert {row["id"] for row in output.records["routing_form_responses"] if row["formId"] == "b"} == {
        *range(300)
    }


@pytest.mark.parametrize("stream", ["organization_users", "organization_memberships"])
def test_C13_the_one_list_that_goes_while_it_is_read_is_a_failure(stream):
    asked = Counter()

    def handle(path, query):
        if path.endswith("/me"):
            return {"status": "success", "data": {"id": 1, "organizationId": 7}}
        asked[path] += 1
        rows = [{"id": n} for n in range(ROWS)]
        found = cut(rows, query, start="skip", size="take")
        return BODY if asked[path] > 1 else {"status": "success", "data": found}

    with JsonApi(handle) as api, pytest.raises(ApiError, match=f"partly read: {stream}"):
        run(TapScheduling, settings(api), catalog=select(TapScheduling, stream))


@pytest.mark.parametrize("stream", LISTS)
def test_C13_lists_that_all_go_while_they_are_read_are_a_failure(stream):
    handle = Api(5, lambda number, asked, later: BODY if asked else None)
    handle.long = range(1, 6)
    with (
        JsonApi(handle) as api,
        pytest.raises(ApiError, match=f"{stream}: .*5 of 5 parents were gone"),
    ):
        read(api, stream)
