"""What became of a unit, and how it is kept: a file that can't be read as such counts as none."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Result(str, Enum):
    """What became of a unit."""

    READ = "read"
    PARTLY = "partly read"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Outcome:
    """What became of a unit, and what it came to.

    Args:
        result: What became of it.
        began: When the run began, in UTC, as ISO 8601 has it.
        seconds: How long it took, once it had its key.
        rows: Records that the tap wrote; None if it does not say.
        why: What failed, in a line.
        may_pass: Whether trying again may help.
        whole_since: When the last run began that read all; None if there was none.
        log_fault: Why its log could not be written, or not to its end, in a line.
    """

    result: Result
    began: str
    seconds: float
    rows: int | None = None
    why: str = ""
    may_pass: bool = False
    whole_since: str | None = None
    log_fault: str = ""


_KINDS: dict[str, type | tuple[type, ...]] = {
    "began": str,
    "seconds": (int, float),
    "rows": (int, NoneType),
    "why": str,
    "whole_since": (str, NoneType),
}
"""What is shown of an outcome."""


def read_outcome(path: Path) -> Outcome | None:
    """What became of a unit; None if nothing is kept of it."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        outcome = Outcome(**{**kept, "result": Result(kept["result"])})
        is_aware = outcome.whole_since is None or datetime.fromisoformat(outcome.whole_since).tzinfo
    except (OSError, ValueError, TypeError, KeyError):
        return None
    is_sound = all(isinstance(getattr(outcome, name), kind) for name, kind in _KINDS.items())
    return outcome if is_sound and is_aware else None


def write_json(path: Path, content: object) -> None:
    """Write a file, all or nothing.

    Raises:
        OSError: It can't be written; it names the file.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:  # that of a full disk names none
        raise OSError(error.errno, error.strerror, str(path)) from error


def kept_with(path: Path, content: object, outcome: Outcome) -> Outcome:
    """Write a file that belongs to an outcome, which is a failure if that can't be done."""
    try:
        write_json(path, content)
    except OSError as error:
        why = "; ".join(filter(None, [outcome.why, fault(error)]))
        return replace(outcome, result=Result.FAILED, why=why)
    return outcome


def fault(error: OSError) -> str:
    """What can't be done, in a line: the file, and the reason."""
    return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
