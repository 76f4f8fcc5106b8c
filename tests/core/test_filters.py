"""`filters`: the API's own filters, set by users: what they do to requests, deletes, bookmarks, STATE."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from core.test_state_merged import merged
from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_core.replication import FILTERED
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.streams.organization import AccountMembers
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

CLAIMS = {"emit_activate_version_messages": True, "receipt": True, "concurrency": 1}
VALUES = "must be a text, a number, true or false, or a list of these"

WRONG = [
    (TapEvents, {"event": {}}, "filters: `event` is no stream that can be filtered: there are events"),
    (TapEvents, {"users": {"id": 1}}, "filters: `users` is no stream that can be filtered: there are events"),
    (
        TapEvents,
        {"events": {"state": "x"}},
        "filters.events: `state` can't be set: there are status, category",
    ),
    (TapEvents, {"events": {"limit": 5}}, "filters.events: `limit` can't be set: there are status, category"),
    (TapEvents, {"events": ["live"]}, "filters.events must be an object of the API's parameters: there are "),
    (TapEvents, ["events"], "filters must be an object"),
    (TapRewards, {"orders": {"created_at[gte]": "2026"}}, "filters.orders: `created_at[gte]` can't be set: "),
    (TapScheduling, {"bookings": {"sortCreated": "desc"}}, "filters.bookings: `sortCreated` can't be set: "),
    (TapScheduling, {"bookings": {"afterStart": "2026"}}, "filters.bookings: `afterStart` can't be set: "),
    *(
        (TapScheduling, {"bookings": {"status": value}}, f"filters.bookings.status {VALUES}")
        for value in (None, {}, [], [None], [["past"]])
    ),
]


@pytest.mark.parametrize(("tap", "filters", "words"), WRONG)
def test_what_makes_no_filter_is_refused_in_a_line(tmp_path, tap, filters, words):
    output = call(tap, tmp_path, filters=filters)
    assert output.code == 1
    (line,) = said(output)
    assert line.startswith(words)


@pytest.mark.parametrize("tap", [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling])
def test_no_stream_lets_be_set_what_it_sends_itself(tap):
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    streams = tap(config={"api_url": "http://localhost", tap.key_setting: "x"}).streams.values()
    for stream in streams:
        sent = {*stream.params, *stream.get_new_paginator().current_value}
        if stream.replication_key:
            late = [paginator.current_value for paginator in stream.late_changes(moment)]
            sent |= {*stream.since(moment), *(name for query in late for name in query)}
        assert not sent & {*stream.filters}, stream.name
    assert any(stream.filters for stream in streams)


def queries(api, path):
    parts = [urlsplit(target) for target in api.paths]
    return [parse_qs(part.query) for part in parts if part.path.endswith(path)]


SENT = [
    (TapScheduling, "bookings", {"status": ["upcoming", "past"]}, {"status": ["upcoming,past"]}),
    (TapScheduling, "bookings", {"teamsIds": [3, 4]}, {"teamsIds": ["3,4"]}),
    (TapScheduling, "bookings", {"attendeeEmail": "a+b@c.example"}, {"attendeeEmail": ["a+b@c.example"]}),
    (TapBilling, "transactions", {"kinds[]": ["charge", "refund"]}, {"kinds[]": ["charge", "refund"]}),
    (TapBilling, "transactions", {"kinds[]": "charge"}, {"kinds[]": ["charge"]}),
    (
        TapBilling,
        "coupons",
        {"filter[use_site_exchange_rate]": False, "filter[ids]": [1, 2]},
        {"filter[use_site_exchange_rate]": ["false"], "filter[ids]": ["1,2"]},
    ),
    (TapBilling, "product_families", {"date_field": "created_at"}, {"date_field": ["created_at"]}),
    (TapRewards, "products", {"country": ["US", "DE"]}, {"country": ["US,DE"]}),
    (TapPromotions, "promotions", {"status": "active"}, {"status": ["active"]}),
]


@pytest.mark.parametrize(("tap", "stream", "given", "sent"), SENT)
def test_what_is_sent(tmp_path, tap, stream, given, sent):
    """With every request of the stream, beside its own parameters, and with no other's."""
    place = {TapScheduling: "data", TapRewards: stream, TapPromotions: "items"}.get(tap)
    with JsonApi(lambda *_: {place: []} if place else []) as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream), filters={stream: given})
        assert output.code == 0, output.log
        asked = [query for target in api.paths for query in [parse_qs(urlsplit(target).query)]]
        plain = call(tap, tmp_path, url=api.url, catalog=select(tap, stream))
        assert plain.code == 0
        unfiltered = [parse_qs(urlsplit(target).query) for target in api.paths[len(asked) :]]
    assert asked[0] == {**unfiltered[0], **sent}
    assert all(query.items() >= sent.items() for query in asked)


def events(path, query):
    """Three events, of which one is live, with an attendee each; the total counts all, by a hundred."""
    if path == "/v1/events":
        rows = [{"id": n, "status": "Live" if n == 2 else "Draft"} for n in (1, 2, 3)]
        rows = [row for row in rows if query.get("status", row["status"].lower()) == row["status"].lower()]
        return {
            "pagination": [{"total": 100 * len(rows) if "status" in query else 3}],
            "events": cut(rows, query),
        }
    if path == "/v1/users":
        return {"pagination": [{"total": 1}], "users": cut([{"id": 1}], query)}
    return {"attendees": cut([{"id": 10 * int(path.split("/")[-2])}], query)}


