"""Airflow 3 DAGs that run the accounts of `accounts.yml`: every night, or an account's past in windows.

A unit, or a window of its past, is a mapped task, named by it. The file is read in a task, when a DAG runs,
and not when it is parsed. Units that share a key never run at the same time, on whatever machine and by
whichever of the DAGs: a key belongs to one of the pools of `pools.json`, which have one slot. Airflow gives
all tasks of a mapping the same pool (its issue 33657), so there is a mapping for each pool.

Airflow needs an environment of its own; `tap-suite` is called in the project's. Variables for scheduler and
workers: `TAP_SUITE_HOME` is the project's folder, by default the one that has this file, `TAP_SUITE_COMMAND`
the command, by default the one in that folder's `.venv`, and `MELTANO_ENVIRONMENT`, to prod as elsewhere:
without it, there or in the project's `.env`, Meltano takes the one that meltano.yml names, for the sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(os.environ.get("TAP_SUITE_HOME", Path(__file__).resolve().parents[2]))
COMMAND = os.environ.get("TAP_SUITE_COMMAND", str(HOME / ".venv" / "bin" / "tap-suite"))
POOLS = tuple(json.loads(Path(__file__).with_name("pools.json").read_text(encoding="utf-8")))
TRIES = {"retries": 2, "retry_delay": timedelta(minutes=5)}
PARTLY = 2
"""The exit code that says that some streams were read and others were not."""


@task
def plan() -> list[dict[str, Any]]:
    """A job for each unit."""
    return [_job(unit, "run") for unit in _units()]


@task
def windows() -> list[dict[str, Any]]:
    """A job for each window of an account's past, the newest first."""
    context: Any = get_current_context()
    asked = context["params"]
    units = [unit for unit in _units() if unit["account"] == asked["account"]]
    units = [unit for unit in units if asked["tap"] in {"", unit["tap"]}]
    since, until = (date.fromisoformat(asked[name]) for name in ("since", "until"))
    spans = list(_spans(since, until, timedelta(days=asked["days"])))
    if not units or not spans:
        raise AirflowFailException(
            "accounts.yml has no such unit" if spans else "until must be later than since"
        )
    return [
        _job(unit, "backfill", "--since", f"{start}", "--until", f"{end}", "--every", f"{asked['days']}d")
        for start, end in spans
        for unit in units
    ]


@task
def of_pool(jobs: list[dict[str, Any]], pool: str) -> list[dict[str, Any]]:
    """The jobs whose keys belong to a pool."""
    return [job for job in jobs if job["pool"] == pool]


@task(map_index_template="{{ task.op_kwargs['job']['name'] }}")
def run(job: dict[str, Any]) -> None:
    """Run a job and pass its log on; a task that is stopped stops it in good order."""
    with subprocess.Popen(  # noqa: S603 - names that the plan has checked
        [COMMAND, *job["words"]], cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)  # noqa: T201
        finally:
            if process.poll() is None:
                process.terminate()
    if process.returncode == PARTLY:  # another try would read all streams again, and fail at the same ones
        raise AirflowFailException(f"partly read: {job['name']}; which streams is above")
    if process.returncode:
        raise AirflowException(f"failed: {job['name']}; why is above")


def run_in_pools(jobs: Any) -> None:
    """Run jobs, those of a pool one after the other."""
    for pool in POOLS:

        @task_group(group_id=pool)
        def lane(pool: str = pool) -> None:
            run.override(pool=pool).expand(job=of_pool(jobs, pool))

        lane()


@dag(
    schedule="17 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=len(POOLS),
    default_args=TRIES,
    tags=["tap-suite"],
)
def tap_suite() -> None:
    """All accounts, every night."""
    run_in_pools(plan())


@dag(
    schedule=None,
    max_active_runs=1,
    max_active_tasks=len(POOLS),
    default_args=TRIES,
    params={
        "account": Param(type="string", minLength=1),
        "tap": Param("", type="string", description="only this tap of the account"),
        "since": Param(type="string", format="date"),
        "until": Param(type="string", format="date", description="the day after the last"),
        "days": Param(30, type="integer", minimum=1, maximum=99_999, description="length of a window"),
    },
    tags=["tap-suite"],
)
def tap_suite_backfill() -> None:
    """An account's past in windows, the newest first."""
    run_in_pools(windows())


def _units() -> list[dict[str, Any]]:
    """The units as `tap-suite plan` shows them; a file that makes no sense fails the run, by name."""
    shown = subprocess.run([COMMAND, "plan"], cwd=HOME, capture_output=True, text=True, check=False)  # noqa: S603
    if not shown.stdout:
        raise AirflowFailException(shown.stderr.strip())
    print(shown.stderr, end="")  # noqa: T201 - units whose variables are not set: their own tasks fail
    units: list[dict[str, Any]] = json.loads(shown.stdout)["units"]
    return units


def _job(unit: dict[str, Any], command: str, *options: str) -> dict[str, Any]:
    window = f" {options[1]} to {options[3]}" if options else ""
    return {
        "name": f"{unit['account']} {unit['tap']}{window}",
        "pool": POOLS[int(unit["key"], 16) % len(POOLS)],
        "words": [command, unit["account"], "--tap", unit["tap"], *options],
    }


def _spans(since: date, until: date, length: timedelta) -> Iterator[tuple[date, date]]:
    """The windows, the newest first."""
    # As `tap_suite.backfill.windows`: the package is not in Airflow's environment.
    while since < until:
        start = until - length if until - since > length else since
        yield start, until
        until = start


tap_suite()
tap_suite_backfill()
