"""Kills, neighbours and readers: no row doubled, none lost, none half written."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from loaders.warehouse import COMMAND, ID, activate, records, schema, state, text
from target_duckdb_exact.target import TargetDuckDB

NAME = {**ID, "name": {"type": "string"}}


def load_file(source, sink, config):
    """Load a file of messages, STATE into another file: what runs in the processes that are killed."""
    with source.open() as messages, sink.open("w") as sys.stdout:
        TargetDuckDB(config=config).listen(messages)


@pytest.fixture(scope="module")
def forks():
    """Processes that have the loader imported already: a start takes seconds, a fork does not."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["target_duckdb_exact.target"])
    return context


def states(path):
    return path.read_text().splitlines() if path.exists() else []


def test_killed_at_random_points(warehouse, forks):
    """SIGKILL some times, each time the same input again; then it is all there, once."""
    rows = [{"id": number, "name": f"row {number}"} for number in range(3_000)]
    gone = [{"id": number, "name": "gone"} for number in range(3_000, 3_100)]
    warehouse.load(schema(NAME), *records(gone, version=1), activate(1))
    messages = [schema(NAME)]
    for start in range(0, len(rows), 100):
        messages += [*records(rows[start : start + 100], version=2), state({"at": start + 100})]
    source, sink = warehouse.folder / "messages.jsonl", warehouse.folder / "states.jsonl"
    source.write_text(text([*messages, activate(2)]))
    config, rng, killed = warehouse.config(batch_size_rows=250), random.Random(7), 0
    for _ in range(24 if os.environ.get("RELIABILITY_FULL") else 6):
        sink.unlink(missing_ok=True)
        process = forks.Process(target=load_file, args=(source, sink, config))
        process.start()
        wanted = rng.randrange(12)  # STATE is told after each commit
        assert eventually(lambda: len(states(sink)) >= wanted or process.exitcode is not None)  # noqa: B023
        time.sleep(rng.random() * 0.05)
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        told = json.loads(states(sink)[-1])["at"] if states(sink) else 0
        count, keys = whats_there(warehouse)
        assert count == keys >= told
    assert killed
    process = forks.Process(target=load_file, args=(source, sink, config))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert warehouse.ask("SELECT id, name FROM s.t WHERE _sdc_deleted_at IS NULL ORDER BY id") == [
        (row["id"], row["name"]) for row in rows
    ]
    assert warehouse.ask("SELECT count(*) FROM s.t WHERE _sdc_deleted_at IS NOT NULL") == [(len(gone),)]


def whats_there(warehouse):
    """Rows and keys, asked of a copy: to open the file would put its log in order."""
    for path in warehouse.folder.glob("warehouse.duckdb*"):
        shutil.copy(path, path.with_name(path.name.replace("warehouse", "copy")))
    with duckdb.connect(str(warehouse.folder / "copy.duckdb")) as connection:
        query = "SELECT count(*), count(DISTINCT id) FROM s.t WHERE name <> 'gone'"
        found = connection.execute(query).fetchone()
    for path in warehouse.folder.glob("copy.duckdb*"):
        path.unlink()
    return found


def test_two_loaders_side_by_side(warehouse):
    """Two streams, and one that both load: each waits for the other's batches."""

    def run(number):
        rows = [{"id": key, "name": str(number)} for key in range(number * 1_000, number * 1_000 + 1_500)]
        own, both = f"own_{number}", "both"
        messages = [schema(NAME, stream=own), schema(NAME, stream=both)]
        return warehouse.run(*messages, *records(rows, own), *records(rows, both), batch_size_rows=200)

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(run, (1, 2)))
    assert [code for code, *_ in runs] == [0, 0], runs
    assert warehouse.ask("SELECT count(*), count(DISTINCT id) FROM s.both") == [(2_500, 2_500)]
    for number in (1, 2):
        assert warehouse.ask(f"SELECT count(*) FROM s.own_{number}") == [(1_500,)]
    assert warehouse.ask("SELECT count(*), count(DISTINCT id) FROM _sdc_loader.tables") == [(3, 3)]