def profiles(path, query):
    rows = [{"id": n, "customer_id": n} for n in (1, 2, 3)]
    if path == "/payment_profiles.json":
        rows = [row for row in rows if query.get("customer_id", str(row["id"])) == str(row["id"])]
        return numbered([{"payment_profile": row} for row in rows], query)
    return numbered([{"coupon": {"id": 1}}], query)


DELETES = [
    (TapEvents, events, {"events": {"status": "live"}}, ["events", "attendees"], "users"),
    (TapBilling, profiles, {"payment_profiles": {"customer_id": 2}}, ["payment_profiles"], "coupons"),
]


@pytest.mark.parametrize(("tap", "handle", "filters", "filtered", "other"), DELETES)
def test_no_row_is_called_gone_that_was_not_asked_for(tmp_path, tap, handle, filters, filtered, other):
    chosen = select(tap, *filtered, other)
    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=chosen, filters=filters, **CLAIMS)
        assert output.code == 0, output.log
        after = call(tap, tmp_path, url=api.url, catalog=chosen, state=output.state, **CLAIMS)
    assert not said(output, "WARNING"), "the total may not know of the filter"
    gone = [message["stream"] for message in output.messages if message["type"] == "ACTIVATE_VERSION"]
    assert gone == [other]
    reads = {
        row["stream"]: (row["whole"], row["reason"], row["rows"]) for row in output.records["_sdc_reads"]
    }
    assert reads == {**dict.fromkeys(filtered, (False, FILTERED, 1)), other: (True, None, 1)}
    lines = {f"{name}: no row is called gone: {FILTERED}" for name in filtered}
    assert lines <= {*said(output, "INFO")}
    whole = {message["stream"] for message in after.messages if message["type"] == "ACTIVATE_VERSION"}
    assert whole == {*filtered, other}


def test_only_the_streams_below_a_filtered_one_count_as_filtered(tmp_path):
    """The parent is not selected: its filter holds, and its children are not whole."""
    chosen = select(TapEvents, "attendees", "users")
    with JsonApi(events) as api:
        output = call(
            TapEvents,
            tmp_path,
            url=api.url,
            catalog=chosen,
            filters={"events": {"status": "live"}},
            **CLAIMS,
        )
    assert [row["id"] for row in output.records["attendees"]] == [20]
    gone = [message["stream"] for message in output.messages if message["type"] == "ACTIVATE_VERSION"]
    assert gone == ["users"]


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
    (TapBilling, components, ("subscription_components", "subscription_ids"), "usages"),
    (TapScheduling, forms, ("routing_forms", "teamIds"), "routing_form_responses"),
]


@pytest.mark.parametrize(("tap", "handle", "above", "stream"), BELOW)
def test_a_childs_bookmark_is_of_the_filters_above_it(tmp_path, tap, handle, above, stream):
    """It moves, as its lists are read to the end; of lists that it left out it tells nothing."""
    parent, name = above
    state = {}
    with JsonApi(handle) as api:

        def read(value):
            filters = {parent: {name: value}} if value else None
            more = {"filters": filters, "lookback": 0, "catalog": select(tap, stream)}
            output = call(tap, tmp_path, url=api.url, state=state, **more)
            assert output.code == 0, output.log
            merged(output.state, state)
            entry = output.state["bookmarks"][stream]
            reached = [
                found.get("replication_key_value") for found in (entry.get("lists") or {"": entry}).values()
            ]
            return [row["id"] for row in output.records.get(stream, [])], reached

        rows, reached = read(2)
        assert rows == [2]
        assert all(reached)
        assert read(1)[0] == [1], "what was left out is not passed over"
        assert read(2)[0] == [2]
        rows, reached = read(None)
        assert rows == [1, 2]
        assert all(reached)


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


@pytest.mark.parametrize("both", [False, True])
def test_an_answer_is_shared_only_if_it_is_filtered_alike(tmp_path, monkeypatch, both):
    monkeypatch.setattr(AccountMembers.__base__, "filters", ("role",))
    names = ("members", "account_members")
    filters = {name: {"role": "x"} for name in names[: 1 + both]}

    def handle(_, query):
        return {"members": cut([{"id": "1"}] if "role" in query else [{"id": "1"}, {"id": "2"}], query)}

    with JsonApi(handle) as api:
        chosen = select(TapRewards, *names)
        output = call(TapRewards, tmp_path, url=api.url, catalog=chosen, filters=filters, receipt=True)
        sent = len(api.paths)
    assert output.code == 0, output.log
    rows = {name: len(output.records[name]) for name in names}
    assert rows == {"members": 1, "account_members": 1 if both else 2}
    assert sent == (2 if both else 4), "a page, and the proof that the list ends"


def test_the_values_are_personal_and_stand_nowhere(tmp_path):
    """Not in STATE, whatever became of the run, and in no line of the log."""
    mail = "ann.other@example.org"
    more = {"catalog": select(TapScheduling, "bookings"), "filters": {"bookings": {"attendeeEmail": mail}}}
    for status in (200, 400, 500):
        with JsonApi(lambda *_, status=status: (status, {"status": "success", "data": []})) as api:
            output = call(TapScheduling, tmp_path, url=api.url, **more)
        assert mail not in output.text + output.log
        assert "ann.other" not in output.text + output.log


def test_events_that_come_under_the_name_of_their_status(tmp_path):
    def handle(path, query):
        return {"pagination": [{"total": 2}], "events_live": cut([{"id": 1}, {"id": 2}], query)}

    more = {"catalog": select(TapEvents, "events"), "filters": {"events": {"status": "live"}}}
    with JsonApi(handle) as api:
        output = call(TapEvents, tmp_path, url=api.url, **more)
    assert output.code == 0, output.log
    assert [row["id"] for row in output.records["events"]] == [1, 2]
