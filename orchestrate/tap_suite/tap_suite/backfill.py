"""Reads an account's past in windows, the newest first; an interrupted backfill goes on where it was."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_suite.accounts import Refused
from tap_suite.outcome import Outcome, Result, fault, kept_with, write_json
from tap_suite.plan import WINDOW
from tap_suite.run import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_suite.plan import Unit
    from tap_suite.run import Runner

    Span = tuple[datetime, datetime]

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


def windows(since: datetime, until: datetime, every: timedelta) -> Iterator[Span]:
    """The windows, the newest first: each has its beginning and not its end."""
    while until > since:
        start = until - every if until - since > every else since
        yield start, until
        until = start


def backfill(
    unit: Unit,
    runner: Runner,
    spans: list[Span],
    tell: Callable[[str, Outcome], None],
    say: Callable[[str], None],
) -> list[Outcome]:
    """Read windows of a unit, each with a state of its own; its key is free between two of them.

    Windows that an earlier call has read are passed over, until all of them are; one that it began goes on.
    A call for other windows, or of a unit that is another since, begins anew.

    Args:
        unit: What is read.
        runner: Runs Meltano.
        spans: The windows.
        tell: Is told of each that ended.
        say: Is told if an unfinished backfill is given up.

    Returns:
        What became of those that were read now; a failure ends it.

    Raises:
        Refused: The tap knows no windows.
    """
    if len(unit.window) < len(WINDOW):
        raise Refused(f"{unit.entry.title}: {unit.entry.tap} has no settings {' and '.join(WINDOW)}")
    path = _path(runner, unit)
    progress, outcomes = _begun(path, _of(unit, runner, spans), len(spans), say), []
    for span in spans:
        name = "_".join(map(_stamp, span))
        if name in progress["done"]:
            continue
        if runner.stop.signum:
            break
        outcome = _read(unit, runner, span, name, progress)
        outcomes.append(outcome)
        tell(name, outcome)
        if outcome.result not in {Result.READ, Result.PARTLY}:
            break
    else:
        if all(outcome.result is Result.READ for outcome in outcomes):
            with suppress(OSError):  # one that is complete is none to go on with
                path.unlink()
    return outcomes


def describe_backfill(unit: Unit, runner: Runner) -> str:
    """How far a unit's unfinished backfill has come, in words; empty if there is none."""
    progress = _kept(_path(runner, unit))
    if not progress:
        return ""
    read, oldest = len(progress["done"]), min(progress["done"], default="").partition("_")[0]
    back_to = f", back to {oldest}" if oldest else ""
    return f"backfill: {read} of {progress['windows']} windows were read{back_to}"


def _read(unit: Unit, runner: Runner, span: Span, name: str, progress: dict[str, Any]) -> Outcome:
    """Read a window, and note that it was."""
    path = _path(runner, unit)
    suffix = f"{unit.entry.account}.backfill.{progress['began']}.{name}"
    bounds = dict(zip(unit.window, (edge.isoformat() for edge in span), strict=True))
    try:
        write_json(path, progress)
    except OSError as error:
        return Outcome(Result.FAILED, "", 0, why=fault(error))
    outcome = runner.perform(Job(unit, suffix, bounds, log="backfill.log"))
    if outcome.result is Result.READ:
        progress["done"].append(name)
        return kept_with(path, progress, outcome)
    return outcome


def _path(runner: Runner, unit: Unit) -> Path:
    return runner.folder(unit) / "backfill.json"


def _of(unit: Unit, runner: Runner, spans: list[Span]) -> dict[str, str]:
    """What is read: a window that was read for something else is not done. A new key makes nothing else."""
    shown = unit.shown(runner.environment)
    shown["config"] = dict(sorted(shown["config"].items()))
    matters = [shown[name] for name in ("state_id", "schema", "config", "select")]
    newest = spans[0]
    return {
        "since": spans[-1][0].isoformat(),
        "until": newest[1].isoformat(),
        "every": str(newest[1] - newest[0]),
        "unit": hashlib.sha256(json.dumps(matters, default=str).encode()).hexdigest(),
    }


def _begun(path: Path, of: dict[str, str], windows: int, say: Callable[[str], None]) -> dict[str, Any]:
    """What a backfill has read; its name is part of its states', so that a later one begins anew."""
    kept = _kept(path)
    if kept and len(kept["done"]) < kept["windows"]:
        if kept.get("of") == of:
            return kept
        say("the unfinished backfill had other windows, or the account was another: it begins anew")
    # To the microsecond: the next one may begin within the same second.
    began = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S.%fZ}"
    return {"began": began, "of": of, "windows": windows, "done": []}


def _kept(path: Path) -> dict[str, Any] | None:
    """What is kept of an unfinished backfill; None if nothing is that can be read as such."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        kinds = {"began": str, "windows": int, "done": list}
        is_sound = all(isinstance(kept[name], kind) for name, kind in kinds.items())
        is_sound = is_sound and all(isinstance(name, str) for name in kept["done"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return kept if is_sound else None


def _stamp(moment: datetime) -> str:
    return f"{re.sub('[-:]', '', moment.replace(tzinfo=None).isoformat(timespec='seconds'))}Z"
