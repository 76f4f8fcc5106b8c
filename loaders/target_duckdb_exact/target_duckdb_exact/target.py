"""The target: its settings, and what becomes of each message."""

from __future__ import annotations

import signal
import sys
import threading
import time
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from singer_sdk import typing as th
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.singerlib.json import serialize_json
from singer_sdk.target_base import Target
from typing_extensions import override

from target_duckdb_exact.arrow import arrow_batches, is_arrow, remove
from target_duckdb_exact.batches import batch_lines
from target_duckdb_exact.buffer import Buffer
from target_duckdb_exact.command import LoadCommand
from target_duckdb_exact.decoder import Lines, Place, Version
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.fields import schema_of
from target_duckdb_exact.files import manifest, short_name
from target_duckdb_exact.loading import Loading
from target_duckdb_exact.names import SNAKE_CASE
from target_duckdb_exact.reader import BlockReader

if TYPE_CHECKING:
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_duckdb_exact.decoder import Columns

BATCH_SIZE = 100_000
MOST_BYTES = 1 << 27
"""Bytes of messages that are held at most, however few rows they are."""
LOCK_TIMEOUT = 300
MOST_SECONDS = 300
"""Seconds that rows wait at most, so that STATE moves on where a tap is slow."""


class TargetDuckDB(Target):
    """A DuckDB file: exact types, deletes and history, loaded in columns."""

    name = "target-duckdb-exact"
    message_reader_class = BlockReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.BATCH,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.HARD_DELETE,
        TargetCapabilities.SOFT_DELETE,
        TargetCapabilities.TARGET_SCHEMA,
    ]
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "filepath",
            th.StringType(min_length=1),
            required=True,
            nullable=False,
            title="File path",
            description="The database file; its folder must exist.",
        ),
        th.Property(
            "default_target_schema",
            th.StringType,
            default="main",
            title="Target schema",
            description="Schema that the tables are in; hyphens in it become underscores.",
        ),
        th.Property(
            "batch_size_rows",
            th.IntegerType(minimum=1),
            default=BATCH_SIZE,
            title="Batch size",
            description="Rows of all streams together that are collected before they are loaded.",
        ),
        th.Property(
            "naming",
            th.StringType(allowed_values=["as_sent", SNAKE_CASE]),
            default="as_sent",
            title="Naming",
            description="Names of tables and columns: as they are sent, or absentHost as absent_host.",
        ),
        th.Property(
            "hard_delete",
            th.BooleanType,
            default=False,
            title="Hard delete",
            description="Remove rows that are gone from the source; else they are marked in _sdc_deleted_at.",
        ),
        th.Property(
            "history",
            th.ArrayType(th.StringType),
            default=[],
            title="History",
            description="Streams whose rows' earlier versions are kept, each in a table <stream>_history.",
        ),
        th.Property(
            "lock_timeout",
            th.NumberType(minimum=0),
            default=LOCK_TIMEOUT,
            title="Lock timeout",
            description="Seconds to wait for another program that has the file open.",
        ),
    ).to_dict()

    def __init__(self, **kwargs: Any) -> None:
        # After the command's `freeze`: DuckDB complains of what is not collected at the end.
        from target_duckdb_exact.database import Database  # noqa: PLC0415

        super().__init__(**kwargs)
        if threading.current_thread() is threading.main_thread():
            # The system's own way: at once, and without what is not loaded yet. A handler in Python waits for
            # a read that was begun in the same moment, and the input can stay open: Meltano waits for the
            # loader's end first.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        config = self.config
        database = Database(Path(config["filepath"]), float(config["lock_timeout"]))
        schema = (config["default_target_schema"] or "main").replace("-", "_")
        self._loading = Loading(
            database,
            schema,
            naming=config["naming"],
            history=config["history"],
            hard_delete=config["hard_delete"],
        )
        self._buffers: dict[str, Buffer] = {}
        self._taken: list[str] = []
        """Arrow files of which every row is in the buffers, or in the database."""
        self._state: Any = None
        self._waiting_since = time.monotonic()
        database.check(schema)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add none of the SDK's settings: those above are all."""

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; one that is null is not set, as in the taps."""
        self._config = {name: value for name, value in self._config.items() if value is not None}
        known = list(self.config_jsonschema["properties"])
        for name in self._config.keys() - known:
            del self._config[name]
            meant = "".join(f"; is {near} meant?" for near in get_close_matches(name, known, n=1))
            self.logger.warning("%.60s is no setting of this loader and is ignored%s", name, meant)
        return super()._validate_config(raise_errors=raise_errors)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """The command line."""
        command = super().get_singer_command()
        assert isinstance(command, SingerCommand)  # noqa: S101 - what the SDK says
        command.__class__ = LoadCommand
        return command

    @override
    def process_endofpipe(self) -> None:
        """Load what is left."""
        self._load()
        for buffer in self._buffers.values():
            buffer.decoder.tell_halves()
        self._loading.tell_unknown(self._buffers)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Do not end on Ctrl-C: it reaches the tap too, which ends, and what it has sent is loaded."""

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        schema = schema_of(message_dict)
        before = self._buffers.get(schema.stream)
        if before is None or before.schema != schema:
            buffer = Buffer(schema)
            if before is not None:
                self._load()
                buffer.decoder.halves = before.decoder.halves
            self._buffers[schema.stream] = buffer

    @override
    def _process_record_message(self, message_dict: Any) -> None:
        """Take records: the reader hands on `Lines` of them."""
        lines: Lines = message_dict
        buffer, size = self._buffer(lines.place.stream), self.config["batch_size_rows"]
        for start in range(0, len(lines.lines), size):
            part = Lines(lines.lines[start : start + size], lines.place.after(start))
            self._add(buffer, buffer.decoder.messages(part))

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        buffer, version = self._buffer(message_dict.get("stream"), "a BATCH"), _version(message_dict)
        if not is_arrow(message_dict):
            for lines in batch_lines(message_dict):
                self._add(buffer, buffer.decoder.rows(lines, version))
            return
        for name in manifest(message_dict):
            place = Place(buffer.schema.stream, 1, short_name(name), "row")
            for batch, extracted in arrow_batches(place.stream, name):
                self._add(buffer, buffer.decoder.arrow(batch, extracted, version, place))
                place = place.after(len(batch))
            self._taken.append(name)

    def _add(self, buffer: Buffer, columns: Columns) -> None:
        if buffer.activated is not None:  # these rows are none of that version
            self._load()
        buffer.add(columns)
        rows = sum(other.rows for other in self._buffers.values())
        size = sum(other.size for other in self._buffers.values())
        late = time.monotonic() - self._waiting_since > MOST_SECONDS
        if rows >= self.config["batch_size_rows"] or size >= MOST_BYTES or late:
            self._load()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        buffer = self._buffer(message_dict.get("stream"), "ACTIVATE_VERSION")
        version = _version(message_dict)
        if version is None:
            raise LoadError(f"{buffer.schema.stream}: ACTIVATE_VERSION has no version")
        buffer.activated = version

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if "value" not in message_dict:
            raise LoadError("A STATE message has no value")
        self._state = message_dict["value"]

    def _buffer(self, stream: Any, what: str = "a record") -> Buffer:
        buffer = self._buffers.get(stream)
        if buffer is None:
            raise RecordsWithoutSchemaException(f"{stream}: {what} came before the stream's SCHEMA")
        return buffer

    def _load(self) -> None:
        """Load what waits, and then tell how far the tap was."""
        waiting = [buffer for buffer in self._buffers.values() if buffer.waits]
        if waiting:
            self._loading.load(waiting)
        self._waiting_since = time.monotonic()
        if self._state is not None:
            sys.stdout.write(serialize_json(self._state) + "\n")
            sys.stdout.flush()
            self._state = None
        for name in self._taken:
            remove(name)
        self._taken.clear()


def _version(message: dict[str, Any]) -> int | None:
    try:
        return msgspec.convert(message.get("version"), Version | None)
    except msgspec.ValidationError:
        told = f"{message.get('stream')}: {message['type']} has a version that is no integer of 64 bits"
        raise LoadError(told) from None
