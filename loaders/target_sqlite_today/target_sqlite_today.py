"""Runs target-sqlite 0.2, whose code asks `collections` for a name that Python 3.10 took out of it."""

from __future__ import annotations

import collections
import collections.abc


def main() -> None:
    """The target's own command."""
    collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]
    from target_sqlite import main as target  # noqa: PLC0415  not before the name is there

    target()
