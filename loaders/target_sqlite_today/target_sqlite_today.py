"""Runs target-sqlite 0.2, whose code asks `collections` for a name that Python 3.10 took out of it."""

from __future__ import annotations

import collections
import collections.abc
import os


def main() -> None:
    """The target's own command, without SQLAlchemy's advice to the target's author."""
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]
    from target_sqlite import main as target  # noqa: PLC0415  not before the name is there

    target()
