"""The command `tap-suite`."""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_suite.accounts import Refused, read
from tap_suite.backfill import backfill, describe_backfill, length, moment, windows
from tap_suite.many import run_all
from tap_suite.plan import units
from tap_suite.project import MeltanoProject
from tap_suite.report import ALL_READ, NOTHING_READ, describe, exit_code, table
from tap_suite.run import Runner
from tap_suite.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO, NoReturn

    from tap_suite.outcome import Outcome
    from tap_suite.plan import Unit

    Command = Callable[["Suite", argparse.Namespace], int]

_RETRY_AFTER = 60.0
_MOST_WINDOWS = 100_000
"""Of a backfill: eleven years by the hour. Each is a run, of seconds at least, and all are noted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit code: 0 all was read, 2 partly, 1 nothing, or bad accounts."""
    options = _parser().parse_args(arguments)
    try:
        suite = Suite(options.file)
        command: Command = options.command
        return command(suite, options)
    except Refused as refusal:
        for problem in refusal.problems:
            _say(problem)
        return NOTHING_READ
    except KeyboardInterrupt:
        _say("stopped before anything was run")
        return 128 + signal.SIGINT


class Suite:
    """The project, and the units of a file of accounts.

    Args:
        file: The file; None for `accounts.yml` in the project's folder.

    Raises:
        Refused: The accounts can't be run as they are written.
    """

    def __init__(self, file: Path | None) -> None:
        self.project = MeltanoProject()
        self.units = units(read(file or self.project.root / "accounts.yml"), self.project)

    def of(self, account: str, tap: str | None) -> list[Unit]:
        """The units of an account, or the one of a tap of it.

        Raises:
            Refused: There is none.
        """
        found = [one for one in self.units if one.entry.account == account and tap in {None, one.entry.tap}]
        if not found:
            accounts = ", ".join(dict.fromkeys(one.entry.account for one in self.units))
            raise Refused(
                f"there is no account {account}{f' with {tap}' if tap else ''}; there are: {accounts}"
            )
        return found

    def runner(self, stop: Stop, echo: IO[str] | None = None) -> Runner:
        """What runs them."""
        masked = frozenset(variable for unit in self.units for variable in unit.entry.secrets.values())
        return Runner(self.project, stop, masked, echo)


def _plan(suite: Suite, _: argparse.Namespace) -> int:
    environment = suite.project.environment
    shown = [unit.shown(environment) for unit in suite.units]
    print(json.dumps({"environment": environment, "units": shown}, indent=2, default=str))  # noqa: T201
    lacking = [unit for unit in suite.units if unit.blocked_by]
    for unit in lacking:
        _tell_unit(unit, unit.blocked_by)
    return NOTHING_READ if lacking else ALL_READ


def _run(suite: Suite, options: argparse.Namespace) -> int:
    return _run_units(suite, suite.of(options.account, options.tap), jobs=1, echo=sys.stderr)


def _all(suite: Suite, options: argparse.Namespace) -> int:
    return _run_units(suite, suite.units, jobs=options.jobs, retry_after=options.retry_after)


def _run_units(
    suite: Suite,
    chosen: list[Unit],
    *,
    jobs: int,
    echo: IO[str] | None = None,
    retry_after: float | None = None,
) -> int:
    def tell(unit: Unit, outcome: Outcome) -> None:
        _tell_unit(unit, describe(outcome))

    with Stop() as stop:
        runner = suite.runner(stop, echo)
        outcomes = run_all(chosen, runner, jobs, tell, retry_after)
        rows = [(unit, outcomes[unit.name]) for unit in chosen]
        _show(table(rows), sys.stdout)
        _say(f"logs: {runner.folder(chosen[0]).parent}/<tap>_<account>/run.log")
    return 128 + stop.signum if stop.signum else exit_code(outcomes.values())


def _status(suite: Suite, _: argparse.Namespace) -> int:
    runner = suite.runner(Stop())
    rows = [(unit, runner.last(unit)) for unit in suite.units]
    print(table(rows, [unit.name for unit in suite.units if runner.is_running(unit)]))  # noqa: T201
    for unit in suite.units:
        if text := describe_backfill(unit, runner):
            print(f"{unit.entry.title}: {text}")  # noqa: T201
    return exit_code(outcome for _, outcome in rows)


def _backfill(suite: Suite, options: argparse.Namespace) -> int:
    if options.until <= options.since:
        raise Refused("--until must be later than --since")
    count = -((options.since - options.until) // options.every)
    if count > _MOST_WINDOWS:
        raise Refused(
            f"--every: these are {count:,} windows, and at most {_MOST_WINDOWS:,} are read: make it longer"
        )
    spans = list(windows(options.since, options.until, options.every))
    outcomes: list[Outcome] = []
    with Stop() as stop:
        runner = suite.runner(stop, sys.stderr)
        for unit in suite.of(options.account, options.tap):
            said, told = partial(_tell_unit, unit), partial(_tell_window, unit)
            outcomes += backfill(unit, runner, spans, told, said)
    return 128 + stop.signum if stop.signum else exit_code(outcomes)


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        """Tell of a wrong option; argparse's own exit code for it says "partly read" here."""
        self.print_usage(sys.stderr)
        self.exit(NOTHING_READ, f"{self.prog}: {message}\n")


def _tell_window(unit: Unit, window: str, outcome: Outcome) -> None:
    _say(f"{unit.entry.title} {window}: {describe(outcome)}")


def _tell_unit(unit: Unit, text: str) -> None:
    _say(f"{unit.entry.title}: {text}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tap-suite", description="Run Meltano for each account of accounts.yml.")
    parser.add_argument("--file", type=Path, help="another file than accounts.yml in the project's folder")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--file", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        added.set_defaults(command=command)
        return added

    add("plan", _plan, "show what would be run, as JSON; refuse what can't be meant")
    run = add("run", _run, "run an account: all its units, one after the other")
    everything = add("all", _all, "run all accounts, and show what became of each")
    everything.add_argument("--jobs", type=_count, default=os.cpu_count() or 1, help="how many at once")
    everything.add_argument(
        "--retry-after",
        type=_seconds,
        default=_RETRY_AFTER,
        metavar="SECONDS",
        help="when to try those once more whose failure may pass (default: 60)",
    )
    add("status", _status, "show what became of each unit's last run")
    past = add("backfill", _backfill, "read an account's past in windows, the newest first")
    for command in (run, past):
        command.add_argument("account", metavar="ACCOUNT")
        command.add_argument("--tap", help="only this tap of the account")
    past.add_argument("--since", type=moment, required=True, help="the first moment, such as 2024-01-01")
    past.add_argument("--until", type=moment, required=True, help="the moment after the last")
    past.add_argument("--every", type=length, default="30d", help="length of a window (default: 30d)")
    return parser


def _count(text: str) -> int:
    with suppress(ValueError):
        if (number := int(text)) >= 1:
            return number
    raise argparse.ArgumentTypeError("it must be a whole number from 1 on")


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError("it must be a number of seconds from 0 on")


def _say(text: str) -> None:
    _show(f"tap-suite: {text}", sys.stderr)


def _show(text: str, stream: IO[str]) -> None:
    """Print; where nobody listens, or a disk is full, what became of the runs stays what it is."""
    try:
        print(text, file=stream, flush=True)
    except OSError:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())  # Python writes what is left once more at its end
