"""Lists of several taps over real HTTP, and runs that read them."""

from __future__ import annotations

from json_api import JsonApi, cut, numbered
from support import KEY, discovered, run
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

QUICK = {"backoff_factor": 0.001, "max_retries": 1, "request_timeout": 5, "requests_per_minute": 100_000}

WITH_DELETES = {"emit_activate_version_messages": True}


def activated(output):
    """The streams of which a run has said that it read them whole."""
    return {message["stream"] for message in output.messages if message["type"] == "ACTIVATE_VERSION"}


def only(tap, *streams):
    catalog = discovered(tap)
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["tap_stream_id"] in streams]
    return catalog


def settings(api, **more):
    return {"api_url": api.url, "api_key": KEY, **QUICK, **more}


def read(tap, stream, handle, *, config=None, **more):
    """The output of a run that reads some streams."""
    with JsonApi(handle) as api:
        return run(tap, settings(api, **(config or {})), catalog=only(tap, *stream), **more)


MORE_THAN_A_RUN_NEEDS = 400
"""Requests after which a test's server answers with errors, so that a loop ends."""


BY_OFFSET = {"users": TapEvents, "campaigns": TapRewards}


def rows_of(stream, count):
    as_key = int if stream == "users" else str
    return [{"id": as_key(number)} for number in range(count)]


def moment(number, *, day=1):
    return f"2026-04-{day:02}T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"


class Bounded:
    """A function that answers requests, and ends a loop."""

    def __init__(self, handle):
        self.handle, self.requests = handle, 0

    def __call__(self, path, query):
        self.requests += 1
        return self.handle(path, query) if self.requests < MORE_THAN_A_RUN_NEEDS else (403, {})


def keys(output, stream, key="id"):
    return [row[key] for row in output.records[stream]]


BOOKING = {"uid": "", "title": "a", "start": moment(0), "end": moment(0, day=2), "status": "accepted"}


def bookings(rows, query, **envelope):
    rows = sorted(rows, key=lambda row: (row["updatedAt"], row["id"]))
    since = query.get("afterUpdatedAt", "")
    rows = [BOOKING | row for row in rows if row["updatedAt"] >= since and "afterStart" not in query]
    page = cut(rows, query, cap=query.get("cap", 10**6), start="skip", size="take")
    return {"status": "success", "data": page, **envelope}


def customers(rows, query, cap):
    since = query.get("start_datetime", "")[:10]
    rows = [row for row in rows if row["updated_at"][:10] >= since]
    return [{"customer": row} for row in numbered(rows, query, cap=cap)]
