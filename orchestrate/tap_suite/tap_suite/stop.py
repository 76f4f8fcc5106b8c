"""SIGINT, SIGTERM and SIGHUP: what runs is asked to end, and what waits ends."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from typing_extensions import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK = 0.1


class Stopped(Exception):
    """The command is to end, while it waits."""


class Stop:
    """Whether the command was asked to end: `with Stop() as stop: ...` in the main thread."""

    def __init__(self) -> None:
        self.signum = 0
        self.at_once = False
        """Whether it was asked a second time."""

    def __enter__(self) -> Self:
        """Take the signals."""
        self._before = {number: signal.signal(number, self._noted) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until the command is to end; whether it is."""
        end = time.monotonic() + seconds
        while not self.signum and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _TICK))
        return bool(self.signum)

    def _noted(self, signum: int, frame: FrameType | None) -> None:
        self.at_once, self.signum = bool(self.signum), signum
