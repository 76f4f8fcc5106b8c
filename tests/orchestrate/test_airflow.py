"""The DAGs under Airflow: `airflow dags test`, with units of which something becomes."""

import ast
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate.dag_folder import DAG, impatient

ROOT = Path(__file__).parents[2]
AIRFLOW = ROOT / ".venv-airflow" / "bin" / "airflow"

pytestmark = pytest.mark.meltano
installed = pytest.mark.skipif(not AIRFLOW.exists(), reason="Airflow could not be installed")
long = pytest.mark.skipif(
    "RELIABILITY_FULL" not in os.environ, reason="another DAG under Airflow: in `make orchestrate`"
)


def test_the_dag_needs_nothing_but_airflow():
    imported = set()
    for node in ast.walk(ast.parse(DAG.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported.update(name.name for name in node.names)
    others = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others == {"airflow.sdk", "airflow.sdk.exceptions"}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """Airflow's database, with nothing in it: to make it takes as long as a DAG does."""
    home = tmp_path_factory.mktemp("airflow")
    command = [AIRFLOW, "db", "migrate"]
    subprocess.run(command, env={**os.environ, "AIRFLOW_HOME": str(home)}, capture_output=True, check=True)
    return home / "airflow.db"


@pytest.fixture
def airflow(project, stub_command, migrated):
    """Runs a DAG; what its mapped tasks came to, by name: state, tries and pool.

    They stand in the order in which a scheduler starts them; `dags test` runs them in any order.
    """
    command = project / "tap-suite"
    command.write_text(f"#!{sys.executable}\n{stub_command}")
    command.chmod(0o755)
    dags = impatient(project / "dags")
    settings = {
        "AIRFLOW_HOME": str(project / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "TAP_SUITE_HOME": str(project),
        "TAP_SUITE_COMMAND": str(command),
    }

    def airflow(dag, *words):
        done = subprocess.run(
            [AIRFLOW, "dags", "test", dag, "2026-01-02", *words],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        with sqlite3.connect(project / "airflow" / "airflow.db") as database:
            tasks = database.execute(
                "SELECT rendered_map_index, state, try_number, pool FROM task_instance "
                "WHERE dag_id = ? AND task_id LIKE '%.run' AND map_index >= 0 ORDER BY map_index",
                [dag],
            ).fetchall()
        database.close()
        return done.stdout + done.stderr, {name: tuple(rest) for name, *rest in tasks}

    (project / "airflow").mkdir()
    shutil.copy(migrated, project / "airflow")
    return airflow


@installed
@pytest.mark.long
def test_units_are_mapped_tasks_named_by_them_in_the_pool_of_their_key(airflow, scenarios, runs, monkeypatch):
    monkeypatch.setenv("SHARED", "one key")
    keys = {"fest": "SHARED", "twin": "SHARED", "part": "KEY_PART"}
    scenarios(keys=keys, fest="unreachable once", twin="", part="partly")
    said, tasks = airflow("tap_suite")
    assert "partly read: part tap-stub" in said
    assert {name: task[:2] for name, task in tasks.items()} == {
        "fest tap-stub": ("success", 2),
        "twin tap-stub": ("success", 1),
        "part tap-stub": ("failed", 1),
    }
    assert tasks["fest tap-stub"][2] == tasks["twin tap-stub"][2]
    pools = json.loads(DAG.with_name("pools.json").read_text())
    assert {task[2] for task in tasks.values()} <= {*pools}
    assert {pool["slots"] for pool in pools.values()} == {1}
    tried = [run["name"].removeprefix("tap_stub_") for run in runs()]
    assert {name: tried.count(name) for name in keys} == {"fest": 2, "twin": 1, "part": 1}


@installed
@long
def test_windows_of_the_past_are_mapped_tasks_of_one_pool(airflow, scenarios, runs):
    scenarios(acme="", fest="")
    past = {"account": "acme", "since": "2026-01-01", "until": "2026-02-15"}
    _, tasks = airflow("tap_suite_backfill", "--conf", json.dumps(past))
    assert [(name, task[0]) for name, task in tasks.items()] == [
        ("acme tap-stub 2026-01-16 to 2026-02-15", "success"),
        ("acme tap-stub 2026-01-01 to 2026-01-16", "success"),
    ]
    assert len({pool for *_, pool in tasks.values()}) == 1
    assert {tuple(edge[:10] for edge in run["window"]) for run in runs()} == {
        ("2026-01-16", "2026-02-15"),
        ("2026-01-01", "2026-01-16"),
    }
