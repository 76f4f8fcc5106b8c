"""A warehouse to load into, in this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb

from target_duckdb_exact.target import TargetDuckDB

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "-m", "target_duckdb_exact")
ID = {"id": {"type": "integer"}}


def schema(properties, keys=("id",), stream="t"):
    """A SCHEMA message."""
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(keys),
    }


def record(values, stream="t", version=None, at=None):
    """A RECORD message."""
    message = {"type": "RECORD", "stream": stream, "record": values}
    if version is not None:
        message["version"] = version
    if at is not None:
        message["time_extracted"] = at
    return message


def records(rows, stream="t", version=None, at=None):
    return [record(row, stream, version, at) for row in rows]


def activate(version, stream="t"):
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def state(value):
    return {"type": "STATE", "value": value}


def text(messages):
    """Messages as a tap writes them; those that are texts are lines already."""
    return "".join((m if isinstance(m, str) else json.dumps(m)) + "\n" for m in messages)


class Warehouse:
    """A file, and the loader that fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "warehouse.duckdb"

    def config(self, **settings):
        return {"filepath": str(self.path), "default_target_schema": "s", "lock_timeout": 20, **settings}

    def load(self, *messages, **settings):
        """Load messages in this process; the result is every STATE that was written."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            TargetDuckDB(config=self.config(**settings)).listen(io.StringIO(text(messages)))
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def load_rows(self, properties, rows, keys=("id",), **settings):
        """Load rows of the stream `t`."""
        return self.load(schema(properties, keys), *records(rows), **settings)

    def start(self, **settings):
        """Start the loader in a process of its own, with pipes."""
        config = self.folder / f"config{len(list(self.folder.iterdir()))}.json"
        config.write_text(json.dumps(self.config(**settings)))
        return subprocess.Popen(
            [*COMMAND, "--config", str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ),
            text=True,
        )

    def run(self, *messages, **settings):
        """Load messages in a process of its own; the result is its exit code, its output and its log."""
        with self.start(**settings) as process:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(text(messages))
            out, log = process.communicate(timeout=120)
        return process.returncode, out, log

    def ask(self, query, *values):
        """What a query gives."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query, list(values)).fetchall()

    def types(self, table="t"):
        """The columns of a table with their types, the loader's own left out."""
        found = self.ask(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 's' AND table_name = ? "
            "ORDER BY column_index",
            table,
        )
        return {name: kind for name, kind in found if not name.startswith("_sdc_")}

    def tables(self):
        found = self.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name = 's' ORDER BY 1")
        return [name for (name,) in found]
