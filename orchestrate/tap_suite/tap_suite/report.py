"""What became of the units, as a table and as an exit code."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tap_suite.outcome import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_suite.outcome import Outcome
    from tap_suite.plan import Unit

ALL_READ, NOTHING_READ, PARTLY_READ = 0, 1, 2
"""The exit codes; 128 and a signal's number is one too."""

_HEAD = ("account", "tap", "result", "rows", "took", "age of data", "why")
_NUMBERS = {"rows", "took", "age of data"}
_LONGEST = 160
"""Characters of a reason."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def exit_code(outcomes: Iterable[Outcome | None]) -> int:
    """0 if all was read, 1 if nothing was, 2 if some was."""
    results = [outcome and outcome.result for outcome in outcomes]
    if all(result is Result.READ for result in results):
        return ALL_READ
    return PARTLY_READ if any(result in {Result.READ, Result.PARTLY} for result in results) else NOTHING_READ


def table(rows: Sequence[tuple[Unit, Outcome | None]], running: Iterable[str] = ()) -> str:
    """A line for each unit.

    Args:
        rows: The units, and what became of each; None for those that have not run.
        running: Names of those that run now.
    """
    busy = set(running)
    cells = [_HEAD, *(_cells(unit, outcome, busy) for unit, outcome in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
            for name, cell, width in zip(_HEAD, line, widths, strict=True)
        ).rstrip()
        for line in cells
    )


def describe(outcome: Outcome) -> str:
    """What became of a unit, in words."""
    rows = "" if outcome.rows is None else f", {outcome.rows:,} rows"
    why = f": {outcome.why}" if outcome.why else ""
    log = f"; its log could not be written: {outcome.log_fault}" if outcome.log_fault else ""
    return f"{outcome.result.value}{rows} in {duration(outcome.seconds)}{why}{log}"


def duration(seconds: float) -> str:
    """A length of time, in its two largest units."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:.0f} h"


def _cells(unit: Unit, outcome: Outcome | None, busy: set[str]) -> tuple[str, ...]:
    named = (unit.entry.account, unit.entry.tap)
    if outcome is None:
        return (*named, "running" if unit.name in busy else "never run", "", "", "", "")
    why = outcome.why if len(outcome.why) <= _LONGEST else f"{outcome.why[: _LONGEST - 1]}…"
    return (
        *named,
        "running" if unit.name in busy else outcome.result.value,
        "" if outcome.rows is None else f"{outcome.rows:,}",
        duration(outcome.seconds),
        _age(outcome.whole_since),
        why,
    )


def _age(since: str | None) -> str:
    """How long ago the last run began that read all; none at all if a clock was ahead."""
    if not since:
        return "unknown"
    age = datetime.now(timezone.utc) - datetime.fromisoformat(since)
    return duration(max(age.total_seconds(), 0))
