"""A lock file per key: units that share one never run at once, whoever starts them on this machine."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_suite.stop import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_suite.stop import Stop

_TICK = 0.1


@contextmanager
def key_lock(folder: Path, key: str, stop: Stop) -> Iterator[int]:
    """Wait for a key, and hold it; yields the open file, for a process that is to hold it too.

    The system lets go of it when the last process that holds it is gone, however it ended. Who waits for the
    key has the turn, a second lock: so who lets go of a key and wants it again comes after those who wait.

    Args:
        folder: Where the lock files are.
        key: A hash of the key, which the files are called by.
        stop: Ends the wait.

    Raises:
        Stopped: It was ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    turn = _taken(folder / f"{key}.turn", stop)
    try:
        lock = _taken(folder / f"{key}.lock", stop)
    finally:
        os.close(turn)
    try:
        yield lock
    finally:
        os.close(lock)


def is_held(folder: Path, key: str) -> bool:
    """Whether somebody holds a key."""
    path = folder / f"{key}.lock"
    if not path.exists():
        return False
    with path.open("ab") as file:
        return not _take(file.fileno())


def _taken(path: Path, stop: Stop) -> int:
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    while not _take(file):
        if stop.wait(_TICK):
            os.close(file)
            raise Stopped
    return file


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
