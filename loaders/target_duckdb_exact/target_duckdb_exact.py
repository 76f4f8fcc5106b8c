"""target-duckdb, with the format of its temporary files told to DuckDB instead of guessed.

target-duckdb 0.8 writes each batch into a CSV file and lets DuckDB guess that file's format. Seen with every
DuckDB tried, from 1.1 to 2.0:

- a table of text columns only, or a first row that holds an object and a timestamp with an offset: the first
  row is taken for a header and silently lost, once per batch;
- no quote in the first 20,480 rows, but one later: the load fails;
- a table of key columns only: the load fails, as there is nothing to update;
- an empty string becomes NULL;
- a plain value in a column of JSON (an object in one row, a text or a flag in another): the load fails.

And with DuckDB 1.5 and later a timestamp's offset is cut off, so that another instant is stored. Here it is
converted to UTC, as it was with older ones.

Everything else (tables, columns, merging by key, state) is target-duckdb's own.
"""

from __future__ import annotations

import json
import signal
import sys
import uuid
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import target_duckdb
from target_duckdb.db_sync import DbSync, column_type, flatten_record, safe_column_name

if TYPE_CHECKING:
    from collections.abc import Iterable

COPY_OPTIONS = (
    "FORMAT csv, AUTO_DETECT false, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NEW_LINE '\\n', "
    # A value without quotes is NULL, one with quotes never is.
    "NULLSTR '', ALLOW_QUOTED_NULLS false, "
    # A record may hold whole pages of HTML; DuckDB's own limit is 2 MB a line.
    "MAX_LINE_SIZE 67108864"
)


class ExactDbSync(DbSync):  # type: ignore[misc] # target-duckdb is not typed
    """Loads a batch of records through a CSV file whose every value is in quotes, except NULL."""

    def __init__(self, connection: Any, config: dict[str, Any], schema_message: Any = None) -> None:
        """As the base; the schema may be named after a plugin, whose hyphens are no part of a plain name."""
        schema = (config.get("default_target_schema") or "").replace("-", "_")
        super().__init__(connection, {**config, "default_target_schema": schema}, schema_message)

    def load_rows(self, records: Iterable[dict[str, Any]], count: int, temp_dir: str) -> None:
        """Write the records into a temporary table, and merge that into the stream's table."""
        stream: str = self.stream_schema_message["stream"]
        self.logger.info("Loading %d rows into %s", count, self.table_name(stream))
        temp_table = f"tmp_{uuid.uuid4().hex}"
        path = Path(temp_dir, f"{temp_table}.csv")
        merge = [self.insert_from_temp_table(temp_table)]
        if self.stream_schema_message["key_properties"]:
            merge.insert(0, self.update_from_temp_table(temp_table))

        # Naive timestamps are left as they are, those with an offset are converted.
        self.conn.execute("SET TimeZone = 'UTC'")
        self.conn.execute(self.create_temp_table_query(temp_table))
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(self.line(record) for record in records)
            self.conn.execute(f"COPY {temp_table} FROM '{path}' ({COPY_OPTIONS})")
            for query in merge:
                if query:  # none to update a table of key columns only
                    self.conn.execute(query)
        finally:
            self.conn.execute(f"DROP TABLE {temp_table}")
            path.unlink(missing_ok=True)

    def create_temp_table_query(self, name: str) -> str:
        """Return the query that creates the temporary table, which reads timestamps with their offset."""
        types = {column: column_type(schema) for column, schema in self.flatten_schema.items()}
        columns = ", ".join(
            f"{safe_column_name(column)} {'timestamp with time zone' if kind == 'timestamp' else kind}"
            for column, kind in types.items()
        )
        return f"CREATE TEMPORARY TABLE {name} ({columns})"

    def line(self, record: dict[str, Any]) -> str:
        """Return the record as one line of CSV, its columns in the table's order."""
        values = flatten_record(record, self.flatten_schema, max_level=self.data_flattening_max_level)
        for name in self.json_columns:
            if isinstance(record.get(name), (str, bool, int, float)):
                values[name] = json.dumps(record[name])  # objects and arrays are JSON by now
        return ",".join(quoted(values.get(name)) for name in self.flatten_schema) + "\n"

    @cached_property
    def json_columns(self) -> list[str]:
        """Return the columns that hold JSON."""
        return [name for name, schema in self.flatten_schema.items() if column_type(schema) == "json"]


def quoted(value: object) -> str:
    """Return the value as a CSV field: in quotes, or nothing at all for NULL."""
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


def main() -> None:
    """Run target-duckdb with the loading above.

    Ctrl-C reaches the tap and the target alike: the tap ends, and the target loads what it was sent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    target_duckdb.DbSync = ExactDbSync
    try:
        target_duckdb.main()
    except duckdb.IOException as error:  # another program has the file open, or there is no such folder
        sys.exit(f"filepath: {str(error).splitlines()[0]}")
