"""What an interrupted read leaves behind is gone on with by reads that are of the same rows alone."""

from __future__ import annotations

import copy

import pytest

from claims import read, versions
from core.test_state_merged import merged
from ended_parents import ACCOUNTS, NOW, ago
from json_api import cut, numbered
from tap_billing.tap import TapBilling
from tap_scheduling.tap import TapScheduling


def keys(*outputs, stream):
    return {str(row["id"]) for output in outputs for row in output.records.get(stream, ())}


@pytest.mark.parametrize("how", ["deselected", "mapped away"])
@pytest.mark.parametrize("kind", ACCOUNTS)
def test_parents_that_were_read_for_their_children_alone_are_written_by_the_next_run(tmp_path, kind, how):
    account, child = kind(dict.fromkeys(range(1, 31))), kind.children[0]
    streams, more = ([child], {}) if how == "deselected" else ([kind.parent, child], {})
    if how == "mapped away":
        more = {"stream_maps": {kind.parent: None}}
    account.until = 20
    stopped = read(kind.tap, tmp_path, account, *streams, **more)
    assert stopped.code == 2
    assert keys(stopped, stream=child)
    account.until = 10**6
    second = read(kind.tap, tmp_path, account, kind.parent, child, state=stopped.state)
    assert second.code == 0, second.log
    assert keys(second, stream=kind.parent) == {str(n) for n in account.parents}


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_lists_that_an_interrupted_run_left_out_are_not_called_gone(tmp_path, kind):
    """The first parents have ended: the run that goes on behind them knows nothing of their lists."""
    account = kind({n: ago(days=30) if n <= 15 else None for n in range(1, 46)})
    more, streams = {"children_since": 7, "full_read_every": 30}, (kind.parent, *kind.children)
    first = read(kind.tap, tmp_path, account, *streams, **more)
    marks = {name: first.state["bookmarks"][name]["whole_pass_at"] for name in kind.children}
    account.requests, account.until = 0, 30
    stopped = read(kind.tap, tmp_path, account, *streams, state=first.state, **more)
    assert stopped.code == 2
    account.until = 10**6
    second = read(kind.tap, tmp_path, account, *streams, state=stopped.state, **more)
    assert second.code == 0, second.log
    assert "going on where the last run was interrupted" in second.log
    assert not {*kind.children} & {*versions(second)[0]}
    assert marks == {name: second.state["bookmarks"][name]["whole_pass_at"] for name in kind.children}


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_J01_a_version_that_was_given_up_is_not_merged_back(monkeypatch, tmp_path, kind):
    """One list is refused before the interruption: no version is kept then, and none of the run before."""
    monkeypatch.setattr("tap_core.second_tries._OLD", -1)  # it is asked for twice before the interruption
    account = kind(dict.fromkeys(range(1, 31)))
    lacks = set()

    def handle(path, query):
        return (404, {}) if account.parent_of(path) in lacks else account(path, query)

    streams, account.until = (kind.parent, kind.children[0]), 12
    first = read(kind.tap, tmp_path, handle, *streams)
    assert first.state["bookmarks"][kind.parent]["checkpoint"][0]["version"]
    lacks, account.requests, account.until = {4}, 0, 20
    stopped = read(kind.tap, tmp_path, handle, *streams, state=without_checkpoint(first.state))
    assert stopped.state["bookmarks"][kind.parent]["checkpoint"][0]["version"] is None
    state = merged(stopped.state, copy.deepcopy(first.state))
    lacks, account.until = set(), 10**6
    second = read(kind.tap, tmp_path, handle, *streams, state=state)
    assert "going on where the last run was interrupted" in second.log
    assert versions(second)[0] == {}


def without_checkpoint(state):
    entries = {name: {**entry, "checkpoint": None} for name, entry in state["bookmarks"].items()}
    return {"bookmarks": entries}


