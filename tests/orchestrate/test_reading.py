"""What is read from Meltano's log: of taps that write theirs in a structure, and of those that don't."""

import json
from pathlib import Path

import pytest

from tap_core.errors import Retriable
from tap_core.http import messages
from tap_suite.meltano_log import LogReader

BUSY = Retriable("429 Too Many Requests", status=429, wait=900)
LOADER = Path(__file__).parents[2] / "loaders" / "target_duckdb_exact" / "target_duckdb_exact" / "database.py"


def read(*entries, secrets=()):
    reader = LogReader(secrets)
    return reader, [reader.take(entry if isinstance(entry, str) else json.dumps(entry)) for entry in entries]


def tap(event, level="info", **more):
    return {"event": event, "level": level, "producer": True, "string_id": "tap-x", "timestamp": "T", **more}


def target(event, level="info"):
    return {"event": event, "level": level, "consumer": True, "string_id": "target-x", "timestamp": "T"}


def ended(**codes):
    return {"event": "Block run completed", "level": "error", "err": "Failed", "exit_codes": codes}


@pytest.mark.parametrize(
    "said",
    [
        messages.still_refused("https://example.com/x", BUSY),
        messages.too_long_a_wait("https://example.com/x", BUSY, 300),
        "filepath: w.duckdb is open in another process, and still was after 300 seconds: raise lock_timeout",
    ],
)
def test_a_failure_that_says_that_it_may_pass(said):
    reader, _ = read(tap(said, "error"), ended(extractors=1))
    assert reader.may_pass
    assert reader.why(1) == said


def test_the_loader_still_says_so():
    assert "or raise lock_timeout" in LOADER.read_text(encoding="utf-8")


def test_what_was_killed_may_pass_and_what_was_refused_may_not():
    assert read(tap("reads x"), ended(extractors=-9))[0].may_pass
    assert not read(tap("api_key was refused (401)", "error"), ended(extractors=1))[0].may_pass


def test_what_meltano_says_in_several_lines_is_told_in_one():
    text = "The database is damaged\n[SQL: SELECT 1]\n(Background on this error at: …)"
    reader, _ = read({"event": "Cannot start", "level": "error", "err": text})
    assert reader.why(1) == "The database is damaged [SQL: SELECT 1] (Background on this error at: …)"


def test_taps_that_write_plain_text():
    metric = 'INFO METRIC: {"type": "counter", "metric": "record_count", "value": 5, "tags": {}}'
    reader, shown = read(tap(metric), tap(metric), tap("ValueError: no such list"), ended(extractors=1))
    assert reader.rows == 10
    assert reader.why(1) == "ValueError: no such list"
    assert shown[2] == "T info     tap-x: ValueError: no such list"


def test_a_loader_that_failed_leaves_nothing_partly_read():
    reader, _ = read(tap("partly read: a", "error"), target("full", "error"), ended(extractors=2, loaders=1))
    assert not reader.partly
    assert reader.why(1) == "full"


def test_lines_that_are_no_json_of_meltanos():
    reader, shown = read("Traceback (most recent call last):", "[1]", '{"a": 1}', "")
    assert shown == ["Traceback (most recent call last):", "[1]", '{"a": 1}', ""]
    assert reader.why(1) == "meltano ended with code 1"


def test_secrets_are_masked_as_text_and_in_json():
    secret = 'k"ey\\1'
    _, shown = read(tap(f"it is {secret}"), f"plain {secret}", secrets=(secret, "abc"))
    assert shown == ["T info     tap-x: it is (secret)", "plain (secret)"]
