"""An Airflow 3 DAG that runs the accounts of `accounts.yml`, a mapped task for each, named by it.

The file is read in a task, when the DAG runs, and not when it is parsed. Units that share a key are one task,
which runs them in turn: a pool can't keep them apart, as Airflow gives all tasks of a mapping the same one.

Airflow needs an environment of its own; `tap-suite` is called in the project's. Variables for scheduler and
workers: `TAP_SUITE_HOME` is the project's folder, by default the one that has this file, `TAP_SUITE_COMMAND`
the command, by default the one in that folder's `.venv`.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

HOME = Path(os.environ.get("TAP_SUITE_HOME", Path(__file__).resolve().parents[2]))
COMMAND = os.environ.get("TAP_SUITE_COMMAND", str(HOME / ".venv" / "bin" / "tap-suite"))
PARTLY = 2
"""The exit code that says that some streams were read and others were not."""


@task(retries=0)
def plan() -> list[list[dict[str, str]]]:
    """The units, those that share a key together; a file that makes no sense fails the run, by name."""
    shown = subprocess.run([COMMAND, "plan"], cwd=HOME, capture_output=True, text=True, check=False)  # noqa: S603
    if not shown.stdout:
        raise AirflowFailException(shown.stderr.strip())
    print(shown.stderr, end="")  # noqa: T201 - units whose variables are not set: their own tasks fail
    queues: dict[str, list[dict[str, str]]] = {}
    for unit in json.loads(shown.stdout)["units"]:
        queues.setdefault(unit["key"], []).append({"account": unit["account"], "tap": unit["tap"]})
    return list(queues.values())


@task(map_index_template="{{ unit }}", retries=2)
def run(queue: list[dict[str, str]]) -> None:
    """Run units, one after the other: all of them, whatever becomes of one."""
    context: Any = get_current_context()
    context["unit"] = ", ".join(f"{unit['account']} {unit['tap']}" for unit in queue)
    codes = {f"{unit['account']} {unit['tap']}": _run_unit(unit) for unit in queue}
    failed = [name for name, code in codes.items() if code not in {0, PARTLY}]
    if failed:
        raise AirflowException(f"failed: {', '.join(failed)}; why is above")
    partly = [name for name, code in codes.items() if code]
    if partly:  # another try would read all streams again, and fail at the same ones
        raise AirflowFailException(f"partly read: {', '.join(partly)}; which streams is above")


def _run_unit(unit: dict[str, str]) -> int:
    """Run a unit and pass its log on; a task that is stopped stops it in good order."""
    command = [COMMAND, "run", unit["account"], "--tap", unit["tap"]]
    with subprocess.Popen(  # noqa: S603 - names that the plan has checked
        command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)  # noqa: T201
        finally:
            if process.poll() is None:
                process.terminate()
    return process.returncode


@dag(
    schedule="17 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=8,
    tags=["tap-suite"],
)
def tap_suite() -> None:
    """All accounts, every night."""
    run.expand(queue=plan())


tap_suite()
