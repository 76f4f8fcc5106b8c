"""Streams whose replication key is an id: what is asked for, and how far the bookmark may go."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import ClassVar

import pytest
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator

from in_process import select
from json_api import JsonApi, numbered
from support import KEY, run
from tap_core import ApiStream, ApiTap, PageNumber, common_settings
from tap_core.bookmarks import Bookmark

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


class Log(ApiStream):
    """What happened, oldest first."""

    name = "log"
    path = "/log"
    records_jsonpath = "$.items[*]"
    replication_key = "id"
    is_sorted = True
    made_at = "at"
    lookback = 300
    schema: ClassVar = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "at": {"type": ["string", "null"], "format": "date-time"}},
    }

    def get_new_paginator(self):
        return PageNumber(size=2)

    def since(self, start):
        return {"since_id": start} if isinstance(start, int) else {"since": f"{start:%Y-%m-%d}"}


class TapLog(ApiTap):
    """A tap of one stream."""

    name = "tap-log"
    stream_types = (Log,)
    config_jsonschema = th.PropertiesList(
        *common_settings(key_help="Ask.", url_example="https://log.example", incremental=True)
    ).to_dict()

    @property
    def authenticator(self):
        return APIKeyAuthenticator(key="X-Key", value=self.config["api_key"])


def row(number, ago):
    return {"id": number, "at": (datetime.now(timezone.utc) - timedelta(seconds=ago)).isoformat()}


def read(rows, state=None, *, exclusive=False, **more):
    """A run over some rows: its output, and the queries that it sent."""
    asked = []

    def answer(path, query):
        asked.append(query)
        first = int(query.get("since_id", 0)) + exclusive
        found = [row for row in rows if row["id"] >= first and row["at"][:10] >= query.get("since", "")]
        return {"items": numbered(found, query)}

    with JsonApi(answer) as api:
        config = {"api_url": api.url, "api_key": KEY, "max_retries": 0, **more}
        return run(TapLog, config, state=state, catalog=select(TapLog, "log")), asked


def ids(output):
    return [row["id"] for row in output.records.get("log", [])]


@pytest.mark.parametrize("exclusive", [False, True])
def test_the_bookmark_stays_before_rows_of_the_last_minutes(exclusive):
    """Row 4 is seen later than row 5, and comes with the next run."""
    rows = [row(1, 9000), row(2, 8000), row(3, 7000), row(5, 60), row(6, 30)]
    first, _ = read(rows, exclusive=exclusive)
    assert ids(first) == [1, 2, 3, 5, 6]
    assert first.state["bookmarks"]["log"]["replication_key_value"] == 3
    rows.insert(3, row(4, 50))
    second, asked = read(rows, first.state, exclusive=exclusive)
    assert {query["since_id"] for query in asked} == {"3"}
    assert ids(second) == ([4, 5, 6] if exclusive else [3, 4, 5, 6])
    assert second.state["bookmarks"]["log"]["replication_key_value"] == 3


def test_the_look_back_of_the_settings_counts():
    rows = [row(1, 9000), row(2, 60)]
    assert read(rows, lookback=0)[0].state["bookmarks"]["log"]["replication_key_value"] == 2
    assert read(rows, lookback=10**9)[0].state["bookmarks"]["log"]["replication_key_value"] is None


def test_start_date_is_compared_with_when_rows_were_made():
    rows = [{"id": 1, "at": "2026-01-01T09:00:00Z"}, {"id": 2, "at": "2026-01-01T11:00:00Z"}]
    first, asked = read(rows, start_date="2026-01-01T10:00:00Z")
    assert {query["since"] for query in asked} == {"2026-01-01"}
    assert ids(first) == [2]
    assert first.state["bookmarks"]["log"]["replication_key_value"] == 2


def test_zero_is_an_id():
    output, asked = read([row(0, 9000)])
    _, again = read([row(0, 9000)], output.state)
    assert "since_id" not in asked[0]
    assert {query["since_id"] for query in again} == {"0"}


def mark(reached=None):
    state = {} if reached is None else {"replication_key": "id", "replication_key_value": reached}
    return Bookmark(state, "id", start_date=None, lookback=300, now=NOW), state


def test_settled_ids_come_before_all_that_are_not():
    """However the rows come: newest first here, and once without a time."""
    bookmark, state = mark(3)
    times = ["2026-05-31T23:59:00Z", "2026-05-31T23:50:00Z", None, "2026-05-31T23:58:00Z"]
    bookmark.advance(bookmark.ids_safe_to_pass([9, 8, 7, 6], times))
    bookmark.advance(bookmark.ids_safe_to_pass([5, 4], ["2026-05-31T23:55:00Z", "2026-05-31T23:54:59Z"]))
    bookmark.save()
    assert state["replication_key_value"] == 4


def test_a_lower_id_that_is_not_settled_takes_the_bookmark_back():
    bookmark, state = mark(3)
    bookmark.advance(bookmark.ids_safe_to_pass([8], ["2026-05-31T00:00:00Z"]))
    bookmark.advance(bookmark.ids_safe_to_pass([5], ["2026-05-31T23:59:59Z"]))
    bookmark.save()
    assert state["replication_key_value"] == 3


def test_an_id_that_comes_again_as_a_young_one_takes_the_bookmark_back():
    bookmark, state = mark(3)
    bookmark.advance(bookmark.ids_safe_to_pass([8], ["2026-05-31T00:00:00Z"]))
    bookmark.ids_safe_to_pass([8], ["2026-05-31T23:59:59Z"])
    bookmark.save()
    assert state["replication_key_value"] == 3
