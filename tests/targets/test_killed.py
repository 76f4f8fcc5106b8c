"""Tap and loader killed at random points, beside other processes that use the file: then all is there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import duckdb
import pytest

from api_sandbox import Sandbox
from api_sandbox.events.data import generate
from api_sandbox.rewards.data import generate as generate_rewards
from arrow_files import into
from support import KEY, run
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from targets.pipelines import Pipeline
from targets.targets import DuckDB
from targets.test_rows import assert_loaded

POINTS = 60 if os.environ.get("RELIABILITY_FULL") else 1
FORMS = ("Arrow files", "RECORD messages")
"""What the rows come in: by turns."""
BEGINNINGS = ("nothing", "rows", "target-duckdb 0.8")
"""What is in the file before: by turns."""


class Alive(DuckDB):
    """What is in a schema of a file, but for rows that are marked as gone."""

    def __init__(self, path, schema):
        super().__init__([], path.parent)
        self._schema = schema

    def read(self, stream):
        return self.select(f"(SELECT * FROM {self._schema}.{stream} WHERE _sdc_deleted_at IS NULL)")


@pytest.fixture
def server():
    """An account of its own for each point: each takes an event away."""
    data = {
        "events": generate(Random(5), events=30),
        "rewards": generate_rewards(Random(5), orders=100),
    }
    with Sandbox(data=data) as sandbox:
        sandbox.fault("latency", seconds=0.01)
        yield sandbox


def change(server, rng):
    """Rows that are gone, changed, and new, in parents' lists and in children's."""
    tables = server.data["events"]
    gone = tables["events"].pop(rng.randrange(len(tables["events"])))["id"]
    for stream in ("attendees", "tickets", "donations", "transactions"):
        tables[stream].pop(gone, None)
    guests = [rows for rows in tables["attendees"].values() if len(rows) > 2]
    for rows in rng.sample(guests, min(9, len(guests))):
        rows.pop(rng.randrange(len(rows)))
        rows[0] = {**rows[0], "first_name": f"Changed {rng.random()}"}
    tables["users"].append({**tables["users"][0], "id": 1 + max(int(user["id"]) for user in tables["users"])})


def assert_keys_unique(path, streams):
    with duckdb.connect(str(path)) as connection:
        for stream, keys in streams.items():
            with contextlib.suppress(duckdb.CatalogException):  # killed before there was a table
                same = f"SELECT count(*) FROM tap.{stream} GROUP BY {', '.join(keys)} HAVING count(*) > 1"
                assert connection.execute(same).fetchall() == [], stream


@contextlib.contextmanager
def readers(path, counted):
    """Somebody who opens the file again and again, and keeps it open a while."""
    over = threading.Event()

    def read():
        while not over.wait(0.02):
            with contextlib.suppress(duckdb.Error), duckdb.connect(str(path), read_only=True) as connection:
                connection.execute("SELECT count(*) FROM tap.attendees").fetchall()
                over.wait(0.05)
                counted.append(1)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def load_before(beginning, server, folder, path):
    """Fill the file; gives the STATE."""
    url = f"{server.url}/events"
    if beginning == "rows":
        return Pipeline(folder, "events", url, filepath=str(path)).end()[-1]
    if beginning == "target-duckdb 0.8":
        config = folder / "old.json"
        config.write_text(f'{{"filepath": "{path}", "default_target_schema": "tap"}}')
        text = run(TapEvents, {"api_url": url, "api_key": KEY}).text
        command = [Path(sys.executable).with_name("target-duckdb"), "--config", config]
        subprocess.run(command, input=text, text=True, check=True, capture_output=True)
    return None


@pytest.mark.long
@pytest.mark.parametrize("point", range(POINTS))
def test_killed_at_random_points(server, tmp_path, reliability, point):
    """Of two pipelines into one file; the other one is not hurt. Only a hurt one leaves files of rows."""
    rng, path, beginning = Random(point), tmp_path / "warehouse.duckdb", BEGINNINGS[point % 3]
    victim, how = rng.choice(["tap", "loader"]), rng.choice([signal.SIGKILL, signal.SIGTERM])
    state, url, read = load_before(beginning, server, tmp_path, path), f"{server.url}/events", []
    form, settings = FORMS[point % 2], {"filepath": str(path)}
    if form == "Arrow files":
        settings["batches"] = into(tmp_path / "files", batch_size=200)
    change(server, rng)
    with readers(path, read):
        hurt = Pipeline(tmp_path / "hurt", "events", url, state, **settings)
        rewards = f"{server.url}/rewards"
        schema = {"filepath": str(path), "default_target_schema": "other"}
        other = Pipeline(tmp_path / "other", "rewards", rewards, **schema)
        hurt.kill(victim, how, rng.random() * 1.5)
        *_, state = hurt.end()
        assert other.end()[:2] == (0, 0)
    truth = run(TapEvents, {"api_url": url, "api_key": KEY})
    untouched = run(TapRewards, {"api_url": rewards, "api_key": KEY})
    keys = {stream: messages[0]["key_properties"] for stream, messages in truth.schemas.items()}
    assert_keys_unique(path, keys)
    left = {*(tmp_path / "files").glob("*")}
    with readers(path, read):
        assert Pipeline(tmp_path / "hurt", "events", url, state, **settings).end()[:2] == (0, 0)
    assert {*(tmp_path / "files").glob("*")} == left
    assert_keys_unique(path, keys)
    assert_loaded(Alive(path, "tap"), truth)
    assert_loaded(Alive(path, "other"), untouched)
    assert read, "nobody could read"
    if point < len(FORMS):
        reliability(
            *(
                "Tap and loader",
                f"{form}: either killed at {POINTS // 2} random points, SIGKILL or SIGTERM, then a whole run",
            ),
            "the tables are the account, cell by cell",
        )
