"""`--test` really tries; progress is told in lines, and not in many."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pty
import re
import subprocess
import sys

import pytest

from support import KEY, command, run
from tap_core import progress
from tap_events.tap import TapEvents


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/events", "api_key": KEY, "max_retries": 0}


def test_one_small_request_for_each_stream(api, config, tmp_path):
    done = command("tap_events", "--test", config=config, folder=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "attendees",
        "categories",
        "donations",
        "events",
        "tickets",
        "transactions",
        "users",
    ]
    assert all(" ok " in line for line in lines)
    assert len(api.requests) < 20
    assert sum("limit=1&" in f"{entry.query}&" for entry in api.requests) >= 7


def test_what_fails_is_named(api, config, tmp_path):
    api.fault("status", status=403, path="/events/v1/users")
    api.fault("status", status=500, path="/events/v1/categories")
    done = command("tap_events", "--test", config=config, folder=tmp_path)
    assert done.returncode == 1
    failed = {line.split()[0]: line for line in done.stdout.splitlines() if "FAILED" in line}
    assert failed.keys() == {"categories", "users"}
    assert "may not read" in failed["users"]
    assert "failed 1 time, at last with: 500" in failed["categories"]


@pytest.mark.parametrize("wrong", [{"api_url": "http://127.0.0.1:9"}, {"api_key": "another"}])
def test_what_fails_for_all_is_tried_once(api, config, tmp_path, wrong):
    """With the retries that a run would have, somebody would wait for minutes."""
    config = {**config, **wrong, "max_retries": 9, "backoff_factor": 0.1}
    done = command("tap_events", "--test", config=config, folder=tmp_path)
    assert done.returncode == 1
    first, *others = done.stdout.splitlines()
    assert "Connection refused" in first or "api_key was refused" in first
    assert len(others) == 6
    assert all("FAILED  not tried, as the first line says why" in line for line in others)
    assert len(api.requests) <= 1
    assert done.stderr.count("trying again") <= 1


def test_selected_streams_only(api, config, tmp_path):
    catalog = tmp_path / "catalog.json"
    catalog.write_text(
        '{"streams": [{"tap_stream_id": "users", "metadata": [{"breadcrumb": [], "metadata": '
        '{"selected": true}}]}]}'
    )
    done = command("tap_events", "--test", "--catalog", catalog, config=config, folder=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["users"]


def test_schema_only(config, tmp_path):
    done = command("tap_events", "--test=schema", config=config, folder=tmp_path)
    assert done.stdout.count('"type":"SCHEMA"') == 7
    assert "RECORD" not in done.stdout


def count(api):
    return sum(map(len, api.data["events"]["attendees"].values()))


def test_live_lines_on_a_terminal(api, config, tmp_path):
    api.fault("latency", seconds=0.005)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "tap_events", "--config", str(path)]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=follower, env=env) as tap:
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while part := os.read(leader, 65536):
                shown += part
    os.close(leader)
    assert tap.returncode == 0
    text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown).decode()
    assert re.search(r"attendees +.* rows +[\d,]+ rows/s [\d,]+ requests", text)
    assert f"attendees: {count(api)} rows" in text


def test_a_line_for_each_stream(api, config, caplog):
    caplog.set_level(logging.INFO)
    run(TapEvents, config)
    lines = [record.getMessage() for record in caplog.records if " rows, " in record.getMessage()]
    assert len(lines) == 7
    assert any(line.startswith(f"attendees: {count(api)} rows, ") for line in lines)


def test_progress_now_and_then(api, config, caplog, monkeypatch):
    monkeypatch.setattr(progress, "INTERVAL", 0.05)
    api.fault("latency", seconds=0.01)
    caplog.set_level(logging.INFO)
    run(TapEvents, config)
    lines = [record.getMessage() for record in caplog.records if "rows so far" in record.getMessage()]
    assert any(line.startswith("attendees: ") for line in lines)
    share = round(100 * 100 / len(api.data["events"]["events"]))
    assert any(line.startswith(f"events: 100 rows so far, {share}%") for line in lines)
