"""Copies Meltano's log: it is read to its end whatever becomes of the places that it is copied to.

A pipe that nobody reads would stop Meltano, and the run would hold its key for ever.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO, TYPE_CHECKING

from tap_suite.outcome import fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tap_suite.meltano_log import LogReader


class LogCopy:
    """A log file, and a stream for people to follow; one that fails is written to no more.

    Args:
        path: The log file.
        echo: The stream; None for none.
        name: What lines in the stream begin with.
    """

    def __init__(self, path: Path, echo: IO[str] | None, name: str) -> None:
        self.fault = ""
        """Why the log file could not be written, in a line."""
        self._path = path
        self._echo = echo
        self._name = name

    def drain(self, lines: Iterable[str], reader: LogReader) -> None:
        """Read Meltano's log to its end."""
        log = self._opened()
        for line in lines:
            shown = reader.take(line)
            if log and not self._written(log, shown):
                log = None
            self._show(shown)
        if log:
            log.close()

    def _opened(self) -> IO[str] | None:
        try:
            return self._path.open("w", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            self.fault = fault(error)
            return None

    def _written(self, log: IO[str], line: str) -> bool:
        try:
            log.write(f"{line}\n")
            log.flush()
        except OSError as error:
            self.fault = f"{self._path}: {error.strerror}"
            with suppress(OSError):  # it tries to write once more
                log.close()
            return False
        return True

    def _show(self, line: str) -> None:
        if not self._echo:
            return
        try:
            self._echo.write(f"{self._name} | {line}\n")
        except (OSError, ValueError):  # nobody listens any more, or it can't be encoded, or it is closed
            self._echo = None
