"""A checkpoint is gone on from by the same question alone, and only if it says what depends on it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ended_parents import ACCOUNTS
from in_process import call, select
from json_api import JsonApi, numbered
from lists import only
from support import KEY
from tap_billing.tap import TapBilling
from tap_core.checkpoint import Checkpoint, name_of, scope_of
from tap_scheduling.tap import TapScheduling

BEGAN = "2026-06-01T00:00:00+00:00"
BEFORE = "2026-05-31T00:00:00+00:00"
QUESTION = {"streams": ["customers"], "start": "2026-01-01", "filters": None}
QUERY = {"page": 3}


def left(began=BEGAN, **changes):
    """What STATE has of an interrupted run; without what is None."""
    state = {}
    Checkpoint(state, QUESTION, began, dated=bool(began)).put(QUERY, (7, "a"), 40, 12)
    entry = {
        name: value for name, value in {**state["checkpoint"][0], **changes}.items() if value is not None
    }
    return {"checkpoint": entry}


def again(state, *, began=BEGAN, dated=True, **question):
    return Checkpoint(state, {**QUESTION, **question}, began, dated=dated)


def test_what_was_put_is_found_again():
    found = again(left(BEFORE))
    assert (found.given, found.query, found.key, found.version, found.began) == (
        True,
        QUERY,
        "7|a",
        12,
        BEFORE,
    )


def test_nothing_is_found_where_nothing_was_left():
    for state in ({}, {"checkpoint": None}, {"checkpoint": "customers"}):
        found = again(state)
        assert (found.given, found.query, found.key, found.version, found.began) == (
            False,
            None,
            "",
            None,
            BEGAN,
        )


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (left(), {"start": "2026-02-01"}),
        (left(), {"streams": ["customers", "usages"]}),
        (left(query="page=3"), {}),
        (left(None), {}),
        (left(began="soon"), {}),
        (left(began="9" * 400), {}),
        (left(), {"began": None}),
    ],
)
def test_another_question_is_read_from_the_start(state, asked):
    found = again(state, **asked)
    assert found.given
    assert (found.query, found.version) == (None, None)
    assert found.began == asked.get("began", BEGAN)
    assert state["checkpoint"] is None, "else a later run would go on under a version of before this one"


@pytest.mark.parametrize("began", [BEGAN, None])
def test_a_full_read_goes_on_without_a_moment(began):
    found = again(left(None), began=began, dated=False)
    assert (found.query, found.began) == (QUERY, began)


@pytest.mark.parametrize("version", ["12", 1.5, True, None])
def test_a_version_that_is_none_stands_for_none(version):
    assert again(left(version=version)).version is None
    state = {}
    again(state).put(QUERY, 7, 40)
    assert state["checkpoint"][0]["version"] is None, "a merge of two STATEs would bring back what is absent"


def test_the_run_began_no_later_than_the_server_says():
    state = {}
    found = again(state)
    found.cap_at(datetime(2026, 6, 2, tzinfo=timezone.utc))
    assert found.began == BEGAN
    found.cap_at(datetime(2026, 5, 31, tzinfo=timezone.utc))
    assert found.began == BEFORE
    found.put(QUERY, 7, 40)
    assert again(state).began == BEFORE
    undated = again({}, began=None, dated=False)
    undated.cap_at(datetime(2026, 5, 31, tzinfo=timezone.utc))
    assert undated.began is None


def test_what_is_done_is_null_in_state_and_not_absent():
    state = left()
    again(state).drop()
    assert state == {"checkpoint": None}


def test_the_name_of_a_key():
    assert [name_of(key) for key in (7, "a", (7, "a"), (7,))] == ["7", "a", "7|a", "7"]


def question(tap, *streams, state=None, **settings):
    """What a read of the first of these streams asks for."""
    config = {"api_url": "http://localhost", tap.key_setting: KEY, **settings}
    stream = tap(config=config, state=state, catalog=only(tap, *streams)).streams[streams[0]]
    return scope_of(stream, datetime(2026, 6, 1, tzinfo=timezone.utc))


@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_question_names_what_is_read_below_and_what_is_passed_over(account):
    tap, parent, child = account.tap, account.parent, account.children[0]
    alone = {"streams": [parent], "filters": None, "written_as": None, "skipping": None}
    both = {**alone, "streams": sorted([parent, child])}
    passed = {"bookmarks": {child: {"whole_pass_at": BEFORE, "last_pass_at": BEFORE}}}
    assert question(tap, parent) == alone
    assert question(tap, parent, child, children_since=7) == both
    assert question(tap, parent, child, state=passed) == both
    assert question(tap, parent, child, children_since=7, state=passed) == {**both, "skipping": [child]}


def test_a_question_tells_filters_apart():
    every, past, coming = (
        question(TapScheduling, "bookings", filters=filters)["filters"]
        for filters in ({}, {"bookings": {"status": "past"}}, {"bookings": {"status": "upcoming"}})
    )
    assert every is None
    assert len({every, past, coming}) == 3


def listed(stream, rows):
    """An API with one list, and a number of requests after which it refuses the key."""
    left = [10**6]

    def handle(path, query):
        left[0] -= 1
        return numbered([{stream[:-1]: row} for row in rows], query) if left[0] >= 0 else (401, {})

    return handle, left


@pytest.mark.parametrize("between", ["INCREMENTAL", "batches"])
@pytest.mark.parametrize("stream", ["transactions", "events", "customers"])
def test_J12_a_read_of_another_kind_leaves_no_checkpoint_of_before(tmp_path, stream, between):
    rows = [
        {"id": n, "created_at": "2026-04-01T00:00:00Z", "updated_at": "2026-04-01T00:00:00Z"}
        for n in range(1, 501)
    ]
    handle, left = listed(stream, rows)
    full = select(TapBilling, stream, replication_method="FULL_TABLE")
    files = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": str(tmp_path)}}
    other = {"catalog": select(TapBilling, stream)} if between == "INCREMENTAL" else {"batch_config": files}
    more = {"emit_activate_version_messages": True, "concurrency": 1, "page_size": 50, "catalog": full}
    with JsonApi(handle) as api:
        left[0] = 6
        first = call(TapBilling, tmp_path, url=api.url, **more)
        assert first.state["bookmarks"][stream]["checkpoint"]
        left[0] = 10**6
        second = call(TapBilling, tmp_path, url=api.url, state=first.state, **{**more, **other})
        assert second.code == 0, second.log
        third = call(TapBilling, tmp_path, url=api.url, state=second.state, **more)
    assert len(third.records[stream]) == 500
    versions = [entry["bookmarks"][stream]["version"] for entry in (first.state, second.state, third.state)]
    assert versions == sorted(versions)
    claimed = [message["version"] for message in third.messages if message["type"] == "ACTIVATE_VERSION"]
    assert claimed == versions[-1:]
