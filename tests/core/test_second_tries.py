"""Lists that seem to be gone, or that others' failures cost a try, are asked for once more in the run."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from in_process import call, select
from json_api import JsonApi, cut, numbered
from lists import only, settings
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_core.settings import RECEIPT
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

CHILDREN = {
    TapEvents: ("events", "attendees"),
    TapRewards: ("connected_organizations", "connected_organization_members"),
    TapScheduling: ("teams", "team_memberships"),
    TapPromotions: ("promotions", "rankings"),
}
TAPS = pytest.mark.parametrize("tap", CHILDREN, ids=lambda tap: tap.name)

FAULT = 500


class Api(JsonApi):
    """Parents, each with a list of two rows; what stands before it can answer in its place.

    Args:
        count: Parents.
        refuse: What is answered in place of a list's first page, or of any if that is a fault or "close": is
            given the parent's number, how many lists were asked for before, and how often this one was.
    """

    def __init__(self, count, refuse=lambda *_: None):
        self.asked = Counter()
        self._count, self._refuse = count, refuse
        super().__init__(self._answer)
        self._reply, self.answer = self.answer, self._answer_or_close

    def _answer_or_close(self, target, sock):
        try:
            return self._reply(target, sock)
        except ConnectionError:
            return None

    def _answer(self, path, query):
        words = [word for word in path.split("/") if word]
        ids = [int(word) for word in words if word.isdigit()]
        parent = int(query["connected_organization_id"]) if "connected_organization_id" in query else None
        parent = ids[0] if ids else parent
        if parent is None:
            return self._parents(words[-1], query)
        is_first = not int(query.get("offset", query.get("skip", 0)))
        before, self.asked[parent] = sum(self.asked.values()), self.asked[parent] + is_first
        refused = self._refuse(parent, before, self.asked[parent])
        if refused == "close":
            raise ConnectionError
        if refused is not None and (is_first or refused[0] == FAULT):
            return refused
        return _rows(path, query, parent)

    def _parents(self, name, query):
        numbers = range(1, self._count + 1)
        if name == "teams":
            return {"data": [{"id": number, "name": "x"} for number in numbers]}
        if name == "promotions":
            items = [{"id": str(number), "title": "x"} for number in numbers]
            return {"items": items, "paging": {"items_page": len(items), "next_cursor": None}}
        key = str if name == "connected_organizations" else int
        rows = cut([{"id": key(number)} for number in numbers], query)
        return {name: rows, "total_count": self._count, "pagination": [{"total": self._count}]}


def _rows(path, query, parent):
    key = int if "attendees" in path or "memberships" in path else str
    rows = [{"id": key(10 * parent + number), "user_id": key(number)} for number in range(2)]
    if "memberships" in path:
        return {"data": cut(rows, query, start="skip", size="take", default=250)}
    if "ranking" in path:
        return {"items": rows, "paging": {"items_page": 2, "next_cursor": None}}
    name = "attendees" if "attendees" in path else "connected_organization_members"
    return {name: cut(rows, query), "total_count": 2}


def read(api, tap, **more):
    key = {"bearer_token": KEY} if tap is TapPromotions else {}
    state = more.pop("state", None)
    return run(tap, settings(api, **key, **more), catalog=select(tap, *CHILDREN[tap]), state=state)


def children(output, tap):
    return len(output.rows(CHILDREN[tap][1]))


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("status", [403, 404])
@TAPS
def test_lists_that_are_gone_for_a_moment_come_in_the_same_run(caplog, tap, status, concurrency):
    """As where what stands before the API is in mid-deploy."""

    began = []

    def refuse(parent, before, again):
        if before >= 20 and not began:
            began.append(time.monotonic())
        return (status, b"404 page not found\n") if began and time.monotonic() - began[0] < 0.1 else None

    with Api(60, refuse) as api:
        output = read(api, tap, concurrency=concurrency, backoff_factor=0.3)
    assert max(api.asked.values()) > 1
    assert children(output, tap) == 120
    assert not re.search("gone|no such list|may not read", caplog.text)


@TAPS
def test_lists_that_are_gone_cost_one_more_request_each(caplog, tap):
    def refuse(parent, before, again):
        return (404, {"message": "no such thing"}) if parent in {3, 7} else None

    with Api(30, refuse) as api:
        output = read(api, tap)
    assert (children(output, tap), api.asked[3], api.asked[7]) == (56, 2, 2)
    assert "30 parents were gone" in caplog.text or "has no such list (404)" in caplog.text


@pytest.mark.parametrize("status", [403, 404])
@TAPS
def test_where_no_parent_has_the_list_few_are_asked_twice(tap, status):
    def refuse(parent, *_):
        name = "".join("abcdefghij"[int(digit)] for digit in str(parent))  # a 403 may name each parent
        return status, {"message": f"no such thing {name * (status == 403)}"}

    with Api(200, refuse) as api:
        output = read(api, tap, allow_partial=True)
    assert children(output, tap) == 0
    assert sum(api.asked.values()) <= 205


def test_most_lists_are_not_there_and_some_for_a_moment_only():
    """What the vendor says of lists that it does not have is told from what a gateway says."""

    def refuse(parent, before, again):
        if parent % 5:
            return 404, {"message": f"promotion {parent} has no ranking"}
        return (404, b"404 page not found\n") if 40 <= before < 80 and again == 1 else None

    with Api(200, refuse) as api:
        output = read(api, TapPromotions)
    assert children(output, TapPromotions) == 2 * 40
    assert sum(api.asked.values()) <= 200 + 20


@pytest.mark.parametrize(
    ("tap", "stream", "path"),
    [
        (TapEvents, "users", "users"),
        (TapRewards, "connected_organizations", "connected_organizations"),
        (TapRewards, "orders", "orders"),
    ],
)
@pytest.mark.parametrize("status", [403, 404])
def test_a_streams_own_list_that_is_gone_for_a_moment_comes_at_the_end(caplog, tap, stream, path, status):
    asked = Counter()

    def handle(target, query):
        name = target.split("/")[-1]
        asked[name] += 1
        if name == path and asked[name] == 1:
            return status, b"404 page not found\n"
        row = {"id": "1"} if tap is TapRewards else {"id": 1, "category": "x"}
        return {name: cut([row], query), "total_count": 1}

    other = "campaigns" if tap is TapRewards else "categories"
    with JsonApi(handle) as api:
        output = run(tap, settings(api, receipt=True), catalog=select(tap, stream, other))
    assert len(output.records[stream]) == 1
    assert "no such list" not in caplog.text
    (receipt,) = (row for row in output.records[RECEIPT] if row["stream"] == stream)
    assert (receipt["rows"], receipt["lists"], receipt["reason"]) == (1, 1, None)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_status_by_which_an_api_says_that_there_is_no_list_is_doubted_too(caplog, concurrency):
    """Sites of the other kind of billing answer 422; one of fifteen lists in between is none of them."""
    asked = Counter()

    def handle(path, query):
        if path.endswith("/subscriptions.json"):
            rows = [
                {"subscription": {"id": number, "updated_at": f"2026-01-02T00:{number:02}:00Z"}}
                for number in range(60)
            ]
            return numbered(rows, query)
        parent = int(path.split("/")[2])
        asked[parent] += 1
        if 20 <= parent < 35 and asked[parent] == 1:
            return 422, {"errors": ["Try again"]}
        rows = [{"uid": f"p{parent}-{number}"} for number in range(3)]
        return {"proforma_invoices": numbered(rows, query)}

    with JsonApi(handle) as api:
        catalog = select(TapBilling, "subscriptions", "proforma_invoices")
        output = run(TapBilling, settings(api, concurrency=concurrency), catalog=catalog)
    assert len(output.rows("proforma_invoices")) == 180
    assert "no such list" not in caplog.text


@pytest.mark.parametrize("stream", ["credit_notes", "transactions"])
def test_a_list_that_seems_for_a_moment_to_be_of_other_sites_comes(caplog, stream):
    asked = Counter()

    def handle(path, query):
        name = path.strip("/").removesuffix(".json")
        asked[name] += 1
        if name == stream and asked[name] == 1:
            return 422, {"errors": ["Try again"]}
        made = "2026-05-01T00:00:00Z"
        rows = [{"uid": f"{number}", "id": number, "created_at": made} for number in range(3)]
        if name == "credit_notes":
            return {name: numbered(rows, query)}
        return numbered([{"transaction": row} for row in rows if name == stream], query)

    with JsonApi(handle) as api:
        output = run(TapBilling, settings(api), catalog=only(TapBilling, stream, "customers"))
    assert len(output.records[stream]) == 3
    assert "no such list" not in caplog.text


def test_an_address_where_nothing_is_costs_no_second_try():
    with JsonApi(lambda *_: (404, {})) as api:
        with pytest.raises(ApiError, match="nothing could be read"):
            run(TapEvents, settings(api), catalog=only(TapEvents, "events", "users"))
        assert len(api.paths) == 2


@pytest.mark.parametrize("tap", [TapEvents, TapRewards], ids=lambda tap: tap.name)
def test_a_run_that_ends_in_the_second_try_goes_on_before_that_list(tmp_path, tap):
    """The first try says nothing yet: no checkpoint passes it."""
    parent, child = CHILDREN[tap]

    def refuse(number, before, again):
        return (404 if again == 1 else 401, {}) if number == 25 and again < 3 else None

    with Api(60, refuse) as api:
        runs = [None, None]
        for at in range(2):
            state = runs[0].state if at else None
            runs[at] = call(
                tap, tmp_path, url=api.url, catalog=select(tap, parent, child), page_size=10, state=state
            )
            api.asked[25] += at == 0
    assert [output.code for output in runs] == [2, 0]
    assert len(runs[0].rows(child)) == 118
    assert len(runs[0].rows(child) | runs[1].rows(child)) == 120
    assert len(runs[1].rows(child)) < 100


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("tap", [TapEvents, TapPromotions], ids=lambda tap: tap.name)
def test_neighbours_that_do_not_answer_cost_no_others(tap, concurrency):
    with Api(60, lambda number, *_: "close" if 20 <= number < 24 else None) as api:
        output = read(api, tap, concurrency=concurrency, allow_partial=True)
    assert children(output, tap) == 2 * 56


def test_where_none_answers_any_more_few_are_asked_again(caplog):
    with Api(200, lambda number, *_: "close" if number > 10 else None) as api:
        output = read(api, TapEvents, concurrency=1, allow_partial=True)
    assert children(output, TapEvents) == 20
    assert len(api.asked) < 20
    assert "attendees: given up, as 3 lists in a row failed alike" in caplog.text


@pytest.mark.parametrize("tap", [TapEvents, TapScheduling], ids=lambda tap: tap.name)
def test_a_fault_behind_lists_that_fail_for_good_costs_nothing(tap):
    def refuse(number, before, again):
        return (FAULT, {}) if number in {10, 11, 12} or (number == 13 and again == 1) else None

    with Api(30, refuse) as api:
        output = read(api, tap, concurrency=1, allow_partial=True)
    assert children(output, tap) == 2 * 27


@pytest.mark.parametrize("tap", [TapEvents, TapPromotions], ids=lambda tap: tap.name)
def test_batches_have_the_lists_that_come_late(tmp_path, tap):
    def refuse(number, before, again):
        return (404, b"404 page not found\n") if number in {2, 3, 4} and again == 1 else None

    batches = {
        "encoding": {"format": "jsonl", "compression": "none"},
        "storage": {"root": f"file://{tmp_path}"},
    }
    with Api(10, refuse) as api:
        output = read(api, tap, batch_config=batches)
    files = [
        file for message in output.messages if message["type"] == "BATCH" for file in message["manifest"]
    ]
    lines = [line for file in files for line in Path(file.removeprefix("file://")).read_text().splitlines()]
    assert len(lines) == 30
