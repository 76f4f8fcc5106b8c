"""An end that is asked for, or comes: children end, keys are free again, and what waits comes to its turn."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess

import pytest


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_what_runs_and_says_so(
    signum, scenarios, started, runs, project, suite, until, begun
):
    scenarios(a="hangs", b="hangs", c="hangs")
    process = started("all", "--jobs", "2")
    until(lambda: len(begun()) == 2)
    process.send_signal(signum)
    told, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + signum
    assert {run["code"] for run in runs()} == {143}, "SIGTERM reached them, and none was killed"
    assert told.count(f"stopped by signal {signum.value}; the next run goes on from there") >= 2
    assert f"stopped by signal {signum.value} before it began" in told
    assert not any(is_alive(int(number)) for _, number in begun())


def test_an_interruption_before_anything_runs_is_a_line(project, started):
    accounts = project / "accounts.yml"
    os.mkfifo(accounts)
    process = started("all")
    with accounts.open("w", encoding="utf-8"):  # opens once it is read, and then keeps the command waiting
        process.send_signal(signal.SIGINT)
        try:
            told, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:  # it came just before the read began, which another one ends
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=20)
    assert (process.returncode, told) == (130, "tap-suite: stopped before anything was run\n")


def test_the_age_of_data_is_known_of_what_was_stopped_before_it_began(
    scenarios, suite, started, until, begun, project
):
    keys = {"a": "KEY_A", "b": "KEY_A"}
    scenarios(keys, a="", b="")
    assert suite("all")[0] == 0
    for account in keys:
        last = project / ".meltano" / "units" / f"tap-stub_{account}" / "last.json"
        last.write_text(
            json.dumps({**json.loads(last.read_text()), "whole_since": "2026-01-01T00:00:00+00:00"})
        )
    scenarios(keys, a="hangs", b="hangs")
    process = started("all")
    until(lambda: len(begun()) == 3)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=20)
    (line,) = (line for line in told.splitlines() if line.endswith("before it began"))
    assert " d " in line, "as `status` tells it"
    assert "unknown" not in told


def test_who_waits_for_a_key_learns_of_the_data_that_came_meanwhile(
    scenarios, suite, started, until, begun, is_waited_for, project
):
    scenarios(a="")
    suite("run", "a")
    last = project / ".meltano" / "units" / "tap-stub_a" / "last.json"
    read = last.read_text()
    last.unlink()
    scenarios(a="hangs")
    started("run", "a")
    until(lambda: len(begun()) == 2)
    second = started("run", "a")
    until(is_waited_for)
    last.write_text(read)  # as the first one does at its end
    second.send_signal(signal.SIGTERM)
    told, _ = second.communicate(timeout=20)
    (project / "tap_stub_a.go").touch()
    assert "before it began" in told
    assert "unknown" not in told + suite("status")[1]


def test_a_key_is_held_by_what_a_killed_command_leaves(
    scenarios, started, runs, project, until, begun, is_waited_for
):
    scenarios(a="hangs")
    first = started("run", "a")
    until(begun)
    first.kill()
    first.wait()
    second = started("run", "a")
    until(is_waited_for)
    assert len(begun()) == 1
    (project / "tap_stub_a.go").touch()
    assert second.wait(20) == 0
    left, own = runs()
    assert left["ended"] <= own["began"]


@pytest.mark.parametrize(("made", "stays"), [("", False), ("runs", False), ("runs, state", True)])
def test_a_system_database_that_a_stop_left_unfinished_is_made_anew(made, stays, scenarios, suite, project):
    scenarios(a="")
    path = project / ".meltano" / "units" / "tap-stub_a" / "meltano.db"
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        for table in ("alembic_version", *filter(None, made.split(", "))):
            database.execute(f"CREATE TABLE {table} AS SELECT 1 AS id")
        database.commit()
    assert suite("run", "a")[0] == 0
    assert path.exists() == stays


def test_a_wait_for_a_key_can_be_ended(scenarios, started, until, begun, is_waited_for):
    scenarios(a="hangs")
    first = started("run", "a")
    until(begun)
    second = started("run", "a")
    until(is_waited_for)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=20)
    assert second.returncode == 143
    assert len(begun()) == 1
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 143
