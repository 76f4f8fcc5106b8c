"""Singer messages onto stdout: records a page at a time, everything else as the SDK writes it.

Where rows go into files, BATCH messages tell of them, and each STATE comes after those of all rows before it.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib import SchemaMessage, StateMessage
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from tap_core.errors import OutputLost
from tap_core.records.encoding import json_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from singer_sdk.singerlib.encoding.simple import Message

    from tap_core.arrow_files import ArrowFiles


class RecordMessage(msgspec.Struct, tag="RECORD", omit_defaults=True, gc=False):
    """A RECORD message; the record is a dict or a struct of the codec."""

    stream: str
    record: Any
    version: int | None = None
    time_extracted: str | None = None


class MessageWriter(SimpleSingerWriter):
    """Writes messages, and flushes after each page: what was read is not kept back."""

    def __init__(self) -> None:
        self.unstated = False
        """Whether records were written since the last STATE."""
        self.files: ArrowFiles | None = None
        """Where records go, if not into messages of their own."""

    @override
    def write_message(self, message: Message) -> None:
        """Write one message of the SDK's.

        Raises:
            Hopeless: Rows that come before it can't be written into their file.
        """
        if isinstance(message, SchemaMessage) and message.bookmark_properties:
            columns = message.schema["properties"]  # which a stream map can have taken it out of
            message.bookmark_properties = [key for key in message.bookmark_properties if key in columns]
        if self.files and isinstance(message, SchemaMessage):
            self.files.describe(message.stream, message.schema)
        elif self.files:
            self._write_each(self.files.all())
        self._write_each([message])
        self.unstated = self.unstated and not isinstance(message, StateMessage)

    def write_records(
        self,
        stream: str,
        records: Iterable[Any],
        *,
        version: int | None,
        time_extracted: datetime,
    ) -> None:
        """Write a RECORD message for each record, or add the records to their stream's file.

        Raises:
            Hopeless: A file can't be written, or hold a value.
        """
        if self.files:
            if rows := list(records):
                self._write_each(self.files.add(stream, rows, version, time_extracted))
                self.unstated = True
            return
        time = time_extracted.isoformat()
        messages = [RecordMessage(stream, record, version, time) for record in records]
        if messages:
            self._write(self._encode(messages))
            self.unstated = True

    def _write_each(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._write(self.format_message(message).encode() + b"\n")

    def _encode(self, messages: list[RecordMessage]) -> bytes:
        try:
            return json_lines(messages)
        except UnicodeEncodeError:
            return "".join(f"{serialize_json(_as_dict(message))}\n" for message in messages).encode()

    def _write(self, data: bytes) -> None:
        try:
            _write_out(data)
        except OSError as error:
            raise OutputLost(error) from None


def _write_out(data: bytes) -> None:
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:  # stdout was replaced by a text stream, as in tests
        sys.stdout.write(data.decode())
    else:
        left = memoryview(data)
        while left:  # with PYTHONUNBUFFERED, a signal ends a write before all is written
            left = left[buffer.write(left) :]
    sys.stdout.flush()


def _as_dict(message: RecordMessage) -> dict[str, Any]:
    message_as_dict: dict[str, Any] = msgspec.to_builtins(message, builtin_types=(Decimal,))
    return message_as_dict
