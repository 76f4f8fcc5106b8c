"""Windows one after the other, newest first: lists of children, and whole accounts of the sandbox."""

from __future__ import annotations

import pytest

from core.test_windows import at
from in_process import call, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_core.positions import instant
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

FORMS = {n: f"2026-03-{n:02}T00:00:00.000Z" for n in range(1, 29)}


def answers(path, query):
    """A form with an answer a day, bounds heeded as they are documented."""
    if path.endswith("/me"):
        return {"status": "success", "data": {"id": 1, "organizationId": 7}}
    since, until = query.get("afterCreatedAt", ""), query.get("beforeCreatedAt", "3")
    rows = [{"id": n, "createdAt": time} for n, time in FORMS.items() if since <= time <= until]
    rows = rows if path.endswith("/responses") else [{"id": "f1"}]
    return {"status": "success", "data": cut(rows, query, start="skip", size="take")}


def components(path, query):
    """A component whose usage comes a day at a time; the API knows days."""
    if path == "/subscriptions_components.json":
        row = {"subscription_id": 1, "component_id": 1, "kind": "metered_component"}
        row["updated_at"] = "2026-01-01T00:00:00Z"
        return {"subscriptions_components": numbered([row], query)}
    since, until = query.get("since_date", ""), query.get("until_date", "3")
    rows = [{"usage": {"id": n, "created_at": t}} for n, t in FORMS.items() if since <= t[:10] <= until]
    return numbered(rows, query)


BELOW = [
    (TapScheduling, answers, "routing_forms", "routing_form_responses", "beforeCreatedAt"),
    (TapBilling, components, "subscription_components", "usages", "until_date"),
]


@pytest.mark.parametrize(("tap", "handle", "parent", "stream", "param"), BELOW)
def test_lists_of_children_have_windows_of_their_own(tmp_path, tap, handle, parent, stream, param):
    """With a bookmark for all lists, or for each; whatever the parent's, which is read for all of them."""
    found, state = [], None
    with JsonApi(handle) as api:
        for first, last in ((21, 29), (11, 21), (11, 25), (1, 11)):
            window = {"start_date": f"2026-03-{first:02}", "end_date": f"2026-03-{last:02}", "lookback": 0}
            chosen = {"catalog": select(tap, parent, stream), "state": state}
            before = len(api.paths)
            output = call(tap, tmp_path, url=api.url, **chosen, **window)
            assert output.code == 0, output.log
            asked = [target for target in api.paths[before:] if f"{stream.rsplit('_', 1)[-1]}" in target]
            assert asked
            assert all(param in target for target in asked)
            assert f"cut by the API: {stream}" in output.log
            found.append(sorted({int(row["id"]) for row in output.records.get(stream, [])}))
            state = output.state
        plain = call(tap, tmp_path, url=api.url, **chosen)
        later = len(api.paths)
        done = call(tap, tmp_path, url=api.url, **{**chosen, "state": plain.state}, **window)
        assert not [target for target in api.paths[later:] if param in target]
    assert found == [[*range(21, 29)], [*range(11, 21)], [*range(20, 25)], [*range(1, 11)]]
    assert done.state["bookmarks"][stream] == plain.state["bookmarks"][stream]


SANDBOX = {
    TapBilling: ("billing", ["customers", "subscriptions", "invoices", "transactions", "events"]),
    TapRewards: ("rewards", ["orders", "rewards", "balance_transactions"]),
    TapScheduling: ("scheduling", ["bookings"]),
}


