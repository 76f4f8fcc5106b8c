"""The file: held by one writer at a time, and only while it writes."""

from __future__ import annotations

import logging
import random
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.ledger import SCHEMA as LEDGER
from target_duckdb_exact.names import quoted
from target_duckdb_exact.queries import first_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger("target-duckdb-exact")

_HOLDER = re.compile(r"Conflicting lock is held in (.+?) ?\(PID (\d+)\)")
_PAUSE = 0.02
"""Seconds before the file is tried again, at first; twice as long each time, up to a second."""
_NEWER = re.compile(r"newer version|more recent|version number \d+, but we can only read", re.IGNORECASE)
_DATABASES = {"system", "temp"}
"""Of DuckDB's own."""

_UNTOLD = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.ConstraintException)
"""DuckDB's errors that quote values of the rows."""


class Database:
    """A DuckDB file that is opened for each batch."""

    def __init__(self, path: Path, lock_timeout: float) -> None:
        """Know the file.

        Args:
            path: It is made if it is not there; its folder is not.
            lock_timeout: Seconds to wait for another process that has the file open.
        """
        self._path = path
        self._timeout = lock_timeout

    def check(self, schema: str) -> None:
        """Find out whether the file can be had and take the schema, before a tap reads for an hour.

        Raises:
            LoadError: It can't.
        """
        with self.transaction() as connection:
            query = (
                "SELECT path, database_name FROM duckdb_databases() WHERE database_name = current_database()"
            )
            path, name = first_row(connection, query) or (None, "")
            taken = connection.execute(
                "SELECT schema_name FROM duckdb_schemas() "
                "WHERE database_name = 'system' AND schema_name <> 'main'"
            ).fetchall()
        if path is None:
            raise LoadError(
                f"filepath: {self._path} is a database in memory, where nothing stays: name a file"
            )
        if schema.lower() in {LEDGER, *(name for (name,) in taken)}:
            raise LoadError(f"default_target_schema: {schema} is kept for DuckDB or the loader: name another")
        if schema.lower() in {name.lower(), *_DATABASES}:
            logger.warning(
                "The schema %s is called as a database, such as the file: SQL finds its tables as "
                "%s.%s.<table> only",
                *(schema, quoted(name), quoted(schema)),
            )

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Wait for the file, open it, and commit what is done with it, all or nothing.

        Raises:
            LoadError: The file can't be had, or can't be written.
        """
        connection = self._open()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except duckdb.Error as error:
            raise LoadError(self._told(error)) from None
        finally:
            self._close(connection)

    def _open(self) -> duckdb.DuckDBPyConnection:
        if not self._path.parent.is_dir():
            raise LoadError(f"filepath: there is no folder {self._path.parent}; make it first")
        end, pause, holder = time.monotonic() + self._timeout, _PAUSE, ""
        while True:
            try:
                return duckdb.connect(str(self._path), config={"autoinstall_known_extensions": "false"})
            except duckdb.Error as error:
                if "Could not set lock" not in str(error):
                    raise LoadError(self._told(error)) from None
                found = _HOLDER.search(str(error))
                now = f"{found[1]} (process {found[2]})" if found else "another process"
            if now != holder:
                holder = now
                logger.info("%s is open in %s: waiting for it", self._path.name, holder)
            if time.monotonic() > end:
                raise LoadError(
                    f"filepath: {self._path} is open in {holder}, and still was after {self._timeout:g} "
                    "seconds: close it there, or raise lock_timeout"
                )
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that two don't meet again
            pause = min(pause * 2, 1)

    def _close(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let go of the file; what was not committed is not in it."""
        try:
            connection.close()
        except (
            duckdb.Error
        ) as error:  # its log can't be merged into it: the next who opens the file does that
            logger.warning("%s", self._told(error))

    def _told(self, error: duckdb.Error) -> str:
        """An error in one line without what the rows hold."""
        text = str(error).splitlines()[0]
        if isinstance(error, _UNTOLD):
            return f"filepath: {self._path}: a value can't be stored ({type(error).__name__})"
        if _NEWER.search(text):
            ours = duckdb.__version__
            return f"filepath: {self._path} is of a newer DuckDB than {ours}, which this loader has ({text})"
        return f"filepath: {self._path}: {text}"
