"""Reads an account's past in windows, the newest first; an interrupted backfill goes on where it was."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_suite.accounts import Refused
from tap_suite.plan import WINDOW
from tap_suite.run import Job, Result, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_suite.plan import Unit
    from tap_suite.run import Outcome, Runner

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def moment(text: str) -> datetime:
    """A date or a time in ISO 8601, in UTC; it is meant so if it names no zone.

    Raises:
        ValueError: It is none, or lies before the first year, or behind the last one, in UTC.
    """
    found = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
    try:
        return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)
    except OverflowError:
        raise ValueError(text) from None


def length(text: str) -> timedelta:
    """A length of time such as `30d`, in hours, days or weeks.

    Raises:
        ValueError: It is none.
    """
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text)
    if not found:
        raise ValueError(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def windows(since: datetime, until: datetime, every: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """The windows, the newest first: each has its beginning and not its end."""
    while until > since:
        start = until - every if until - since > every else since
        yield start, until
        until = start


def backfill(
    unit: Unit,
    runner: Runner,
    spans: list[tuple[datetime, datetime]],
    tell: Callable[[str, Outcome], None],
) -> list[Outcome]:
    """Read windows of a unit, each with a state of its own; its key is free between two of them.

    Windows that an earlier call has read are passed over, until all of them are; one that it began goes on.

    Args:
        unit: What is read.
        runner: Runs Meltano.
        spans: The windows.
        tell: Is told of each that ended.

    Returns:
        What became of those that were read now; a failure ends it.

    Raises:
        Refused: The tap knows no windows.
    """
    if len(unit.window) < len(WINDOW):
        raise Refused(f"{unit.entry.title}: {unit.entry.tap} has no settings {' and '.join(WINDOW)}")
    path = _path(runner, unit)
    progress, outcomes = _progress(path), []
    progress["windows"] = len(spans)
    for span in spans:
        name = "_".join(map(_stamp, span))
        if name in progress["done"]:
            continue
        if runner.stop.signum:
            break
        write_json(path, progress)
        suffix = f"{unit.entry.account}.backfill.{progress['began']}.{name}"
        bounds = dict(zip(unit.window, (edge.isoformat() for edge in span), strict=True))
        outcome = runner.perform(Job(unit, suffix, bounds, log="backfill.log"))
        outcomes.append(outcome)
        tell(name, outcome)
        if outcome.result is Result.READ:
            progress["done"].append(name)
            write_json(path, progress)
        elif outcome.result is not Result.PARTLY:
            break
    else:
        if all(outcome.result is Result.READ for outcome in outcomes):
            path.unlink(missing_ok=True)
    return outcomes


def describe_backfill(unit: Unit, runner: Runner) -> str:
    """How far a unit's unfinished backfill has come, in words; empty if there is none."""
    progress = _progress(_path(runner, unit))
    if "windows" not in progress:
        return ""
    read, oldest = len(progress["done"]), min(progress["done"], default="").partition("_")[0]
    back_to = f", back to {oldest}" if oldest else ""
    return f"backfill: {read} of {progress['windows']} windows were read{back_to}"


def _path(runner: Runner, unit: Unit) -> Path:
    return runner.folder(unit) / "backfill.json"


def _progress(path: Path) -> dict[str, Any]:
    """What a backfill has read; its name is part of its states', so that a later one begins anew."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # To the microsecond: the next one may begin within the same second.
        return {"began": f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S.%fZ}", "done": []}
    return kept


def _stamp(moment: datetime) -> str:
    return f"{re.sub('[-:]', '', moment.replace(tzinfo=None).isoformat(timespec='seconds'))}Z"