@pytest.mark.parametrize("tap", SANDBOX)
def test_windows_newest_first_have_together_what_one_read_has(api, tmp_path, tap):
    """Each row that has a time once, and fewer requests for a window than for all."""
    part, streams = SANDBOX[tap]
    more = {"url": f"{api.url}/{part}", "catalog": select(tap, *streams), "page_size": 50, "lookback": 0}
    whole, requests = call(tap, tmp_path, **more), len(api.requests)
    keys = {kind.name: kind.replication_key for kind in tap.stream_types}
    key = keys[streams[0]]
    times = sorted(at({"created_at": str(row[key])}) for row in whole.records[streams[0]] if row[key])
    inner = [instant(times[len(times) // 3]).isoformat(), times[2 * len(times) // 3]]
    bounds = [None, *inner, None]
    state, found, asked = None, {name: [] for name in streams}, []
    for start, end in zip(bounds[-2::-1], bounds[:0:-1], strict=True):
        api.clear()
        window = {"start_date": start, "end_date": end or "2100-01-01"}
        output = call(tap, tmp_path, state=state, **more, **window)
        assert output.code == 0, output.log
        state = output.state
        asked.append(len(api.requests))
        for name in streams:
            found[name] += output.rows(name).items()
    assert max(asked) < requests
    for name in streams:
        dated = {given: row for given, row in whole.rows(name).items() if row.get(keys[name])}
        assert dict(found[name]) == dated
        assert len(found[name]) == len(dict(found[name])), name


STARTS = [
    (TapBilling, "billing", "customers"),
    (TapRewards, "rewards", "orders"),
    (TapScheduling, "scheduling", "bookings"),
]


@pytest.fixture
def start(api, tmp_path):
    """Runs that share a STATE, from some start dates or None: the keys of the rows of each."""

    def read(tap, part, stream, *dates):
        state, found = None, []
        for date in dates:
            chosen = {"url": f"{api.url}/{part}", "catalog": select(tap, stream), "lookback": 0}
            output = call(tap, tmp_path, state=state, start_date=date, **chosen)
            assert output.code == 0, output.log
            state = output.state
            found.append(({*output.rows(stream)}, output))
        return found

    return read


def middle(api, part, stream, key):
    times = sorted(at({"created_at": str(row[key])}) for row in api.data[part][stream] if row[key])
    return times[len(times) // 3], times[2 * len(times) // 3]


@pytest.mark.parametrize(("tap", "part", "stream"), STARTS)
def test_B05_a_start_date_that_is_earlier_than_before_is_read_from(api, start, tap, part, stream):
    """So is none. A later one reads nothing again."""
    key = next(kind.replication_key for kind in tap.stream_types if kind.name == stream)
    early, late = middle(api, part, stream, key)
    ((whole, _),) = start(tap, part, stream, None)
    (first, _), (again, _), (second, output), (last, end) = start(tap, part, stream, late, late, early, None)
    assert len(again) <= len(first) // 2
    assert first < second < whole == last
    assert f"{stream}: read from {instant(early).isoformat()}, as the bookmark is of rows from" in output.log
    assert f"{stream}: read from the start, as the bookmark is of rows from" in end.log
    (_, _), (raised, output), (lowered, _) = start(tap, part, stream, early, late, early)
    assert len(raised) <= len(first) // 2
    assert len(lowered) <= len(first) // 2
    assert "start_date are not read" not in output.log


@pytest.mark.parametrize(("tap", "part", "stream"), STARTS)
def test_B07_rows_that_a_start_date_passes_over_are_named_and_read_without_it(
    api, start, tmp_path, tap, part, stream
):
    key = next(kind.replication_key for kind in tap.stream_types if kind.name == stream)
    early, late = middle(api, part, stream, key)
    ((whole, _),) = start(tap, part, stream, None)
    chosen = {"url": f"{api.url}/{part}", "catalog": select(tap, stream), "lookback": 0}
    first = call(tap, tmp_path, end_date=early, **chosen)
    second = call(tap, tmp_path, state=first.state, start_date=late, **chosen)
    assert f"{stream}: rows from the bookmark (" in second.log
    again = call(tap, tmp_path, state=second.state, start_date=late, **chosen)
    assert "start_date are not read" not in again.log
    last = call(tap, tmp_path, state=again.state, **chosen)
    found = {
        key
        for output in (first, second, again, last)
        if stream in output.schemas
        for key in output.rows(stream)
    }
    assert whole == found


@pytest.mark.parametrize("between", [[], [{"start_date": "2026-03-15"}], [{"end_date": "2026-03-05"}]])
def test_J12_a_list_that_is_read_first_under_a_later_start_than_others_comes_whole_without_it(
    tmp_path, between
):
    """It had failed in the run that read the others, or is new to the key."""
    failing = ["f1"]

    def handle(path, query):
        if path.endswith("/routing-forms"):
            rows = [{"id": "f0"}, {"id": "f1"}, {"id": "f2"}][: 3 if state else 2]
            return {"status": "success", "data": cut(rows, query, start="skip", size="take")}
        return (500, {}) if path.split("/")[-2] in failing else answers(path, query)

    catalog = select(TapScheduling, "routing_form_responses")
    rows, state = set(), None
    with JsonApi(handle) as api:
        for settings in ({}, {"start_date": "2026-03-10"}, *between, {}):
            output = call(TapScheduling, tmp_path, url=api.url, state=state, catalog=catalog, **settings)
            rows |= {(row["formId"], row["id"]) for row in output.records["routing_form_responses"]}
            state, failing[:] = output.state, []
        again = call(TapScheduling, tmp_path, url=api.url, state=state, catalog=catalog)
    assert rows == {(form, number) for form in ("f0", "f1", "f2") for number in FORMS}
    assert len(again.records["routing_form_responses"]) < 3 * len(FORMS) / 2, "from the bookmarks"
