"""`receipt`: a row per stream and run, whatever becomes of the run; its requests are those of the server."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from datetime import datetime

import pytest

import starter
from in_process import call, points, said, select
from json_api import JsonApi, cut, numbered
from support import KEY, Output
from tap_billing.tap import TapBilling
from tap_core.receipt import FIELDS
from tap_core.settings import RECEIPT as STREAM
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from two_taps import CUSTOMERS, billing, events


def receipt(output):
    """The rows by stream; each has all fields, the key is whole, and nothing but a key is in the SCHEMA."""
    (message,) = output.schemas[STREAM]
    assert list(message["schema"]["properties"]) == list(FIELDS)
    assert (message["key_properties"], message.get("bookmark_properties")) == (["stream", "started_at"], None)
    rows = output.records[STREAM]
    assert all(list(row) == list(FIELDS) for row in rows)
    assert all(
        datetime.fromisoformat(row["started_at"]) <= datetime.fromisoformat(row["ended_at"]) for row in rows
    )
    assert len({row["started_at"] for row in rows}) == 1
    assert output.messages[-1]["type"] == "STATE"
    assert STREAM not in output.state["bookmarks"]
    return {row["stream"]: row for row in rows}


def total(rows, field="requests"):
    return sum(row[field] for row in rows.values())


class Faulty:
    """Answers the first request of each path that is named with an error, then as the other does."""

    def __init__(self, handle, *paths):
        self.handle, self.paths, self.seen = handle, paths, Counter()

    def __call__(self, path, query):
        self.seen[path] += 1
        return (503, {}) if path in self.paths and self.seen[path] == 1 else self.handle(path, query)


def attendees(path, query):
    """Three events with two attendees each; the list of the second is broken."""
    if path == "/v1/events":
        return {"pagination": [{"total": 3}], "events": cut([{"id": n} for n in (1, 2, 3)], query)}
    number = int(path.split("/")[-2])
    if number == 2:
        return 500, {}
    return {"attendees": cut([{"id": 10 * number}, {"id": 10 * number + 1}], query)}


def test_parents_children_retries_and_a_list_that_fails(tmp_path):
    faulty = Faulty(attendees, "/v1/events", "/v1/events/3/attendees")
    with JsonApi(faulty) as api:
        output = call(
            TapEvents,
            tmp_path,
            url=api.url,
            catalog=select(TapEvents, "attendees"),
            receipt=True,
            max_retries=1,
        )
        rows = receipt(output)
        assert output.code == 2
        assert set(rows) == {"attendees", "events"}, "the parents' too, though they are not selected"
        assert total(rows) == len(api.paths)
    assert (rows["events"]["rows"], rows["events"]["total"], rows["events"]["lists"]) == (0, 3, 1)
    assert (rows["events"]["whole"], rows["events"]["retries"]) == (True, 1)
    found = rows["attendees"]
    assert (found["rows"], found["lists"], found["whole"]) == (4, 3, False)
    assert found["retries"] >= 2
    assert found["seconds_waited"] > 0
    assert found["reason"].startswith("attendees 2: ")


def test_bookmarks_and_a_lower_bound(tmp_path):
    with billing() as api:
        run = {"url": api.url, "catalog": select(TapBilling, "customers", "coupons"), "receipt": True}
        first = call(TapBilling, tmp_path, **run)
        counted = len(api.paths)
        second = call(TapBilling, tmp_path, state=first.state, **run)
        last = CUSTOMERS[-1]["updated_at"]
        rows, later = receipt(first), receipt(second)
        assert total(rows) == counted
        assert total(later) == len(api.paths) - counted
    assert (first.code, second.code, said(first, "WARNING")) == (0, 0, [])
    assert [rows["customers"][f] for f in ("whole", "reason", "rows", "bookmark_before")] == [
        True,
        None,
        5,
        None,
    ]
    assert [later["customers"][f] for f in ("bookmark_before", "bookmark_after")] == [last, last]
    assert later["customers"]["whole"] is False
    assert later["customers"]["reason"] == "only what is new was asked for, from 2026-01-04T23:55:00+00:00 on"
    assert (later["coupons"]["whole"], later["coupons"]["bookmark_after"]) == (True, None)
    assert rows["customers"]["started_at"] < later["customers"]["started_at"]
    assert rows["customers"]["tap_version"] == TapBilling.plugin_version


def test_answers_that_two_streams_share_are_counted_once(tmp_path):
    people = [{"id": str(number), "email": "a@b.example"} for number in range(3)]
    with JsonApi(lambda _, query: {"members": cut(people, query)}) as api:
        chosen = select(TapRewards, "members", "account_members")
        output = call(TapRewards, tmp_path, url=api.url, catalog=chosen, receipt=True)
        rows = receipt(output)
        assert total(rows) == len(api.paths)
    assert [row["rows"] for row in rows.values()] == [3, 3]


def moved(path, query):
    """The list is elsewhere, on the same host."""
    return numbered([{"customer": row} for row in CUSTOMERS], query)


@pytest.mark.parametrize("tap", [TapBilling, TapEvents, TapRewards])
@pytest.mark.parametrize("status", [401, 404, 500, None])
def test_G_a_run_without_any_good_answer_has_no_receipt(tmp_path, tap, status):
    """`meltano config test` takes the first RECORD for proof that the settings are right."""
    with JsonApi(lambda path, query: (status, {})) as api:
        output = call(tap, tmp_path, receipt=True, **({"url": api.url} if status else {}))
    assert output.code == 1
    assert said(output)[-1].removeprefix("ERROR ").startswith("nothing could be read")
    assert STREAM not in output.schemas
    assert {message["type"] for message in output.messages} <= {"SCHEMA", "STATE"}


@pytest.mark.parametrize(
    ("tap", "good", "body", "status", "words"),
    [
        (TapBilling, "/coupons.json", [], 500, "failed 1 time"),
        (TapEvents, "/v1/categories", {"categories": []}, 401, "api_key was refused"),
    ],
)
def test_one_good_answer_and_there_is_a_receipt_though_no_row_came(tmp_path, tap, good, body, status, words):
    with JsonApi(lambda path, query: body if path == good else (status, {})) as api:
        chosen = select(tap, *(good.rpartition("/")[2].removesuffix(".json"), "customers", "users"))
        output = call(tap, tmp_path, url=api.url, catalog=chosen, receipt=True, concurrency=1)
        rows = receipt(output)
        assert total(rows) == len(api.paths) > 0
    assert output.code == 2
    assert not any(row["rows"] for row in rows.values())
    assert any(words in row["reason"] for row in rows.values() if not row["whole"])
    assert KEY not in output.text


def test_off_unless_it_is_wanted_and_untouched_by_maps(tmp_path):
    with events() as api:
        chosen = select(TapEvents, "events")
        off = call(TapEvents, tmp_path, url=api.url, catalog=chosen)
        maps = {"e*": {"__filter__": "id > 5"}}
        on = call(TapEvents, tmp_path, url=api.url, catalog=chosen, receipt=True, stream_maps=maps)
    assert STREAM not in off.text
    assert "events" not in on.records
    assert receipt(on)["events"]["reason"] == "a stream map filters its rows"
    assert "version" not in next(
        m for m in on.messages if m.get("stream") == STREAM and m["type"] == "RECORD"
    )


@pytest.mark.parametrize(
    ("tap", "server", "stream"), [(TapBilling, billing, "customers"), (TapEvents, events, "events")]
)
@pytest.mark.parametrize("copies", [{}, {"others": {"__source__": "*", "__filter__": "id == 3"}}])
def test_rows_that_a_stream_map_leaves_out_are_not_counted(tmp_path, tap, server, stream, copies):
    maps = {stream: {"__filter__": "id <= 2"}, **copies}
    with server() as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream), receipt=True, stream_maps=maps)
    count = 3 if copies else 2
    assert len(output.records[stream] + output.records.get("others", [])) == count
    assert receipt(output)[stream]["rows"] == count
    assert f"{stream}: {count} rows," in output.log
    assert [point["value"] for point in points(output) if point["metric"] == "record_count"] == [count]
    if tap is TapBilling:
        reached = output.state["bookmarks"][stream]["replication_key_value"]
        assert reached == CUSTOMERS[-1]["updated_at"], "that of a row that is left out"


@pytest.mark.parametrize(
    ("tap", "server", "stream"), [(TapBilling, billing, "customers"), (TapEvents, events, "events")]
)
def test_rows_of_files_that_a_stream_map_leaves_out_are_not_counted(tmp_path, tap, server, stream):
    maps = {stream: {"__filter__": "id <= 2"}}
    files = {"encoding": {"format": "jsonl"}, "storage": {"root": (tmp_path / "files").as_uri()}}
    more = {"batch_config": files, "receipt": True, "stream_maps": maps}
    with server() as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream), **more)
    assert output.code == 0, output.log
    assert receipt(output)[stream]["rows"] == 2


@pytest.mark.parametrize("module", ["billing", "events"])
def test_a_run_that_is_stopped(tmp_path, module):
    """By a signal, while a page is on its way."""
    started = threading.Event()

    def handle(path, query):
        if path.endswith(("/coupons.json", "/attendees")):
            started.wait(30)
            os.kill(process.pid, signal.SIGTERM)
        if path.endswith("/attendees"):
            return attendees(path.replace("/2/", "/3/"), query)
        if path == "/customers.json":
            return moved(path, query)
        return attendees(path, query) if path == "/v1/events" else []

    with JsonApi(handle) as api:
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"api_url": api.url, "api_key": KEY, "receipt": True, "concurrency": 1}))
        chosen = {
            "billing": (TapBilling, "customers", "coupons"),
            "events": (TapEvents, "events", "attendees"),
        }
        catalog = tmp_path / "catalog.json"
        catalog.write_text(json.dumps(select(*chosen[module])))
        words = ["--config", config, "--catalog", catalog]
        with (tmp_path / "out").open("wb") as out, (tmp_path / "log").open("wb") as log:
            process = starter.start(f"tap_{module}", words, stdout=out, stderr=log)
            started.set()
            code = process.wait(60)
        rows = receipt(Output((tmp_path / "out").read_text(), code=code))
        assert total(rows) == len(api.paths)
    assert code == 128 + signal.SIGTERM, (tmp_path / "log").read_text()
    last = {"billing": "coupons", "events": "attendees"}[module]
    assert rows[last]["reason"] == "the run was stopped by signal 15"
    assert not rows[last]["whole"]
