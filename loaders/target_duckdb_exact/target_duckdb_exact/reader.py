"""Reads the input in blocks, and hands on RECORD lines many at a time: each alone would cost too much."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding.base import GenericSingerReader, SingerMessageType
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override

from target_duckdb_exact.decoder import Lines, Place
from target_duckdb_exact.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BLOCK = 1 << 18
"""Bytes that are read at once at most: what becomes of them still fits the processor's cache."""

_RECORD = re.compile(rb'\s*\{\s*"type"\s*:\s*"RECORD"\s*,\s*"stream"\s*:\s*"([^"\\]*)"\s*,')


class BlockReader(GenericSingerReader[str]):
    """Reads messages; the callback for RECORD gets `Lines`, the others a message each."""

    @property
    @override
    def default_input(self) -> IO[str]:
        """Standard input."""
        import sys  # noqa: PLC0415  not the one of the import: tests replace it

        return sys.stdin

    @override
    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[Any], None]]
    ) -> Counter[str]:
        """Read to the end; the result counts the messages by type."""
        counts: Counter[str] = Counter()
        number = 1
        for lines in _blocks(file_input or self.default_input):
            at = 0
            while at < len(lines):
                records = _run(lines, at, number + at)
                if records is None:
                    records = self._other(lines[at], number + at, callbacks, counts)
                if records is not None:
                    callbacks[SingerMessageType.RECORD](records)
                    counts[SingerMessageType.RECORD] += len(records.lines)
                at += len(records.lines) if records else 1
            number += len(lines)
        return counts

    def _other(
        self, line: bytes, number: int, callbacks: dict[str, Callable[[Any], None]], counts: Counter[str]
    ) -> Lines | None:
        """Handle a line; if it is a RECORD that is written in another order, return it."""
        if not line.strip():
            return None
        try:
            message = self.deserialize_json(line.decode())
            kind = message["type"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise LoadError(f"Line {number} of the input is no Singer message") from None
        if kind == SingerMessageType.RECORD:
            if not isinstance(message.get("stream"), str):
                raise LoadError(f"Line {number} of the input is a RECORD of no stream")
            return Lines([line], Place(message["stream"], number))
        if kind not in callbacks:
            raise LoadError(f"Line {number} of the input is of an unknown type, {str(kind)[:40]!r}")
        callbacks[kind](message)
        counts[kind] += 1
        return None

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Read a message, its numbers with all their digits."""
        message: dict[str, Any] = deserialize_json(line)
        return message


def _run(lines: Sequence[bytes], at: int, number: int) -> Lines | None:
    """The records of one stream that follow each other from here; None if the line is not seen to be one."""
    match = _RECORD.match(lines[at])
    if match is None:
        return None
    head, end = match[0], at + 1
    while end < len(lines) and lines[end].startswith(head):
        end += 1
    return Lines(lines[at:end], Place(match[1].decode(), number))


def _blocks(source: IO[str]) -> Iterator[list[bytes]]:
    """The lines of a file, some at a time."""
    begun: list[bytes] = []
    for number, block in enumerate(_pieces(source)):
        first, *lines = (block if number else block.removeprefix(codecs.BOM_UTF8)).split(b"\n")
        begun.append(first)
        if lines:
            whole = b"".join(begun)
            begun = [lines.pop()]
            yield [whole, *lines]
    if any(begun):
        yield [b"".join(begun)]


def _pieces(source: IO[str]) -> Iterator[bytes]:
    buffer = getattr(source, "buffer", None)
    if buffer is not None:
        # Until a block is full: a tap that writes line by line must not make blocks of one.
        while block := buffer.read(BLOCK):
            yield block
    else:  # a text in memory, as in tests
        while text := source.read(BLOCK):
            yield text.encode()