@pytest.mark.parametrize("before", [None, 200, 150])
@pytest.mark.parametrize("after", [50, 30, 120])
@pytest.mark.parametrize(
    ("stream", "name"), [("customers", "customer"), ("payment_profiles", "payment_profile")]
)
def test_numbered_pages_are_gone_on_with_in_another_size(tmp_path, stream, name, before, after):
    """The server cuts pages at a hundred rows, and fails behind the first: the user asks for less."""
    rows = [{"id": n, "updated_at": f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z"} for n in range(1, 401)]
    fails = True

    def handle(_, query):
        page = numbered([{name: row} for row in rows], query, cap=100)
        return (504, {}) if fails and int(query.get("page", 1)) > 1 else page

    sizes = [{"page_size": size} if size else {} for size in (before, after)]
    stopped = read(TapBilling, tmp_path, handle, stream, **sizes[0])
    assert stopped.code == 2
    fails = False
    second = read(TapBilling, tmp_path, handle, stream, state=stopped.state, **sizes[1])
    assert second.code == 0, second.log
    assert len(keys(stopped, second, stream=stream)) == 400


def forms(ids, responses):
    """A server of routing forms, and of responses to them."""

    def handle(path, query):
        *_, parent, name = path.strip("/").split("/")
        if name == "me":
            return {"status": "success", "data": {"id": 1, "organizationId": 7}}
        since = query.get("afterCreatedAt", "")
        made = {"createdAt": "2026-11-01T00:00:00.000Z"}
        rows = (
            [{"id": one, "name": one, **made} for one in ids]
            if name == "routing-forms"
            else [row for row in responses if row["formId"] == parent and row["createdAt"] >= since]
        )
        return {"status": "success", "data": cut(rows, query, start="skip", size="take")}

    return handle


@pytest.mark.parametrize("away", [[], ["f2"]])
def test_a_form_that_comes_back_is_read_anew_once_it_was_called_gone(tmp_path, away):
    responses = [
        {"id": n, "formId": "f1", "createdAt": f"{ago(days=100 - n):%Y-%m-%dT%H:%M:%S.000Z}"}
        for n in range(1, 60)
    ]
    ids, state, came = ["f1"], None, []
    for shown in (ids, away, ids, ids):
        output = read(
            TapScheduling,
            tmp_path,
            forms(shown, responses),
            *("routing_forms", "routing_form_responses"),
            state=state,
        )
        state = output.state
        came.append((len(keys(output, stream="routing_form_responses")), *versions(output)[0]))
    assert came[1][0] == 0
    assert "routing_form_responses" in came[1], "it is called gone"
    assert came[2][0] == 59
    assert came[3][0] < 59


class Bookings:
    """Bookings that have begun, and an attendee of each."""

    def __init__(self, count):
        made = f"{ago(days=60):%Y-%m-%dT%H:%M:%S.000Z}"
        self.rows = [
            {"id": n, "uid": f"u{n}", "createdAt": made, "updatedAt": made, **self.span(n)}
            for n in range(1, count + 1)
        ]
        self.rows[-1]["updatedAt"] = f"{ago(days=1):%Y-%m-%dT%H:%M:%S.000Z}"
        self.until, self.requests = 10**6, 0

    def span(self, number):
        begin = {"start": ago(days=3, minutes=-number), "end": ago(days=3, minutes=-number - 5)}
        return {name: f"{moment:%Y-%m-%dT%H:%M:%S.000Z}" for name, moment in begin.items()}

    def __call__(self, path, query):
        self.requests += 1
        if self.requests > self.until:
            return 401, {}
        if path.endswith("/attendees"):
            return {"status": "success", "data": [{"id": int(path.split("/")[-2][1:])}]}
        rows = [row for row in self.rows if row["updatedAt"] >= query.get("afterUpdatedAt", "")]
        rows = [row for row in rows if row["start"] >= query.get("afterStart", "")]
        by = "start" if "sortStart" in query else "updatedAt"
        rows.sort(key=lambda row: (row[by], row["id"]))
        data = cut(rows, query, start="skip", size="take", default=100)
        return {"status": "success", "data": data, "pagination": {"totalItems": len(rows)}}


def test_a_list_of_late_changes_is_no_place_to_go_on_from(tmp_path):
    account, streams = Bookings(150), ("bookings", "booking_attendees")
    first = read(TapScheduling, tmp_path, account, *streams)
    for row in account.rows[:3]:
        row["updatedAt"] = f"{ago(hours=1):%Y-%m-%dT%H:%M:%S.000Z}"
    account.requests, account.until = 0, 100
    stopped = read(TapScheduling, tmp_path, account, *streams, state=first.state)
    assert stopped.code == 2
    query = stopped.state["bookmarks"]["bookings"]["checkpoint"][0]["query"]
    assert "afterStart" not in query, query
    changed = account.rows[100:106]
    for row in changed:
        row.update(updatedAt=f"{NOW:%Y-%m-%dT%H:%M:%S.000Z}", title="changed")
    account.until = 10**6
    second = read(TapScheduling, tmp_path, account, *streams, state=stopped.state)
    assert second.code == 0, second.log
    titles = {row["id"]: row.get("title") for row in second.records["bookings"]}
    assert [titles.get(row["id"]) for row in changed] == ["changed"] * 6


CHANGED = [
    {"__alias__": "people"},
    {"__key_properties__": ["id", "name"], "name": "'x'"},
    {"first_name": None, "nickname": None},
]


@pytest.mark.parametrize("mapped", CHANGED)
@pytest.mark.parametrize("kind", ACCOUNTS)
def test_rows_that_were_written_under_another_name_or_key_are_written_again(tmp_path, kind, mapped):
    account, child = kind(dict.fromkeys(range(1, 31))), kind.children[0]
    account.until = 20
    stopped = read(kind.tap, tmp_path, account, kind.parent, child, stream_maps={child: mapped})
    assert stopped.code == 2, stopped.log
    account.until = 10**6
    second = read(kind.tap, tmp_path, account, kind.parent, child, state=stopped.state)
    assert second.code == 0, second.log
    expected = {str(row["id"]) for rows in account.rows.values() for row in rows}
    assert keys(second, stream=child) == expected
