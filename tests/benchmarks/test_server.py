"""The benchmarks' server speaks the events contract: tap-events reads it all."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from benchmarks.contenders import select

from support import command

ROOT = Path(__file__).parents[2]
KEY = "bench-key"


@pytest.fixture(scope="module")
def server():
    """Its URL."""
    words = [sys.executable, "-m", "benchmarks.server", "0"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.terminate()


def get(url, **params):
    return requests.get(url, params=params, headers={"x-api-key": KEY}, timeout=5)


def check(*words):
    """What benchmarks/check.py says."""
    words = [sys.executable, "-m", "benchmarks.check", *map(str, words)]
    return json.loads(subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=30).stdout)


def read(url, folder):
    """Run tap-events over events and attendees alone."""
    config = {"api_url": url, "api_key": KEY}
    catalog = json.loads(command("tap_events", "--discover", config=config, folder=folder).stdout)
    path = folder / "catalog.json"
    path.write_text(json.dumps(select(catalog, {"events", "attendees"})))
    return command("tap_events", "--catalog", path, config=config, folder=folder)


def test_everything_is_read(server, tmp_path):
    output = read(f"{server}/230x110/1ms", tmp_path)
    assert output.returncode == 0, output.stderr
    (tmp_path / "out").write_text(output.stdout)
    delivered = check("singer", tmp_path / "out")
    assert delivered == check("expected", 230, 110, "all")
    assert [count for count, _ in delivered.values()] == [25_300, 230]


def test_a_missing_or_wrong_row_is_noticed(server, tmp_path):
    rows = get(f"{server}/3x0/0ms/v1/events").json()["events"]
    sums = []
    for some in (rows, rows[::-1], rows[:2], [*rows[:2], {**rows[2], "venue": "?"}]):
        lines = (json.dumps({"type": "RECORD", "stream": "events", "record": row}) for row in some)
        (tmp_path / "out").write_text("\n".join(lines))
        sums.append(check("singer", tmp_path / "out"))
    right, turned, short, wrong = sums
    assert right == turned == check("expected", 3, 0, "all")
    assert short != right != wrong


def test_pages_of_events_tell_their_place_and_the_total_those_of_attendees_nothing(server):
    page = get(f"{server}/250x7/0ms/v1/events", offset=240, limit=500).json()
    assert page["pagination"] == [{"offset": 240, "limit": 100, "total": 250}]
    assert len(page["events"]) == 10
    event_id = page["events"][0]["id"]
    page = get(f"{server}/250x7/0ms/v1/events/{event_id}/attendees", offset=5).json()
    assert page.keys() == {"attendees"}
    assert [row["event_id"] for row in page["attendees"]] == [event_id] * 2


def test_dirty_rows_are_those_that_the_tap_delivers(server, tmp_path):
    output = read(f"{server}/3x40/0ms-dirty", tmp_path)
    lines = [json.loads(line) for line in output.stdout.splitlines()]
    rows = [line["record"] for line in lines if line["type"] == "RECORD" and line["stream"] == "attendees"]
    assert output.returncode == 0, output.stderr
    assert [row["_sdc_unmapped"]["seat"] for row in rows] == [f"{place}A" for place in range(40)] * 3
    assert {rows[7]["transaction_amount"], rows[3]["_sdc_unmapped"].get("is_attended")} == {7.5, True}


def test_refusals(server):
    assert requests.get(f"{server}/1x1/0ms/v1/events", timeout=5).status_code == 401
    past = get(f"{server}/1x1/0ms/v1/events", offset=1)
    assert (past.status_code, past.json()) == (404, {"message": "No events found"})
    assert get(f"{server}/1x1/0ms/v1/events/7/attendees").status_code == 404
    assert get(f"{server}/1x1/0ms/v1/users").status_code == 404


def test_latency_and_the_count_of_requests(server):
    get(f"{server}/stats")
    assert get(f"{server}/1x1/80ms/v1/events").elapsed >= timedelta(milliseconds=80)
    assert get(f"{server}/stats").json()["requests"] == 1
