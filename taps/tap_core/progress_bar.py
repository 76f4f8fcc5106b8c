"""A live line per running stream on a terminal, where the package `rich` is installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.progress import TaskID

    from tap_core.reading import Reading


class ProgressBars:
    """Draws on stderr how far each stream is: rows, rows/s, requests, and the share and time left of a total.

    Nothing is drawn where a person does not watch: stderr is no terminal, or stdout, which the records go
    to, is one.

    Raises:
        ImportError: `rich` is not installed (`pip install .[progress]`).
    """

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415  only where it is shown
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:,.0f} rows"),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[requests]:,} requests"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()

    @staticmethod
    def wanted() -> bool:
        """Whether somebody watches."""
        return sys.stderr.isatty() and not sys.stdout.isatty()

    def show(self, readings: Iterable[Reading]) -> None:
        """Bring the lines up to date; drawing is limited to some times a second."""
        for reading in readings:
            rows, requests = reading.rows, reading.traffic.requests
            if not requests:
                continue
            if reading.name not in self._tasks:
                self._tasks[reading.name] = self._progress.add_task(reading.name, speed="", requests=0)
            task = self._tasks[reading.name]
            speed = self._progress.tasks[task].speed
            text = f"{speed:,.0f} rows/s" if speed else ""
            total = rows if reading.done else reading.total
            self._progress.update(task, completed=rows, total=total, speed=text, requests=requests)

    def close(self) -> None:
        """Take the lines away; the summary follows."""
        self._progress.stop()
