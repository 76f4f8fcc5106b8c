"""From lines of RECORD messages to columns: field by field only where a line does not fit."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pyarrow as pa
from singer_sdk.exceptions import MissingKeyPropertiesError

from target_duckdb_exact.arrow import json_values, own_type
from target_duckdb_exact.columns import Misfit, column, times, whole_number
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.fields import Kind
from target_duckdb_exact.surrogates import replaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_duckdb_exact.fields import Field, Schema

logger = logging.getLogger("target-duckdb-exact")

_ODD = re.compile(r'["\\\x00-\x1f]')
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NULL = msgspec.Raw(b"null")
_REMEDY = "correct it at the source, or leave it out by a stream map"
_BYTE = re.compile(r"(?<=\(byte )\d+")
_HEAD = b'{"record":'
_WORDS = {b'"': "a text", b"{": "an object", b"[": "a list", b"t": "true", b"f": "false", b"n": "null"}
_OF_ITS_KIND = {(Kind.NUMBER, "a number"): "no type holds", (Kind.TEXT, "a text"): "is no UTF-8"}
"""What is wrong with what a field may hold by its kind."""


Version = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What rows have, and their table's column holds."""


@dataclass(frozen=True)
class Place:
    """Where some rows that follow each other were read."""

    stream: str
    first: int
    """The number of the first one."""
    source: str = "the input"
    unit: str = "line"

    def of(self, number: int) -> str:
        """Where the row with this number is, counted from the first one as 0, in words."""
        return f"{self.stream}, {self.unit} {self.first + number} of {self.source}"

    def after(self, number: int) -> Place:
        """The place of the rows behind so many."""
        return replace(self, first=self.first + number)


@dataclass(frozen=True)
class Lines:
    """Lines that hold records of one stream."""

    lines: Sequence[bytes]
    place: Place


@dataclass(frozen=True)
class Columns:
    """Records as columns: one per field of the SCHEMA, then the time of extraction and the version."""

    fields: list[pa.Array]
    extracted: pa.Array
    versions: pa.Array
    size: int
    """Bytes of the lines that they were read from."""


class _LooseLine(msgspec.Struct):
    record: dict[str, msgspec.Raw]
    version: Version | None = None
    time_extracted: str | None = None


