"""Settings that work are listed, and numbers are read as Meltano passes them on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from raw_server import RawServer, answer
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling
from two_taps import billing, events

TAPS = [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling]


@pytest.mark.parametrize("tap", TAPS)
def test_G05_deletes_are_claimed_by_a_setting_that_is_listed(tap):
    assert tap.config_jsonschema["properties"]["emit_activate_version_messages"]["default"] is False


@pytest.mark.parametrize(
    ("tap", "server", "stream"), [(TapBilling, billing, "coupons"), (TapEvents, events, "events")]
)
def test_G05_the_setting_is_known_and_works(tmp_path, tap, server, stream):
    more = {"catalog": select(tap, stream), "emit_activate_version_messages": True}
    with server() as api:
        output = call(tap, tmp_path, url=api.url, **more)
    assert not said(output, "WARNING")
    assert [message["type"] for message in output.messages][-2:] == ["ACTIVATE_VERSION", "STATE"]


@pytest.mark.parametrize("tap", [TapBilling, TapScheduling])
def test_J10_a_decimal_from_the_environment_is_a_number(tmp_path, tap, monkeypatch):
    monkeypatch.setenv(f"{tap.name.upper().replace('-', '_')}_BACKOFF_FACTOR", "0.5")
    stream = tap.stream_types[0].name
    for given in ({}, {"backoff_factor": "0.5"}, {"request_timeout": "2.5", "max_wait": "3"}):
        output = call(tap, tmp_path, catalog=select(tap, stream), **{"backoff_factor": None, **given})
        assert "connection failed" in said(output)[-1]  # the settings were taken


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"backoff_factor": "much"}, "backoff_factor must be a number"),
        ({"backoff_factor": "nan"}, "backoff_factor must be a number"),
        ({"backoff_factor": "-1"}, "backoff_factor must be 0 or more"),
        ({"request_timeout": ""}, "request_timeout must be a number"),
        ({"max_retries": "3"}, "max_retries must be a whole number"),
    ],
)
def test_J10_a_text_that_is_no_number_is_refused(tmp_path, given, words):
    output = call(TapBilling, tmp_path, **given)
    assert output.code == 1
    assert said(output)[0].startswith(words)


@pytest.mark.parametrize("tap", TAPS)
def test_a_whole_number_has_an_upper_bound(tap):
    numbers = {
        name: field
        for name, field in tap.config_jsonschema["properties"].items()
        if "integer" in field["type"]
    }
    of_the_sdk = {"flattening_max_depth", "flattening_max_key_length"}
    assert [
        name for name, field in numbers.items() if "maximum" not in field and name not in of_the_sdk
    ] == []


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
@pytest.mark.parametrize("many", [1001, 1e30])
def test_retries_without_end_are_refused(tmp_path, tap, many):
    output = call(tap, tmp_path, max_retries=many)
    assert output.code == 1
    assert said(output) == ["max_retries must be 1000 or less"]


@pytest.mark.parametrize("tap", [TapBilling, TapPromotions, TapRewards])
@pytest.mark.parametrize("body", [b"true", b"1", b'"x"', b"[true]"])
def test_D07_a_body_of_another_kind_is_named(tmp_path, tap, body):
    stream = {TapBilling: "customers", TapPromotions: "promotions", TapRewards: "orders"}[tap]
    with RawServer(lambda path, sock: answer(body)) as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream))
    assert output.code in {1, 2}
    assert said(output)


@pytest.mark.parametrize("total", ["²", "many", -3, [], {"a": 1}, True, 10**30])
def test_D07_a_total_of_any_kind_ends_nothing(tmp_path, total):
    def attendees(path, query):
        rows = [{"id": 1}, {"id": 2}] if query.get("offset", "0") == "0" else []
        return {"pagination": [{"total": total}], "events": rows}

    with JsonApi(attendees) as api:
        output = call(TapEvents, tmp_path, url=api.url, catalog=select(TapEvents, "events"))
    assert "Traceback" not in output.log
    assert len(output.records["events"]) == 2


@pytest.mark.parametrize("version", ["v2", 2])
@pytest.mark.parametrize(
    ("tap", "stream", "path", "body"),
    [
        (TapBilling, "customers", "/customers.json", []),
        (TapPromotions, "promotions", "/promotions", {"items": []}),
    ],
)
def test_a_setting_that_a_tap_does_not_have_is_ignored(tmp_path, tap, stream, path, body, version):
    with JsonApi(lambda _, __: body) as api:
        more = {"api_version": version} | ({"children_since": 7} if tap is TapBilling else {})
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream), **more)
    assert output.code == 0
    warnings = said(output, "WARNING")
    assert all(f"{name} is no setting of this tap and is ignored" in "".join(warnings) for name in more)
    assert "full_read_every" not in "".join(warnings), "nothing else is said of them"
    assert {target.partition("?")[0] for target in api.paths} == {path}


@pytest.mark.parametrize("tap", [TapEvents, TapRewards])
def test_a_version_that_is_a_number_is_refused_in_a_line(tmp_path, tap):
    output = call(tap, tmp_path, api_version=2)
    assert output.code == 1
    assert said(output) == ["api_version must be a text in quotes"]


def faulty(rows):
    """A page of events by offset, where each request fails once; numbers must be whole."""
    seen = set()

    def reply(path, query):
        if not all(query.get(name, "0").isdecimal() for name in ("offset", "limit", "page", "per_page")):
            return 422, {"errors": ["no whole number"], "message": "no whole number"}
        key = (path, *query.items())
        if key not in seen:
            seen.add(key)
            return 503, {}
        return rows(path, query)

    return JsonApi(reply)


@pytest.mark.parametrize("size", [50.0, "5e1", 50])
@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapEvents, "events")])
def test_a_whole_number_with_a_decimal_point_is_asked_for_as_one(tmp_path, tap, stream, size):
    rows = [{"id": number, "title": "x"} for number in range(1, 131)]

    def page(_, query):
        if tap is TapBilling:
            return numbered([{"customer": row} for row in rows], query)
        return {"pagination": [{"total": 130}], "events": cut(rows, query)}

    with faulty(page) as api:
        output = call(
            tap,
            tmp_path,
            url=api.url,
            catalog=select(tap, stream),
            page_size=size,
            max_retries=2.0,
            backoff_factor=0,
            concurrency=1.0,
        )
    if size == "5e1":
        assert said(output) == ["page_size must be a whole number"]
        return
    assert output.code == 0
    assert [row["id"] for row in output.records[stream]] == [row["id"] for row in rows]


LOGGING = """
version: 1
disable_existing_loggers: false
formatters: {structured: {(): singer_sdk.logging.StructuredFormatter}}
handlers: {console: {class: logging.StreamHandler, formatter: structured, stream: ext://sys.stderr}}
root: {level: INFO, handlers: [console]}
"""
"""As Meltano has a plugin log."""


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("billing", {"api_url": ""}, "api_key is missing: set it in"),
        ("events", {"api_url": "http://127.0.0.1:9", "api_key": "hush"}, "nothing could be read: http://127"),
    ],
)
def test_J10_who_reads_log_and_output_as_one_gets_a_plain_last_line(tmp_path, name, given, said):
    (tmp_path / "logging.yml").write_text(LOGGING)
    (tmp_path / "config.json").write_text(json.dumps({"max_retries": 0, **given}))
    done = subprocess.run(
        [sys.executable, "-m", f"tap_{name}", "--config", tmp_path / "config.json"],
        check=False,
        env={**os.environ, "SINGER_SDK_LOG_CONFIG": str(tmp_path / "logging.yml")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 1
    *before, last = done.stdout.splitlines()
    assert last.startswith(said)
    assert any(json.loads(line).get("level") == "error" for line in before), "the log is as it was"


ODD = [5, "x", {"x": 1}]
ODD_BATCHES = [
    *ODD,
    *({"encoding": "jsonl"}, {"encoding": ["a"]}, {"encoding": {"format": ["arrow"]}}),
    *({"encoding": {"format": "arrow"}, "storage": storage} for storage in (None, "x", {"root": 5})),
]


def _discovered(tap, config):
    """The streams, or why there are none: as the SDK calls it, whatever is set."""
    try:
        return tap(config=config, validate_config=False).catalog_dict["streams"]
    except ApiError as error:
        return str(error)


@pytest.mark.parametrize("tap", TAPS)
def test_D11_discover_shows_the_streams_whatever_is_set(tap):
    """What is wrong is told by a run, and by `--test`; but maps make other streams."""
    for name in list(tap.config_jsonschema["properties"]):
        for value in ODD_BATCHES if name == "batch_config" else ODD:
            found = _discovered(tap, {name: value})
            if isinstance(found, str):
                assert name in {"stream_maps", "flattening_enabled"}
                assert name in found
            else:
                assert len(found) == len(tap.stream_types)
