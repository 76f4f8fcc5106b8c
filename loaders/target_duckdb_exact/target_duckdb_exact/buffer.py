"""The rows of a stream that wait to be loaded, and what their values need of the table's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from target_duckdb_exact.decoder import Decoder
from target_duckdb_exact.duckdb_types import need

if TYPE_CHECKING:
    from target_duckdb_exact.decoder import Columns
    from target_duckdb_exact.duckdb_types import Need
    from target_duckdb_exact.fields import Schema

_MOST_PIECES = 256
"""Pieces of a column before they are made one: each costs memory of its own, and time when it is loaded."""


@dataclass(frozen=True)
class Batch:
    """Rows that are loaded together."""

    table: pa.Table
    """`c0`, `c1`, … as the fields are; `extracted`, `version`, and `n`, the order that they came in."""
    version: int | None
    """The newest version that a row has."""


class Buffer:
    """Collects the rows of one stream."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.decoder = Decoder(schema)
        self.made = False
        """Whether the table was made, which is done without rows too."""
        self._reset()

    def mark_loaded(self) -> None:
        """The table is made, and all that waited is in it."""
        self.made = True
        self._reset()

    def _reset(self) -> None:
        """Nothing waits."""
        self.rows = 0
        self.size = 0
        self.activated: int | None = None
        """The version that the rows so far make whole."""
        self._whole: list[list[pa.Array]] = [[] for _ in range(len(self.schema.fields) + 2)]
        self._pieces: list[list[pa.Array]] = [[] for _ in self._whole]

    @property
    def waits(self) -> bool:
        """Whether there is something to load."""
        return self.rows > 0 or self.activated is not None or not self.made

    def add(self, columns: Columns) -> None:
        """Add rows."""
        self.rows += len(columns.versions)
        self.size += columns.size
        for pieces, array in zip(
            self._pieces, (*columns.fields, columns.extracted, columns.versions), strict=True
        ):
            pieces.append(array)
        if len(self._pieces[0]) == _MOST_PIECES:
            self._join()

    def _join(self) -> None:
        """Make one of the pieces of each column; what was joined before is not copied again."""
        for whole, pieces in zip(self._whole, self._pieces, strict=True):
            if pieces:
                whole.append(pa.concat_arrays(_alike(pieces)))
            pieces.clear()

    def batch(self) -> Batch | None:
        """All rows; None if there are none."""
        if not self.rows:
            return None
        self._join()
        *fields, extracted, versions = [pa.chunked_array(_alike(whole)) for whole in self._whole]
        numbers = pa.array(range(self.rows), pa.int64())
        names = [f"c{number}" for number in range(len(fields))]
        table = pa.table([*fields, extracted, versions, numbers], [*names, "extracted", "version", "n"])
        return Batch(table, pc.max(versions).as_py())

    def needs(self, batch: Batch | None) -> list[Need]:
        """What each field needs of its column, in a batch or, without one, to begin with."""
        return [
            need(field.kind, batch.table.column(number) if batch else None)
            for number, field in enumerate(self.schema.fields)
        ]


def _alike(pieces: list[pa.Array]) -> list[pa.Array]:
    """Pieces of one type: of texts, if one has numbers that are too large for the others."""
    if any(piece.type != pieces[0].type for piece in pieces):
        return [piece.cast(pa.string()) for piece in pieces]
    return pieces