class Decoder:
    """Reads the records of one stream, as its SCHEMA says that they are."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._by_name = {field.name: (number, field) for number, field in enumerate(schema.fields)}
        self._keys = [self._by_name[key][0] for key in schema.keys]
        self._told = False
        """Whether it was said that there are fields that the SCHEMA lacks."""
        self.halves = 0
        """Halves of surrogate pairs that were replaced."""
        self._set_up(strict=True)

    def _set_up(self, *, strict: bool) -> None:
        """Make the struct; a strict one refuses fields that the SCHEMA lacks."""
        fields = self._schema.fields
        # msgspec takes no names with these characters: such fields are read as if they were unknown.
        odd = {field.name for field in fields if _ODD.search(field.name)}
        self._row = msgspec.defstruct(
            "Row",
            [
                (f"f{number}", field.decoded, _NULL if field.decoded is msgspec.Raw else None)
                for number, field in enumerate(fields)
            ],
            rename={
                f"f{number}": f"\uffff{number}" if field.name in odd else field.name
                for number, field in enumerate(fields)
            },
            forbid_unknown_fields=strict or bool(odd),
            gc=False,
        )
        self._line = msgspec.defstruct(
            "Line",
            [("record", self._row), ("version", Version | None, None), ("time_extracted", str | None, None)],
            gc=False,
        )
        self._records = msgspec.json.Decoder(self._row)
        self._lines = msgspec.json.Decoder(self._line)

    def messages(self, lines: Lines) -> Columns:
        """Read RECORD messages.

        Raises:
            LoadError: A line is no message, or a value does not fit its field.
            MissingKeyPropertiesError: A record has no value for a key.
        """
        text = b"\n".join(lines.lines)
        try:
            found: list[Any] = self._lines.decode_lines(text)
        except _UNREADABLE:
            found = [self._loosely(line, lines.place.of(n)) for n, line in enumerate(lines.lines)]
        rows: list[Any] = list(map(attrgetter("record"), found))
        fields = self._columns(rows, lines.place)
        try:
            extracted = times([line.time_extracted for line in found])
        except Misfit as misfit:
            raise LoadError(f"{lines.place.of(misfit.args[0])}: time_extracted is no time") from None
        versions = pa.array([line.version for line in found], pa.int64())
        return Columns(fields, extracted, versions, len(text))

    def rows(self, lines: Lines, version: int | None) -> Columns:
        """Read records that are no messages, as files of a BATCH hold them; fails as `messages` does."""
        text = b"\n".join(lines.lines)
        try:
            rows = self._records.decode_lines(text)
        except _UNREADABLE:
            wrapped = (_HEAD + line + b"}" for line in lines.lines)
            rows = [
                self._loosely(line, lines.place.of(n), len(_HEAD)).record for n, line in enumerate(wrapped)
            ]
        extracted = pa.nulls(len(rows), times([]).type)
        versions = pa.array([version] * len(rows), pa.int64())
        return Columns(self._columns(rows, lines.place), extracted, versions, len(text))

    def arrow(self, batch: pa.RecordBatch, extracted: pa.Array, version: int | None, place: Place) -> Columns:
        """Read rows that are columns of Arrow; fails as `messages` does.

        Args:
            batch: The rows.
            extracted: When each was read.
            version: Of all of them.
            place: Where they are.
        """
        found = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name in found.keys() - self._by_name.keys():
            self._tell_unknown(name)
        nothing = pa.nulls(len(batch))
        fields = [
            self._arrow_column(field, found.get(field.name, nothing), place) for field in self._schema.fields
        ]
        versions = pa.array([version] * len(batch), pa.int64())
        return Columns(self._checked(fields, place), extracted, versions, batch.nbytes)

    def _arrow_column(self, field: Field, array: pa.Array, place: Place) -> pa.Array:
        column = own_type(field.kind, array)
        if column is not None:
            return column
        raws = json_values(field.kind, array)
        values = [self._arrow_value(field, raw, place.of(n)) for n, raw in enumerate(raws)]
        return self._column(field, values, place)

    def _arrow_value(self, field: Field, raw: bytes, place: str) -> Any:
        raw, halves = replaced(raw)
        if halves and field.name in self._schema.keys:
            raise _half_of_key(field.name, place)
        self.halves += halves
        return self._value(field, raw, place)

    def _columns(self, rows: Sequence[Any], place: Place) -> list[pa.Array]:
        values = zip(*map(msgspec.structs.astuple, rows), strict=True)
        columns = [
            self._column(field, found, place)
            for field, found in zip(self._schema.fields, values, strict=True)
        ]
        return self._checked(columns, place)

    def _checked(self, columns: list[pa.Array], place: Place) -> list[pa.Array]:
        """The columns, of whose rows each has its keys, and is of the SCHEMA's account."""
        for number in self._keys:
            if columns[number].null_count:
                at = columns[number].is_null().index(True).as_py()
                field = self._schema.fields[number]
                raise MissingKeyPropertiesError(
                    f"{place.of(at)}: a record has no value for its key {field.name}"
                )
        self._check_account(columns, place)
        return columns

    def _check_account(self, columns: Sequence[pa.Array], place: Place) -> None:
        """Refuse another account's row: its version would speak for rows that it has not read."""
        at, account = self._schema.account_at, self._schema.account
        if at is not None and set(columns[at].unique().to_pylist()) - {account, None}:
            other = next(n for n, found in enumerate(columns[at].to_pylist()) if found not in {account, None})
            raise LoadError(f"{place.of(other)}: the row is not of its SCHEMA's account")

    def _column(self, field: Field, values: Sequence[Any], place: Place) -> pa.Array:
        try:
            return column(field.kind, values)
        except Misfit as misfit:
            found = values[misfit.args[0]]
            raw = bytes(found) if isinstance(found, msgspec.Raw) else b'"' if isinstance(found, str) else b"0"
            raise self._misfit(field, raw, place.of(misfit.args[0])) from None
        except pa.ArrowInvalid:  # bytes that are no UTF-8
            raise LoadError(
                f"{place.of(0)}, or one behind it: field {field.name} holds what is not {field.kind.value}"
            ) from None

    def _loosely(self, line: bytes, place: str, head: int = 0) -> Any:
        """Read one line, field by field where it does not fit; `head` bytes of it are none of the file's."""
        try:
            return self._lines.decode(line)
        except _UNREADABLE:
            pass
        whole, halves = replaced(line)
        try:
            loose = msgspec.json.decode(whole, type=_LooseLine)
        except _UNREADABLE as error:
            what = "no record" if head else "no RECORD message"
            raise LoadError(f"{place}: {what} ({_plain(error, head)})") from None
        if halves:
            self.halves += halves
            self._check_keys(loose, line, place)
        values: dict[str, Any] = {}
        for name, raw in loose.record.items():
            index, field = self._by_name.get(name, (-1, None))
            if field is None:
                self._tell_unknown(name)
            else:
                values[f"f{index}"] = self._value(field, bytes(raw), place)
        return self._line(self._row(**values), loose.version, loose.time_extracted)

    def _check_keys(self, loose: _LooseLine, line: bytes, place: str) -> None:
        """Refuse a key that has half a surrogate pair: with what replaces it, it could be another row's."""
        otherwise, _ = replaced(line, rb"\u0000")
        record = msgspec.json.decode(otherwise, type=_LooseLine).record
        for key in self._schema.keys:
            if loose.record.get(key) != record.get(key):
                raise _half_of_key(key, place)

    def tell_halves(self) -> None:
        """Say how many halves of surrogate pairs were replaced, if any were."""
        if self.halves:
            logger.warning(
                "%s: halves of surrogate pairs, as of an emoji that was cut, are no text: %d became U+FFFD",
                self._schema.stream,
                self.halves,
            )

    def _tell_unknown(self, name: str) -> None:
        """Say once that a field is left out, and read the next rows without a look for others."""
        if not self._told:
            logger.warning(
                "%s: fields that its SCHEMA lacks are not loaded, such as %s", self._schema.stream, name
            )
            self._told = True
            self._set_up(strict=False)

    def _value(self, field: Field, raw: bytes, place: str) -> Any:
        if field.decoded is msgspec.Raw:
            return msgspec.Raw(raw)
        try:
            return msgspec.json.decode(raw, type=field.decoded)
        except _UNREADABLE:
            whole = whole_number(raw) if field.kind is Kind.INTEGER else None
            if whole is None:
                raise self._misfit(field, raw, place) from None
            return whole

    def _misfit(self, field: Field, raw: bytes, place: str) -> LoadError:
        word = _WORDS.get(raw[:1], "a number")
        why = _OF_ITS_KIND.get((field.kind, word), f"is not {field.kind.value}")
        return LoadError(f"{place}: field {field.name} holds {word} that {why}; {_REMEDY}")


def _half_of_key(key: str, place: str) -> LoadError:
    return LoadError(
        f"{place}: the key {key} holds half a surrogate pair, without which two rows could become one; "
        f"{_REMEDY}"
    )


def _plain(error: Exception, head: int) -> str:
    """What is wrong, without what was read: msgspec tells positions and types only."""
    if isinstance(error, msgspec.DecodeError):
        return _BYTE.sub(lambda found: str(int(found[0]) - head), str(error).splitlines()[0])
    return "nested too deep" if isinstance(error, RecursionError) else "no UTF-8"
