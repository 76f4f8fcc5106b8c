"""`children_since`: lists of parents that have ended are read no more, but for whole passes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from claims import versions
from core.test_state_merged import merged
from ended_parents import ACCOUNTS, NOW, Events, Promotions, ago
from in_process import call, said, select
from json_api import JsonApi

CLAIMS = {"emit_activate_version_messages": True, "receipt": True}


@pytest.fixture
def read(tmp_path):
    """Runs the tap over an account: its output, and the parents whose lists were asked for."""

    def read(account, state=None, *, streams=None, code=0, **more):
        account.asked.clear()
        account.requests = 0
        catalog = select(account.tap, account.parent, *(streams or account.children))
        with JsonApi(account) as api:
            output = call(account.tap, tmp_path, url=api.url, state=state, catalog=catalog, **CLAIMS, **more)
        assert output.code == code, output.log
        return output, sorted(account.asked)

    return read


def aged(state, days, mark="whole_pass_at"):
    """STATE as if the last pass over all parents were so many days ago."""
    older = json.loads(json.dumps(state))
    for entry in older["bookmarks"].values():
        if entry.get(mark):
            entry[mark] = ago(days=days).isoformat()
    return older


def marks(output, account):
    entries = [output.state["bookmarks"][name] for name in account.children]
    return [(entry.get("whole_pass_at"), entry.get("last_pass_at")) for entry in entries]


ENDS = {
    1: ago(days=400),
    2: ago(days=8, hours=1),
    3: ago(days=6, hours=20),
    4: ago(hours=1),
    5: NOW + timedelta(days=3),
    6: None,
    7: ago(days=30),
}
SETTLED, MOVING = [1, 2, 7], [3, 4, 5, 6]


@pytest.mark.parametrize("kind", ACCOUNTS)
@pytest.mark.parametrize("days", [7, "each", "text"])
def test_lists_of_parents_that_ended_are_read_once(read, kind, days):
    account = kind(ENDS)
    setting = {"each": {kind.parent: 7}, "text": "7"}.get(days, days)
    first, asked = read(account, children_since=setting, full_read_every=30)
    assert asked == sorted(ENDS)
    assert set(versions(first)[0]) == {kind.parent, *kind.children}
    second, asked = read(account, first.state, children_since=setting, full_read_every=30)
    assert asked == MOVING
    line = f"{kind.parent}: lists not read, as they had ended (children_since): " + ", ".join(
        f"3 of {name}" for name in sorted(kind.children, key=[*second.schemas].index)
    )
    assert [said for said in said(second, "INFO") if "children_since" in said and "gone" not in said] == [
        line
    ]
    assert set(versions(second)[0]) == {kind.parent}, "deletes are claimed by whole passes alone"
    reads = {row["stream"]: row for row in second.records["_sdc_reads"]}
    reason = f"lists of 3 {kind.parent} that had ended were not read (children_since)"
    assert all((reads[name]["whole"], reads[name]["reason"]) == (False, reason) for name in kind.children)
    assert reads[kind.parent]["whole"] is True


@pytest.mark.parametrize(("kind", "count"), [(Events, 2), (Promotions, 1)])
def test_three_percent_of_the_requests_and_the_same_rows_after_the_next_whole_pass(read, kind, count):
    """1,000 parents, of which 20 are open."""
    account = kind({n: ago(days=30) if n > 20 else None for n in range(1, 1001)})
    names = kind.children[:count]
    name = names[0]
    more = {"children_since": 7, "full_read_every": 30, "streams": names}
    first, _ = read(account, **more)
    whole = account.requests
    account.rows[3].append({"id": 7_000_003})
    account.rows[500].append({"id": 7_000_500})
    del account.rows[501][0]
    second, asked = read(account, first.state, **more)
    assert account.requests <= 0.03 * whole
    assert asked == [*range(1, 21)]
    assert {int(row["id"]) for row in second.records[name]} > {7_000_003}
    third, _ = read(account, aged(second.state, 31), **more)
    assert account.requests == whole
    day = ago(days=31).date().isoformat()
    line = f"{name}: read for all {kind.parent}, as it was so last on {day} (full_read_every)"
    assert line in said(third, "INFO")
    assert set(versions(third)[0]) == {kind.parent, *names}
    expected = [row["id"] for rows in account.rows.values() for row in rows]
    assert [int(row["id"]) for row in third.records[name]] == expected


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_run_without_the_setting_is_a_whole_pass_and_is_remembered(read, kind):
    account = kind(ENDS)
    first, _ = read(account)
    second, asked = read(account, first.state, children_since=7, full_read_every=30)
    assert asked == MOVING
    assert [mark[0] for mark in marks(second, kind)] == [mark[0] for mark in marks(first, kind)]
    _, asked = read(account, second.state)
    assert asked == sorted(ENDS)


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_child_that_is_new_is_read_for_all(read, kind):
    account = kind(ENDS)
    one, other = kind.children
    more = {"children_since": 7, "full_read_every": 30}
    first, _ = read(account, streams=[one], **more)
    second, _ = read(account, first.state, **more)
    assert account.asked == {n: 2 if n in MOVING else 1 for n in ENDS}
    assert {one, other} & set(versions(second)[0]) == {other}


@pytest.mark.parametrize("kind", ACCOUNTS)
@pytest.mark.parametrize("due", [False, True])
def test_a_pass_that_is_killed_or_fails_counts_as_none(read, kind, due):
    account = kind({n: ago(days=30) if n > 5 else None for n in range(1, 31)})
    more = {"children_since": 7, "full_read_every": 30, "concurrency": 1, "max_retries": 0}
    state = aged(read(account, **more)[0].state, 31) if due else None
    before = [state["bookmarks"][name]["whole_pass_at"] if due else None for name in kind.children]
    account.until = 25
    stopped, _ = read(account, state, code=2, **more)
    assert [mark[0] for mark in marks(stopped, kind)] == before
    account.until, account.failing = 10**6, {20}
    failed, first = read(account, stopped.state, code=2, **more)
    assert "going on where the last run was interrupted" in failed.log
    assert 0 < len(first) < 30
    assert [mark[0] for mark in marks(failed, kind)] == before
    account.failing = set()
    whole, asked = read(account, failed.state, **more)
    assert asked == [*range(1, 31)]
    assert all(mark[0] and mark[0] not in before for mark in marks(whole, kind))


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_whole_pass_in_two_runs_counts_from_the_first(read, kind):
    account = kind({n: ago(days=30) for n in range(1, 31)})
    more = {"children_since": 7, "full_read_every": 30, "concurrency": 1}
    account.until = 25
    stopped, asked = read(account, code=2, **more)
    began = stopped.state["bookmarks"][kind.parent]["checkpoint"][0]["began"]
    account.until = 10**6
    second, rest = read(account, stopped.state, **more)
    assert len(rest) < 30
    assert {*asked, *rest} == {*range(1, 31)}
    assert marks(second, kind) == [(began, began)] * 2
    assert set(versions(second)[0]) >= {*kind.children}


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_whole_pass_does_not_go_on_where_another_kind_was_interrupted(read, kind):
    """Some of the parents before were left out."""
    account = kind({n: ago(days=30) if n % 2 else None for n in range(1, 41)})
    more = {"children_since": 7, "full_read_every": 30, "concurrency": 1}
    first, _ = read(account, **more)
    account.until = 25
    stopped, _ = read(account, first.state, code=2, **more)
    account.until = 10**6
    whole, asked = read(account, aged(stopped.state, 31), **more)
    assert asked == [*range(1, 41)]
    assert {*kind.children} <= set(versions(whole)[0])


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_parent_is_read_after_its_end_however_seldom_runs_are(read, kind):
    """It ended 20 days ago, and was read last 25 days ago, while it was open."""
    account = kind({1: ago(days=20), 2: ago(days=60)})
    more = {"children_since": 7, "full_read_every": 90}
    first, _ = read(account, **more)
    state = aged(aged(first.state, 25), 25, "last_pass_at")
    second, asked = read(account, state, **more)
    assert asked == [1]
    assert read(account, second.state, **more)[1] == []


def test_a_promotion_that_was_made_since_is_read_once(read):
    account = Promotions({1: ago(days=30)})
    more = {"children_since": 7, "full_read_every": 30}
    first, _ = read(account, **more)
    made = datetime.now(timezone.utc) + timedelta(seconds=1)
    account.parents[2] = {**account.parents[1], "id": 2, "created": f"{made:%Y-%m-%dT%H:%M:%SZ}"}
    account.rows[2] = [{"id": 21}]
    second, asked = read(account, aged(first.state, 0.5), **more)
    assert asked == [2]
    older = account.parents[2]["created"] = f"{ago(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert older < second.state["bookmarks"]["users"]["last_pass_at"]
    assert read(account, second.state, **more)[1] == []


def test_the_end_of_an_event_is_on_its_own_clock(read):
    """What is not said of it is put at the latest that it can be, and what makes no sense never ended."""
    day = ago(days=8)
    late = {"end_date": f"{day:%Y-%m-%dT00:00:00}"}
    account = Events(dict.fromkeys(range(1, 7)))
    account.parents[1] |= {**late, "end_time": "00:00", "utc_offset": "+14:00"}
    account.parents[2] |= {"end_date": f"{day + timedelta(days=1):%Y-%m-%d}"}
    account.parents[3] |= {**late, "end_time": "7 PM"}
    account.parents[4] |= {"end_date": "soon"}
    account.parents[5] |= {"end_date": ""}
    account.parents[6] |= {"end_date": f"{ago(days=10):%Y-%m-%dT00:00:00}"}
    more = {"children_since": 7, "full_read_every": 30}
    first, _ = read(account, **more)
    assert read(account, first.state, **more)[1] == [2, 3, 4, 5]


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_fields_that_tell_the_end_are_read_though_they_are_deselected(tmp_path, kind):
    account, state = kind(ENDS), None
    catalog = select(kind.tap, kind.parent, *kind.children)
    for stream in catalog["streams"]:
        for item in stream["metadata"]:
            if item["breadcrumb"]:
                item["metadata"]["selected"] = False
    for _ in range(2):
        account.asked.clear()
        with JsonApi(account) as api:
            more = {"children_since": 7, "full_read_every": 9}
            output = call(kind.tap, tmp_path, url=api.url, catalog=catalog, state=state, **more)
        state = output.state
    assert sorted(account.asked) == MOVING


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_pass_is_of_the_filters_that_it_was_made_with(read, kind):
    """Taken back they are null, as programs merge STATEs."""
    account, state = kind(ENDS), {}
    more = {"children_since": 7, "full_read_every": 30}
    filters = {kind.parent: {"status": "x"}}
    for settings, expected in (
        ({"filters": filters}, sorted(ENDS)),
        ({"filters": filters}, MOVING),
        ({}, sorted(ENDS)),
        ({}, MOVING),
    ):
        output, asked = read(account, state, **settings, **more)
        assert asked == expected
        merged(output.state, state)


def test_junk_in_state_makes_a_pass_due(read):
    account = Events(ENDS)
    first, _ = read(account, children_since=7, full_read_every=30)
    for junk in (None, 5, "x", [], (NOW + timedelta(days=9)).isoformat()):
        state = json.loads(json.dumps(first.state))
        state["bookmarks"]["tickets"]["whole_pass_at"] = junk
        read(account, state, children_since=7, full_read_every=30)
        assert account.asked == {n: 2 if n in MOVING else 1 for n in ENDS}
