"""Bookmarks and checkpoints under `filters`: they are of the filters that they were made with."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from core.test_state_merged import merged
from in_process import call, said, select, with_entry
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

CUSTOMERS = [
    {"id": n, "reference": "ab"[n % 2], "updated_at": f"2026-01-0{n}T00:00:00Z"} for n in range(1, 7)
]
ORDERS = [
    {"id": f"O{n}", "campaign_id": "ab"[n % 2], "created_at": f"2026-01-0{n}T00:00:00Z"} for n in range(1, 7)
]


def customers(path, query):
    rows = [row for row in CUSTOMERS if query.get("q", row["reference"]) == row["reference"]]
    rows = [row for row in rows if row["updated_at"] >= query.get("start_datetime", "")]
    return numbered([{"customer": row} for row in rows], query)


def orders(path, query):
    rows = [row for row in ORDERS if query.get("campaign_id", row["campaign_id"]) == row["campaign_id"]]
    rows = [row for row in rows if row["created_at"] >= query.get("created_at[gte]", "")]
    return {"orders": cut(rows[::-1], query), "total_count": len(rows)}


BOOKMARKS = [
    (TapBilling, customers, "customers", "q", "start_datetime"),
    (TapRewards, orders, "orders", "campaign_id", "created_at[gte]"),
]


@pytest.mark.parametrize(("tap", "handle", "stream", "name", "bound"), BOOKMARKS)
def test_a_bookmark_is_of_the_filter_that_it_was_made_with(tmp_path, tap, handle, stream, name, bound):
    """Also where a program merges STATEs."""
    state, entries = {}, []
    with JsonApi(handle) as api:

        def read(value):
            before = len(api.paths)
            filters = {stream: {name: value}} if value else None
            more = {"filters": filters, "lookback": 0, "receipt": True}
            output = call(tap, tmp_path, url=api.url, state=state, catalog=select(tap, stream), **more)
            assert output.code == 0, output.log
            merged(output.state, state)
            entries.append(output.state["bookmarks"][stream])
            bounds = {bound in parse_qs(urlsplit(target).query) for target in api.paths[before:]}
            return bounds == {True}, len(output.records.get(stream, [])), output

        from_bookmark, rows, first = read("a")
        assert (from_bookmark, rows) == (False, 3)
        assert "start" not in " ".join(said(first, "INFO"))
        assert read("a")[:2] == (True, 1), "it goes on"
        from_bookmark, rows, other = read("b")
        assert (from_bookmark, rows) == (False, 3)
        assert f"{stream}: read from the start, as its filters have changed" in said(other, "INFO")
        assert other.records["_sdc_reads"][0]["bookmark_before"] is None
        assert read(None)[:2] == (False, 6), "taken back"
        assert read(None)[:2] == (True, 1)
    marks = [entry["filters"] for entry in entries]
    assert marks[0] == marks[1]
    assert len({*marks}) == 3
    assert marks[3:] == [None, None]
    assert all(entry["replication_key_value"] for entry in entries)


@pytest.mark.parametrize(("tap", "handle", "stream", "name", "bound"), BOOKMARKS)
@pytest.mark.parametrize("copies", [False, True])
def test_J04_a_bookmark_is_of_the_filter_of_a_stream_map(tmp_path, tap, handle, stream, name, bound, copies):
    """Rows that a map left out came in no later run, once it was taken back, or changed."""
    state, counts = {}, []
    field = "reference" if stream == "customers" else name
    with JsonApi(handle) as api:
        for value in ("a", "a", "b", None, None):
            rule = {"__filter__": f"{field} == '{value}'"}
            rules = {"some": {"__source__": stream, **rule}, stream: None} if copies else {stream: rule}
            more = {"stream_maps": rules} if value else {}
            catalog = select(tap, stream)
            output = call(tap, tmp_path, url=api.url, state=state, catalog=catalog, lookback=0, **more)
            assert output.code == 0, output.log
            merged(output.state, state)
            counts.append(len(output.records.get("some" if copies and value else stream, [])))
    assert counts[0] == counts[2] == 3
    assert counts[3] == 6
    assert max(counts[1], counts[4]) <= 1, "they go on"


def test_a_filter_that_is_new_since_the_last_version_starts_anew_and_interrupted_stays_so(tmp_path):
    """The first run with it fails: the old bookmark must not come back."""
    state = {
        "bookmarks": {
            "customers": {"replication_key": "updated_at", "replication_key_value": "2026-01-06T00:00:00Z"}
        }
    }
    more = {"catalog": select(TapBilling, "customers"), "filters": {"customers": {"q": "a"}}}
    with JsonApi(lambda *_: (403, {})) as api:
        failed = call(TapBilling, tmp_path, url=api.url, state=state, **more)
    assert failed.state["bookmarks"]["customers"]["replication_key_value"] is None
    with JsonApi(customers) as api:
        output = call(TapBilling, tmp_path, url=api.url, state=failed.state, **more)
    assert len(output.records["customers"]) == 3


COMPONENTS = [
    {
        "subscription_id": n,
        "component_id": 1,
        "kind": "metered_component",
        "updated_at": "2026-01-01T00:00:00Z",
    }
    for n in (1, 2)
]


def components(path, query):
    if path == "/subscriptions_components.json":
        rows = [
            row
            for row in COMPONENTS
            if query.get("subscription_ids", str(row["subscription_id"])) == str(row["subscription_id"])
        ]
        return {"subscriptions_components": numbered(rows, query)}
    number = int(path.split("/")[2])
    row = {"id": number, "created_at": f"2026-02-0{number}T00:00:00Z"}
    wanted = row["created_at"] >= query.get("since_date", "")
    return numbered([{"usage": row}] if wanted else [], query)


FORMS = [{"id": "f1", "teamId": 1}, {"id": "f2", "teamId": 2}]


def forms(path, query):
    if path.endswith("/me"):
        return {"status": "success", "data": {"id": 1, "organizationId": 7}}
    if path.endswith("/routing-forms"):
        rows = [row for row in FORMS if query.get("teamIds", str(row["teamId"])) == str(row["teamId"])]
        return {"status": "success", "data": cut(rows, query, start="skip", size="take")}
    row = {"id": int(path.split("/")[-2][1:]), "createdAt": "2026-02-01T00:00:00.000Z"}
    wanted = row["createdAt"] >= query.get("afterCreatedAt", "")
    return {"status": "success", "data": cut([row] if wanted else [], query, start="skip", size="take")}


BELOW = [
    (TapBilling, components, ("subscription_components", "subscription_ids"), "usages", "since_date"),
    (TapScheduling, forms, ("routing_forms", "teamIds"), "routing_form_responses", "afterCreatedAt"),
]


@pytest.mark.parametrize(("tap", "handle", "above", "stream", "bound"), BELOW)
def test_a_childs_bookmark_is_of_the_filters_above_it(tmp_path, tap, handle, above, stream, bound):
    """It moves, as its lists are read to the end; of lists that it left out it tells nothing."""
    parent, name = above
    state = {}
    with JsonApi(handle) as api:

        def read(value):
            before = len(api.paths)
            filters = {parent: {name: value}} if value else None
            more = {"filters": filters, "lookback": 0, "catalog": select(tap, stream)}
            output = call(tap, tmp_path, url=api.url, state=state, **more)
            assert output.code == 0, output.log
            merged(output.state, state)
            entry = output.state["bookmarks"][stream]
            assert any(found["replication_key_value"] for found in entry.get("lists") or [entry])
            from_bookmark = any(bound in target for target in api.paths[before:])
            return from_bookmark, [row["id"] for row in output.records.get(stream, [])]

        assert read(2) == (False, [2])
        assert read(2) == (True, [2])
        assert read(1) == (False, [1]), "what was left out is not passed over"
        assert read(2) == (False, [2])
        assert read(None) == (False, [1, 2])
        assert read(None) == (True, [1, 2] if bound == "afterCreatedAt" else [2])


class Stopping:
    """Many events; from some request on the server refuses the key."""

    def __init__(self, until=10**6):
        self.until, self.requests = until, 0

    def __call__(self, path, query):
        self.requests += 1
        if self.requests > self.until:
            return 401, {}
        if path == "/v1/events":
            return {"events": cut([{"id": n} for n in range(1, 501)], query)}
        rows = cut([{"coupon": {"id": n}} for n in range(1, 501)], {**query, "offset": 0, "limit": 10**6})
        return numbered(rows, query)


@pytest.mark.parametrize(
    ("tap", "stream", "name"), [(TapEvents, "events", "category"), (TapBilling, "coupons", "filter[ids]")]
)
@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("a", "a"), (None, "a"), ("a", None)])
def test_an_interrupted_read_goes_on_with_the_same_filter_only(tmp_path, tap, stream, name, first, second):
    state = None
    for value, handle in ((first, Stopping(2)), (second, Stopping())):
        filters = {stream: {name: value}} if value else None
        more = {"catalog": select(tap, stream), "filters": filters, "concurrency": 1}
        with JsonApi(handle) as api:
            output = call(tap, tmp_path, url=api.url, state=state, **more)
        state = output.state
    assert ("going on where the last run" in output.log) is (first == second)
    assert (len(output.records[stream]) == 500) is (first != second)
    assert state["bookmarks"][stream]["checkpoint"] is None


def test_a_read_with_children_goes_on_only_if_their_filters_are_the_same(tmp_path, monkeypatch):
    kinds = {kind.name: kind for kind in TapEvents.stream_types}
    monkeypatch.setattr(kinds["attendees"], "filters", ("email",))

    def answer(stopping):
        def handle(path, query):
            found = stopping(path, query)
            return found if path == "/v1/events" or found == (401, {}) else {"attendees": []}

        return handle

    state = None
    for value, until in (("a", 20), ("a", 30), ("b", 10**6)):
        more = {"catalog": select(TapEvents, "attendees"), "filters": {"attendees": {"email": value}}}
        with JsonApi(answer(Stopping(until))) as api:
            output = call(TapEvents, tmp_path, url=api.url, state=state, concurrency=1, **more)
        state = output.state
        assert ("going on where the last run" in output.log) is (until == 30)
    assert "the last run's checkpoint no longer fits" in output.log


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("start", [None, "2026-01-01T00:00:00Z"])
@pytest.mark.parametrize("method", [None, "FULL_TABLE"])
def test_J12_a_read_with_bookmarks_below_goes_on_only_if_it_is_from_the_same_day(
    tmp_path, start, method, older
):
    """Rows of the parents that were dealt with had come from a later day on; older versions say nothing."""
    left = [10**6]

    def handle(path, query):
        left[0] -= 1
        if left[0] < 0:
            return 401, {}
        if path == "/subscriptions_components.json":
            rows = [{"component_id": n, "subscription_id": n} for n in range(1, 41)]
            return {"subscriptions_components": numbered(rows, query)}
        number = int(path.split("/")[2])
        rows = [{"id": 10 * number + n, "created_at": f"2026-0{n}-02T00:00:00Z"} for n in (1, 2, 3)]
        rows = [{"usage": row} for row in rows if row["created_at"] >= query.get("since_date", "")]
        return numbered(rows, query)

    above = "subscription_components"
    catalog = select(TapBilling, above, "usages")
    catalog = with_entry(catalog, above, **({"replication_method": method} if method else {}))

    def read(state, **settings):
        return call(
            TapBilling, tmp_path, url=api.url, state=state, catalog=catalog, concurrency=1, **settings
        )

    with JsonApi(handle) as api:
        alone = call(TapBilling, tmp_path, url=api.url, catalog=select(TapBilling, above))
        left[0] = 25
        cut_short = read(alone.state, start_date="2026-03-01T00:00:00Z")
        assert cut_short.code == 2
        assert cut_short.state["bookmarks"][above]["checkpoint"]
        if older:
            del cut_short.state["bookmarks"][above]["checkpoint"][0]["start_date"]
        left[0] = 10**6
        output = read(cut_short.state, **({"start_date": start} if start else {}))
    found = {row["id"] for row in output.records["usages"]}
    assert found == {10 * number + n for number in range(1, 41) for n in (1, 2, 3)}
