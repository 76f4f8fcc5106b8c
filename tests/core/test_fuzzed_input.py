"""Catalogs and STATE that were tampered with at random: understood or refused, but never a traceback."""

from __future__ import annotations

import copy
import json
import os
from random import Random

import pytest

from in_process import call, said, select
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from two_taps import billing, events

TIMES = int(os.environ.get("FUZZED_INPUTS", "6"))
JUNK = [
    None,
    True,
    0,
    -1,
    10**400,
    1.5,
    "",
    "x",
    "\ud800",
    "2026-02-30",
    [],
    [1],
    [None],
    {},
    {"x": {}},
    [[]],
]
STATES = {
    TapBilling: {
        "bookmarks": {
            "customers": {
                "replication_key": "updated_at",
                "replication_key_value": "2026-01-03T00:00:00Z",
                "checkpoint": {
                    "streams": ["customers"],
                    "since": "2026-01-02T23:55:00+00:00",
                    "query": {"page": 1, "per_page": 200},
                    "key": "3",
                    "began": "2026-01-04T00:00:00+00:00",
                },
                "page_size": 200,
                "partitions": [{"context": {"a": 1}, "progress_markers": {"Note": "x"}}],
                "progress_markers": {"Note": "x"},
                "starting_replication_value": "2026-01-01",
                "replication_key_signpost": "2026-01-01T00:00:00Z",
            }
        },
        "currently_syncing": "customers",
    },
    TapEvents: {
        "bookmarks": {
            "events": {
                "checkpoint": {
                    "streams": ["attendees", "events"],
                    "since": None,
                    "query": {"offset": 0, "limit": 20},
                    "key": "2",
                }
            },
            "attendees": {"partitions": [{"context": {"event_id": 1}}]},
        }
    },
}
SERVERS = {TapBilling: (billing, ["customers", "coupons"]), TapEvents: (events, ["events", "attendees"])}


def places(node, above=()):
    """The paths of all that is in a document."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in members:
        yield (*above, name)
        yield from places(value, (*above, name))


def tampered(document, random):
    """The document with a few of its values changed, gone, or under another name."""
    document = copy.deepcopy(document)
    for _ in range(random.choice([1, 1, 2, 5])):
        found = list(places(document))
        if not found:
            break
        *above, name = random.choice(found)
        holder = document
        for step in above:
            holder = holder[step]
        how = random.random()
        if how < 0.6:
            holder[name] = copy.deepcopy(random.choice(JUNK))
        elif how < 0.8:
            del holder[name]
        elif isinstance(holder, dict):
            holder[random.choice(["x", "", "type", "selected", "properties"])] = holder.pop(name)
    return document


@pytest.mark.parametrize("tap", SERVERS)
@pytest.mark.parametrize("seed", range(TIMES))
@pytest.mark.parametrize("what", ["state", "catalog"])
def test_D11_what_was_tampered_with_is_no_traceback(tmp_path, tap, seed, what):
    server, streams = SERVERS[tap]
    given = {"state": STATES[tap], "catalog": select(tap, *streams)}
    random = Random(f"{what} {seed}")
    given[what] = tampered(given[what], random)
    with server() as api:
        output = call(
            tap, tmp_path, url=api.url, **{name: json.dumps(value) for name, value in given.items()}
        )
    errors = said(output)
    assert output.code in {0, 1, 2}
    assert bool(errors) == (output.code != 0), output.log
    assert "should not have happened" not in output.log


SETTINGS = {
    "max_retries": 0,
    "request_timeout": 5,
    "backoff_factor": 0.01,
    "max_wait": 1,
    "max_body": 10,
    "requests_per_minute": 100_000,
    "page_size": 10,
    "concurrency": 2,
    "start_date": "2026-01-01",
    "lookback": 60,
    "user_agent": "x",
    "allow_partial": False,
    "unmapped_column": True,
    "emit_activate_version_messages": False,
    "full_read_every": 30,
    "receipt": True,
    "timestamps": "utc",
    "stream_maps": {
        "coupons": {"a": "str(id)", "code": None, "__filter__": "id > 0", "__key_properties__": ["id"]},
        "events": {"a": "md5(title)", "__alias__": "shows"},
        "cust*": None,
    },
    "stream_map_config": {"x": 1},
    "flattening_enabled": True,
    "flattening_max_depth": 2,
    "flattening_separator": "__",
    "flattening_max_key_length": 100,
    "batch_config": {"encoding": {"format": "jsonl", "compression": "none"}, "storage": {"prefix": "a"}},
}


@pytest.mark.parametrize("tap", SERVERS)
@pytest.mark.parametrize("seed", range(TIMES))
def test_D08_D09_settings_that_were_tampered_with_are_no_traceback(tmp_path, tap, seed):
    server, streams = SERVERS[tap]
    random = Random(seed)
    settings = copy.deepcopy(SETTINGS)
    settings["batch_config"]["storage"]["root"] = tmp_path.as_uri()
    other = "events" if tap is TapBilling else "coupons"
    del settings["stream_maps"][other]
    if random.random() < 0.7:
        del settings["batch_config"]
    settings = tampered(settings, random)
    with server() as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, *streams), **settings)
    assert bool(said(output)) == (output.code != 0), output.log
