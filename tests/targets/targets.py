"""The loaders under test: how each is run, and how what it wrote is read back."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

    from targets.postgres import Server

Row = dict[str, Any]
Process = subprocess.CompletedProcess[str]


class Target:
    """A loader with a place to write to."""

    name: str
    metadata = ("_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at", "_sdc_deleted_at")
    metadata += ("_sdc_sequence", "_sdc_table_version", "_sdc_sync_started_at")
    """Columns that a loader adds."""
    appends = False
    """Whether a second run adds its rows to those that are there."""

    def __init__(self, command: list[str | Path], folder: Path) -> None:
        self.command = command
        self.folder = folder
        self.more: dict[str, Any] = {}

    def settings(self) -> dict[str, Any]:
        """The loader's settings."""
        raise NotImplementedError

    def read(self, stream: str) -> list[Row]:
        """The rows of a stream, as they are now."""
        raise NotImplementedError

    def load(self, text: str) -> Process:
        """Feed it a tap's output."""
        return subprocess.run(
            [*self.command, "--config", self.config()],
            input=text,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )

    def config(self) -> Path:
        """The file with its settings."""
        path = self.folder / "config.json"
        path.write_text(json.dumps({**self.settings(), **self.more}))
        return path

    def rows(self, stream: str) -> list[Row]:
        """The rows of a stream, without what the loader adds."""
        return [{name: row[name] for name in row if name not in self.metadata} for row in self.read(stream)]

    def column(self, name: str) -> str:
        """What it makes of a field's name."""
        return name

    def kept(self, value: Any, schema: Row) -> Any:
        """What it makes of a value of the tap's whose field has this schema."""
        return value


class Postgres(Target):
    """target-postgres: numbers of any size, objects and lists as JSON, times in UTC without saying so."""

    name = "target-postgres"

    def __init__(self, command: list[str | Path], folder: Path, server: Server) -> None:
        super().__init__(command, folder)
        self.server = server
        self.schema = folder.name.replace("-", "_")

    def settings(self) -> Row:
        return {"sqlalchemy_url": self.server.url, "default_target_schema": self.schema}

    def read(self, stream: str) -> list[Row]:
        types = self.server.types(f"{self.schema}.{stream}")
        times = {name for name, kind in types.items() if kind.startswith("timestamp")}
        rows = self.server.rows(f"{self.schema}.{stream}")
        return [{name: moment(v) if name in times and v else v for name, v in row.items()} for row in rows]

    def kept(self, value: Any, schema: Row) -> Any:
        if isinstance(value, str) and schema.get("format") == "date-time":
            return in_utc(value)
        return as_text(value, schema)


class DuckDB(Target):
    """target-duckdb of this project: exact numbers, instants, JSON as it was sent."""

    name = "target-duckdb"

    def settings(self) -> Row:
        return {"filepath": str(self.folder / "warehouse.duckdb"), "default_target_schema": "tap"}

    def read(self, stream: str) -> list[Row]:
        try:
            return self.select(f"tap.{stream}")
        except duckdb.CatalogException:  # nothing was loaded, not even the table
            return []

    def select(self, source: str) -> list[Row]:
        """The rows of a table or of a file."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            found = connection.execute(f"SELECT * FROM {source}")
            names = [(column[0], str(column[1]) == "JSON") for column in found.description]
            return [
                {
                    name: json.loads(value, parse_float=Decimal) if is_json and value is not None else value
                    for (name, is_json), value in zip(names, row, strict=True)
                }
                for row in found.fetchall()
            ]

    def copy(self, stream: str, path: Path) -> None:
        """Write a table into a Parquet file."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute(f"COPY tap.{stream} TO '{path}' (FORMAT parquet)")

    def kept(self, value: Any, schema: Row) -> Any:
        if isinstance(value, str) and schema.get("format") == "date-time":
            return moment(value if TIME.fullmatch(value)[3] else f"{value}Z").astimezone(timezone.utc)
        if isinstance(value, str) and schema.get("format") == "date":
            return date.fromisoformat(value)
        if schema.get("x-format") == "local-date-time" and isinstance(value, str):
            return moment(value)
        return as_text(value, schema)


class JsonLines(Target):
    """target-jsonl: what the tap wrote, one file a stream."""

    name = "target-jsonl"
    appends = True

    def settings(self) -> Row:
        return {"destination_path": str(self.folder), "do_timestamp_file": False}

    def read(self, stream: str) -> list[Row]:
        with (self.folder / f"{stream}.jsonl").open() as lines:
            return [json.loads(line, parse_float=Decimal) for line in lines]


class Csv(Target):
    """target-csv: everything as text; objects and lists, dates and truth values as Python writes them."""

    name = "target-csv"

    def settings(self) -> Row:
        return {"output_path": str(self.folder)}

    def read(self, stream: str) -> list[Row]:
        with (self.folder / f"{stream}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def kept(self, value: Any, schema: Row) -> Any:
        if isinstance(value, str) and schema.get("format") == "date-time":
            return str(moment(value))
        return "" if value is None else str(value)


TIME = re.compile(r"(\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?")


def moment(text: str) -> datetime:
    """A time, to the microsecond."""
    seconds, fraction, zone = TIME.fullmatch(text).groups("")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}{zone.replace('Z', '+00:00')}")


def in_utc(text: str) -> datetime:
    """A time as databases keep it that keep no offset: in UTC."""
    return moment(text).astimezone(timezone.utc).replace(tzinfo=None)


def as_text(value: Any, schema: Row) -> Any:
    """A number as text where the field may hold texts too; other values as they are."""
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if number and "string" in schema["type"] else value


def rounded(value: Any) -> Any:
    """A value with the numbers in it as floating-point numbers of 64 bits."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
