"""The DAG under Airflow: `airflow dags test`, with units of which something becomes."""

import ast
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAG = ROOT / "orchestrate" / "dags" / "tap_suite.py"
AIRFLOW = ROOT / ".venv-airflow" / "bin" / "airflow"


def test_the_dag_needs_nothing_but_airflow():
    imported = set()
    for node in ast.walk(ast.parse(DAG.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported.update(name.name for name in node.names)
    others = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others == {"airflow.sdk", "airflow.sdk.exceptions"}


@pytest.mark.skipif(not AIRFLOW.exists(), reason="Airflow is not installed: make orchestrate does that")
def test_units_are_mapped_tasks_named_by_them(scenarios, project, runs, stub_command, monkeypatch):
    monkeypatch.setenv("SHARED", "one key")
    keys = {"acme": "KEY_ACME", "fest": "SHARED", "twin": "SHARED", "part": "KEY_PART"}
    scenarios(keys=keys, acme="", fest="", twin="", part="partly")
    command = project / "tap-suite"
    command.write_text(f"#!{sys.executable}\n{stub_command}")
    command.chmod(0o755)
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(project / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAG.parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "TAP_SUITE_HOME": str(project),
        "TAP_SUITE_COMMAND": str(command),
    }
    for words in (["db", "migrate"], ["dags", "test", "tap_suite", "2026-01-02"]):
        done = subprocess.run(
            [AIRFLOW, *words], env=env, capture_output=True, text=True, check=False, timeout=240
        )
    assert "partly read: part tap-stub" in done.stdout + done.stderr
    with sqlite3.connect(project / "airflow" / "airflow.db") as database:
        tasks = database.execute("SELECT rendered_map_index, state FROM task_instance WHERE task_id = 'run'")
        states = dict(tasks.fetchall())
    database.close()
    assert {name: state == "success" for name, state in states.items()} == {
        "acme tap-stub": True,
        "fest tap-stub, twin tap-stub": True,
        "part tap-stub": False,
    }
    tried = [run["name"].removeprefix("tap_stub_") for run in runs()]
    assert {name: tried.count(name) for name in keys} == dict.fromkeys(keys, 1)
