"""Runs one unit: a `meltano run` with system folder, state and log of its own, while its key is held."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import threading
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING

from tap_suite.copying import LogCopy
from tap_suite.locks import is_held, key_lock
from tap_suite.meltano_log import LogReader
from tap_suite.outcome import Outcome, Result, fault, kept_with, read_outcome
from tap_suite.stop import Stopped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tap_suite.plan import Unit
    from tap_suite.project import MeltanoProject
    from tap_suite.stop import Stop

GRACE = 20.0
"""Seconds that a run has to end once it is asked to: the target loads what was read, and STATE is kept."""

_LINKED = ("extractors", "loaders")
_TICK = 0.1


@dataclass(frozen=True)
class Job:
    """One `meltano run` of a unit.

    Args:
        unit: What is run.
        suffix: What its state is called by, beside tap and target.
        variables: Variables besides those of the unit.
        log: Name of its log file.
    """

    unit: Unit
    suffix: str
    variables: Mapping[str, str]
    log: str = "run.log"


class Runner:
    """Runs units of a project.

    Args:
        project: The Meltano project.
        stop: Ends what runs.
        masked: Variables that hold units' secrets: a run is given its own alone.
        echo: Where to copy the logs to, for people to follow; None for nowhere.
    """

    def __init__(
        self, project: MeltanoProject, stop: Stop, masked: frozenset[str], echo: IO[str] | None = None
    ) -> None:
        self.stop = stop
        self.environment = project.environment
        self._project = project
        self._masked = masked
        self._echo = echo
        self._locks = project.system_folder / "locks"

    def folder(self, unit: Unit) -> Path:
        """The unit's own system folder of Meltano's, and what else is kept of it."""
        return self._project.system_folder / "units" / unit.name

    def is_running(self, unit: Unit) -> bool:
        """Whether a run holds the unit's key."""
        return is_held(self._locks, unit.key)

    def last(self, unit: Unit) -> Outcome | None:
        """What became of the last run of a unit; None if there was none here."""
        return read_outcome(self.folder(unit) / "last.json")

    def run(self, unit: Unit) -> Outcome:
        """Run a unit, and keep what became of it."""
        outcome = self.perform(Job(unit, unit.entry.account, {}))
        is_whole = outcome.result is Result.READ and not outcome.why
        outcome = replace(outcome, whole_since=outcome.began if is_whole else self._whole_since(unit))
        return kept_with(self.folder(unit) / "last.json", asdict(outcome), outcome)

    def perform(self, job: Job) -> Outcome:
        """Wait for the unit's key, and run Meltano; the outcome says what became of it, whatever it is."""
        began = _now()
        if job.unit.blocked_by:
            return Outcome(Result.FAILED, began, 0, why=job.unit.blocked_by)
        try:
            with key_lock(self._locks, job.unit.key, self.stop) as lock:
                self._prepare(job.unit)
                return self._meltano(job, lock)
        except Stopped:
            return self.not_begun(job.unit, began)
        except OSError as error:
            return Outcome(Result.FAILED, began, 0, why=f"it can't be run: {fault(error)}")

    def not_begun(self, unit: Unit, at: str = "") -> Outcome:
        """What became of a run that was stopped before it began."""
        why = f"stopped by signal {self.stop.signum} before it began"
        return Outcome(Result.STOPPED, at, 0, why=why, whole_since=self._whole_since(unit))

    def _whole_since(self, unit: Unit) -> str | None:
        """When the last run of a unit began that read all; another command's may have ended just now."""
        last = self.last(unit)
        return last.whole_since if last else None

    def _prepare(self, unit: Unit) -> None:
        """Make the folder: what is installed is the project's, what a run leaves there is the unit's own."""
        folder = self.folder(unit)
        folder.mkdir(parents=True, exist_ok=True)
        if self._project.has_own_databases:
            _drop_unfinished(folder / "meltano.db")
        for name in _LINKED:
            installed = self._project.system_folder / name
            installed.mkdir(exist_ok=True)
            with contextlib.suppress(FileExistsError):
                (folder / name).symlink_to(installed)

    def _meltano(self, job: Job, lock: int) -> Outcome:
        began, clock = _now(), time.monotonic()
        reader = LogReader(job.unit.secrets)
        process = subprocess.Popen(  # noqa: S603 - Meltano, with names that the plan has checked
            self._command(job),
            cwd=self._project.root,
            env=self._environment(job),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            start_new_session=True,
            text=True,
            errors="replace",
        )
        copy = LogCopy(self.folder(job.unit) / job.log, self._echo, job.unit.name)
        with process:
            copying = threading.Thread(target=copy.drain, args=(process.stdout, reader), daemon=True)
            copying.start()
            code = self._wait(process, reader)
            copying.join(GRACE)
        result = self._result(code, reader)
        return Outcome(
            result,
            began,
            round(time.monotonic() - clock, 1),
            reader.rows,
            self._why(code, reader),
            may_pass=result is Result.FAILED and reader.may_pass,
            log_fault=copy.fault,
        )

    def _command(self, job: Job) -> list[str]:
        options = ["--no-install", f"--state-id-suffix={job.suffix}"]
        if self._project.has_own_databases:
            options.append("--force")  # the key is ours: a run that was killed must not hold this one up
        environment = f"--environment={self._project.environment}"
        return [
            *self._project.command,
            environment,
            "run",
            *options,
            job.unit.entry.tap,
            job.unit.entry.target,
        ]

    def _environment(self, job: Job) -> dict[str, str]:
        return {
            **os.environ,
            **dict.fromkeys(self._masked, ""),  # which goes before what `.env` says
            "MELTANO_PROJECT_ROOT": str(self._project.root),
            "MELTANO_SYS_DIR_ROOT": str(self.folder(job.unit)),
            "MELTANO_CLI_LOG_FORMAT": "json",
            "MELTANO_CLI_LOG_LEVEL": "info",
            "MELTANO_CLI_LOG_CONFIG": os.devnull,  # the project's own may write no JSON
            **job.unit.variables,
            **job.variables,
        }

    def _wait(self, process: subprocess.Popen[str], reader: LogReader) -> int:
        """Wait for the end; once asked to stop, let the tap end in good order, and Meltano with it."""
        asked = 0.0
        while True:
            try:
                return process.wait(_TICK)
            except subprocess.TimeoutExpired:
                if not self.stop.signum:
                    continue
            if not asked:
                asked = time.monotonic()
                if not _end_tap(process, reader.tap_process):
                    _signal_all(process, signal.SIGTERM)
            elif self.stop.at_once or time.monotonic() - asked > GRACE:
                _signal_all(process, signal.SIGKILL)

    def _result(self, code: int, reader: LogReader) -> Result:
        if code == 0:
            return Result.READ
        if self.stop.signum:
            return Result.STOPPED
        return Result.PARTLY if reader.partly else Result.FAILED

    def _why(self, code: int, reader: LogReader) -> str:
        if code == 0:
            return reader.tap_line if reader.partly else ""  # with `allow_partial`, that is no failure
        if self.stop.signum:
            return f"stopped by signal {self.stop.signum}; the next run goes on from there"
        return reader.why(code)


def _drop_unfinished(path: Path) -> None:
    """Remove a system database that has seen neither a run nor a STATE.

    Where a run ended while Meltano was making it, Meltano can neither use nor mend it.
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            named = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if (
                named >= {"runs", "state"}
                and database.execute("SELECT 1 FROM runs UNION ALL SELECT 1 FROM state").fetchone()
            ):
                return
    except sqlite3.Error:
        return  # Meltano tells what is wrong with it
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def _end_tap(process: subprocess.Popen[str], tap: int) -> bool:
    """Ask the tap alone to end; false if it can't be found in the run."""
    try:
        if tap and os.getpgid(tap) == process.pid:
            os.kill(tap, signal.SIGTERM)
            return True
    except ProcessLookupError:
        pass
    return False


def _signal_all(process: subprocess.Popen[str], signum: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signum)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
