"""Versions: deletes are claimed after whole reads only, and an interrupted read goes on under its own."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from claims import read, versions
from in_process import said
from json_api import cut
from loaders.warehouse import Warehouse
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards


class Refusing:
    """Answers so many requests, and then refuses the key."""

    def __init__(self, count, *, until=10**6):
        self.count, self.until, self.requests = count, until, 0

    def __call__(self, path, query):
        self.requests += 1
        return (401, {}) if self.requests > self.until else self.answer(path, query)


class Events(Refusing):
    """Events with an attendee each."""

    def answer(self, path, query):
        if path == "/v1/events":
            rows = cut([{"id": number} for number in range(1, self.count + 1)], query)
            return {"pagination": [{"total": self.count}], "events": rows}
        number = int(path.split("/")[-2])
        return {"attendees": cut([{"id": 1000 * number}], query), "pagination": [{"total": 1}]}


class Campaigns(Refusing):
    """A flat list that is read whole, in pages."""

    def answer(self, path, query):
        return {"campaigns": cut([{"id": f"c{number:03}"} for number in range(self.count)], query)}


CASES = {
    TapEvents: (Events, 30, 20, ("events", "attendees")),
    TapRewards: (Campaigns, 350, 3, ("campaigns",)),
}


def checkpoint(output, stream):
    return (output.state["bookmarks"][stream]["checkpoint"] or [None])[0]


@pytest.mark.parametrize("tap", CASES)
def test_an_interrupted_read_goes_on_under_its_version(tmp_path, tap):
    server, count, until, streams = CASES[tap]
    stopped = read(tap, tmp_path, server(count, until=until), *streams)
    whole, seen = versions(stopped)
    assert (stopped.code, whole) == (2, {})
    (version,) = seen[streams[0]]
    assert checkpoint(stopped, streams[0])["version"] == version
    second = read(tap, tmp_path, server(count), *streams, state=stopped.state)
    assert second.code == 0, second.log
    assert "going on where the last run was interrupted" in second.log
    assert versions(second) == (dict.fromkeys(streams, version), {name: {version} for name in streams})
    for name in streams:
        keys = [row["id"] for output in (stopped, second) for row in output.records[name]]
        assert len(set(keys)) == count
    assert len(second.records[streams[0]]) < count
    assert checkpoint(second, streams[0]) is None
    third = read(tap, tmp_path, server(count), *streams, state=second.state)
    assert set(versions(third)[0].values()) == {max(version + 1, *versions(third)[0].values())}


@pytest.mark.parametrize("tap", CASES)
def test_what_a_warehouse_makes_of_it(tmp_path, tap):
    """A row is deleted, the next read interrupted: once it is done, that row alone is gone."""
    server, count, until, streams = CASES[tap]
    place, state = Warehouse(tmp_path), None
    for handle in (server(count + 1), server(count, until=until), server(count)):
        output = read(tap, tmp_path, handle, *streams, state=state)
        state = place.load(*output.text.splitlines())[-1]
        if handle.until == until:
            gone = [place.ask(f"SELECT count(_sdc_deleted_at) FROM s.{name}")[0][0] for name in streams]
            assert not any(gone), "nothing is said of a read that is not done"
    for name in streams:
        alive, gone = place.ask(
            f"SELECT count(*) - count(_sdc_deleted_at), count(_sdc_deleted_at) FROM s.{name}"
        )[0]
        assert (alive, gone) == (count, 1), name


@pytest.mark.parametrize("tap", CASES)
@pytest.mark.parametrize("first", [False, True])
def test_rows_without_a_version_are_not_called_gone(tmp_path, tap, first):
    """The setting was switched on, or off, between the two runs: neither claims anything."""
    server, count, until, streams = CASES[tap]
    on, off = {"emit_activate_version_messages": True}, {"emit_activate_version_messages": False}
    stopped = read(tap, tmp_path, server(count, until=until), *streams, **(on if first else off))
    second = read(tap, tmp_path, server(count), *streams, state=stopped.state, **(off if first else on))
    assert second.code == 0
    assert versions(second)[0] == {}
    if not first:
        line = f"{streams[0]}: no row is called gone: it went on where the last run was interrupted"
        assert line in said(second, "INFO")
    third = read(tap, tmp_path, server(count), *streams, state=second.state)
    assert set(versions(third)[0]) == set(streams)


def test_a_list_that_failed_before_the_interruption_is_not_forgotten(tmp_path):
    """A row without its key in the first run: the second goes on before its list, and has the row."""

    def bad(handle):
        def answer(path, query):
            found = handle(path, query)
            return {"attendees": [{"first_name": "x"}]} if path.endswith("/2/attendees") else found

        return answer

    stopped = read(TapEvents, tmp_path, bad(Events(30, until=20)), "events", "attendees")
    second = read(TapEvents, tmp_path, Events(30), "events", "attendees", state=stopped.state)
    assert "going on where the last run was interrupted" in second.log
    found = {int(row["event_id"]) for row in second.records["attendees"]}
    assert 2 in found
    assert 1 not in found
    assert {*versions(second)[0]} == {"events", "attendees"}


def without(handle, part, status):
    """The server, which answers what is asked of one list with an error."""
    return lambda path, query: (status, {}) if part in path else handle(path, query)


NOT_WHOLE = {
    "a list that fails": (without(Events(5), "/2/attendees", 500), {}, {"events"}, "attendees 2: "),
    "a refusal": (without(Events(5), "/2/attendees", 403), {}, {"events"}, "attendees 2: "),
    "a parent that is gone": (
        without(Events(5), "/2/attendees", 404),
        {},
        {"events"},
        "1 of 5 parents were gone, or have no such list",
    ),
    "a filter": (
        Events(5),
        {"stream_maps": {"events": {"__filter__": "id > 2"}}},
        set(),
        "not all events were read",
    ),
    "a filter of children": (
        Events(5),
        {"stream_maps": {"at*": {"__filter__": "id > 2"}}},
        {"events"},
        "a stream map filters its rows",
    ),
}


@pytest.mark.parametrize("why", NOT_WHOLE)
def test_what_is_not_whole_claims_nothing(tmp_path, why):
    handle, more, whole, words = NOT_WHOLE[why]
    output = read(TapEvents, tmp_path, handle, "events", "attendees", receipt=True, max_retries=0, **more)
    assert set(versions(output)[0]) == whole
    assert [line for line in said(output, "INFO") if f"attendees: no row is called gone: {words}" in line]
    rows = {row["stream"]: row for row in output.records["_sdc_reads"]}
    assert {name for name, row in rows.items() if row["whole"]} == whole
    assert words in rows["attendees"]["reason"]


def test_a_list_that_the_account_lacks_claims_nothing(tmp_path):
    output = read(TapBilling, tmp_path, lambda *_: (404, {}), "transactions", receipt=True)
    assert versions(output)[0] == {}
    assert "transactions: no row is called gone: this account or server has no such list" in output.log
    assert output.records["_sdc_reads"][0]["whole"] is False


@pytest.mark.parametrize("tap", CASES)
def test_versions_never_go_back(tmp_path, tap):
    server, _, _, streams = CASES[tap]
    ahead = int(datetime.now(timezone.utc).timestamp()) + 10**6
    for last, version in ((ahead, ahead + 1), ("tampered", None), (True, None)):
        state = {"bookmarks": {streams[0]: {"version": last}}}
        output = read(tap, tmp_path, server(3), *streams, state=state)
        found = versions(output)[0]
        assert set(found) == set(streams)
        assert version is None or set(found.values()) == {version}
        assert output.state["bookmarks"][streams[0]]["version"] == found[streams[0]]
    assert ahead > found[streams[0]] > ahead - 2 * 10**6, "seconds"


@pytest.mark.parametrize("tap", CASES)
@pytest.mark.parametrize("last", [(1 << 63) - 1, 1 << 63, 10**30])
def test_a_version_that_no_target_can_hold_is_ignored_with_a_line(tmp_path, tap, last):
    server, _, _, streams = CASES[tap]
    state = {"bookmarks": {streams[0]: {"version": last}}}
    output = read(tap, tmp_path, server(3), *streams, state=state)
    assert output.code == 0, output.log
    assert max(versions(output)[0].values()) < 10**11
    (line,) = [line for line in said(output, "WARNING") if "version" in line]
    assert line == f"state: {streams[0]}: `version` is larger than targets can hold; it is ignored"