def holder(warehouse, seconds, *, read_only):
    """Another program that has the file open."""
    script = (
        "import duckdb, sys, time; "
        "connection = duckdb.connect(sys.argv[1], read_only=sys.argv[3] == 'True'); "
        "print('open', flush=True); time.sleep(float(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(warehouse.path), str(seconds), str(read_only)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "open\n"
    return process


@pytest.mark.parametrize("read_only", [True, False])
def test_a_program_that_has_the_file_is_waited_for(warehouse, read_only, caplog):
    warehouse.load(schema(ID))
    with holder(warehouse, 0.7, read_only=read_only) as other, caplog.at_level("INFO"):
        warehouse.load(schema(ID), *records([{"id": 1}]))
    assert warehouse.ask("SELECT id FROM s.t") == [(1,)]
    assert f"(process {other.pid}): waiting for it" in caplog.text


def test_a_program_that_keeps_the_file(warehouse):
    warehouse.load(schema(ID))
    with holder(warehouse, 60, read_only=False) as other:
        code, out, log = warehouse.run(schema(ID), *records([{"id": 1}]), state(1), lock_timeout=0.3)
        other.kill()
    assert (code, out) == (1, "")
    assert "warehouse.duckdb is open in " in log
    assert f"(process {other.pid}), and still was after 0.3 seconds" in log
    assert "Traceback" not in log
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(0,)]


def test_the_file_is_free_between_batches(warehouse):
    """A reader comes in while the loader waits for its input."""
    with warehouse.start(batch_size_rows=5_000) as process:
        process.stdin.write(text([schema(ID), *records([{"id": n} for n in range(40_000)])]))
        process.stdin.flush()
        assert eventually(
            lambda: warehouse.path.exists() and warehouse.ask("SELECT count(*) FROM s.t")[0][0] > 0
        )
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(120) == 0


def eventually(condition):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if condition():
                return True
        except duckdb.Error:
            pass
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("sent", "code", "rows"),
    [(signal.SIGINT, 0, [(1,), (2,)]), (signal.SIGTERM, -signal.SIGTERM, None)],
)
def test_signals(warehouse, sent, code, rows):
    """Ctrl-C reaches the whole pipeline: what was sent is loaded. SIGTERM ends the loader as it is."""
    with warehouse.start() as process:
        process.stdin.write(text([schema(ID), *records([{"id": 1}])]))
        process.stdin.flush()
        assert eventually(warehouse.path.exists)
        process.send_signal(sent)
        if sent == signal.SIGTERM:
            assert process.wait(120) == code
            assert warehouse.ask("SELECT table_name FROM duckdb_tables()") == []
        else:
            _, log = process.communicate(text(records([{"id": 2}])), timeout=120)
            assert process.returncode == code, log
            assert warehouse.ask("SELECT id FROM s.t ORDER BY id") == rows


def test_nobody_reads_state(warehouse):
    process = warehouse.start()
    process.stdout.close()
    process.stdin.write(text([schema(ID), *records([{"id": 1}]), state(1)]))
    process.stdin.close()
    assert process.wait(120) == 1
    log = process.stderr.read()
    process.stderr.close()
    assert "Nobody reads STATE any more" in log
    assert "Traceback" not in log
    assert warehouse.ask("SELECT id FROM s.t") == [(1,)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
@pytest.mark.parametrize("option", [[], ["--about"]])
def test_state_can_not_be_written(warehouse, redirection, option):
    config = warehouse.folder / "config.json"
    config.write_text(json.dumps(warehouse.config()))
    run = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *COMMAND, "--config", str(config), *option],
        input=text([schema(ID), *records([{"id": 1}]), state(1)]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "Standard output can't be written: " in run.stderr.splitlines()[-1]
    assert all(line.startswith("20") for line in run.stderr.splitlines()), run.stderr
    assert option or warehouse.ask("SELECT id FROM s.t") == [(1,)]
