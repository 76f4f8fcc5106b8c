"""Makes a stream's table what its SCHEMA and its values need; nothing that is there is lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_duckdb_exact.definitions import Definitions
from target_duckdb_exact.duckdb_types import (
    DIGITS,
    DOUBLE,
    INTEGER,
    INTEGERS,
    TIME,
    converted,
    replacement_type,
    wider,
)
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.names import METADATA, RESERVED, archived_name, quoted, unique_name, warehouse_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from target_duckdb_exact.duckdb_types import Need
    from target_duckdb_exact.fields import Field, Schema
    from target_duckdb_exact.ledger import Ledger, LoadedTable

logger = logging.getLogger("target-duckdb-exact")

METADATA_TYPES = dict(zip(METADATA, (TIME, TIME, TIME, INTEGER), strict=True))
HISTORY_TYPES = {"_sdc_valid_from": TIME, "_sdc_valid_to": TIME, "_sdc_is_current": "BOOLEAN"}
COMMENTS = {
    "_sdc_extracted_at": "When the tap read the row, as it last changed here",
    "_sdc_batched_at": "When the row last changed here",
    "_sdc_deleted_at": "When the row was found to be gone; empty while it is there",
    "_sdc_table_version": "The version of the read that last changed the row here",
    "_sdc_valid_from": "Since when the row was like this",
    "_sdc_valid_to": "Until when it was; empty if it still is",
    "_sdc_is_current": "Whether it still is",
}


@dataclass(frozen=True)
class Column:
    """A column of a stream's table."""

    name: str
    """As SQL takes it."""
    type: str


@dataclass(frozen=True)
class Layout:
    """Where the rows of a stream go; names are as SQL takes them."""

    known: LoadedTable
    table: str
    columns: list[Column]
    """In the order of the SCHEMA's fields."""
    keys: list[Column]
    account: Column | None
    """The column that tells whose a row is, where the SCHEMA is one account's."""
    history: str | None
    """The table of the rows' history, where it is kept."""


class Tables:
    """The tables of one schema, in a connection's transaction."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, ledger: Ledger, schema: str, naming: str
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._naming = naming
        self._definitions = Definitions(connection, schema)
        self._schema = self._definitions.schema

    def prepare(self, schema: Schema, needs: Sequence[Need], *, history: bool) -> Layout:
        """Make or change the table of a stream, and of its history.

        Raises:
            LoadError: A view is in the table's place, or numbers of a key would be rounded.
        """
        for field, need in zip(schema.fields, needs, strict=True):
            if field.name in schema.keys and need.type == DOUBLE:
                raise LoadError(
                    f"{schema.stream}: the key {field.name} has numbers of more than {DIGITS} digits; once "
                    "they are rounded, two rows could become one: send it as a text, by a stream map"
                )
        known = self._ledger.table(self._schema, schema.stream)
        if known and not self._definitions.types(known.table):  # dropped by hand
            self._ledger.forget(known)
            known = None
        if known and self._has_new_key(known, schema, needs):
            self._put_table_aside(known)
            known = None
        known = known or self._create(schema, needs)
        columns = self._columns(known, schema, needs)
        path = self._history(known) if history and schema.keys else None
        if path:
            known = self._ledger.table(self._schema, schema.stream) or known
        by_field = {field.name: column for field, column in zip(schema.fields, columns, strict=True)}
        return Layout(
            known,
            self._definitions.path(known.table),
            columns,
            [by_field[key] for key in known.keys],
            columns[schema.account_at] if schema.account_at is not None else None,
            path,
        )

    def _has_new_key(self, known: LoadedTable, schema: Schema, needs: Sequence[Need]) -> bool:
        if {*known.keys} != {*schema.keys}:
            return True
        columns, types = self._ledger.columns(known), self._definitions.types(known.table)
        return any(
            field.name in schema.keys and self._wider(known.table, columns, types, field, need) is None
            for field, need in zip(schema.fields, needs, strict=True)
        )

    def _wider(
        self, table: str, columns: dict[str, str], types: dict[str, str], field: Field, need: Need
    ) -> str | None:
        column = columns[field.name]
        return wider(types[column], need, lambda: self._definitions.most_digits(table, column))

    def _put_table_aside(self, known: LoadedTable) -> None:
        for table in (known.table, known.history):
            if table and self._definitions.types(table):
                name = self._definitions.put_aside(table)
                logger.warning("%s.%s has a new key: the old table is now %s", self._schema, table, name)
        self._ledger.forget(known)

    def _create(self, schema: Schema, needs: Sequence[Need]) -> LoadedTable:
        name = self._free_table(warehouse_name(schema.stream, self._naming))
        known = self._ledger.add_table(self._schema, schema.stream, name, schema.keys)
        columns = self._names(schema, [field.name for field in schema.fields], ())
        typed = [(column, need.type) for column, need in zip(columns.values(), needs, strict=True)]
        for column, kind in typed:
            _warn_of_rounding(schema.stream, column, kind)
        self._definitions.create(name, [*typed, *METADATA_TYPES.items()])
        self._definitions.comment(name, [(column, COMMENTS[column]) for column in METADATA])
        self._ledger.add_columns(known, columns.items())
        return known

    def _free_table(self, wanted: str) -> str:
        """A name that is no other stream's; what another loader has there is put aside."""
        name = unique_name(wanted, self._ledger.tables(self._schema))
        if name != wanted:
            logger.warning("%s.%s is another stream's table: %s is used", self._schema, wanted, name)
        if any(name.lower() == other.lower() for other in self._definitions.tables()):
            old = self._definitions.put_aside(name)
            logger.warning(
                "%s.%s was there before, filled by another loader: it is now %s", self._schema, name, old
            )
        return name

    def _names(self, schema: Schema, fields: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
        """Names of columns for fields."""
        names: dict[str, str] = {}
        for field in fields:
            plain = warehouse_name(field, self._naming)
            names[field] = unique_name(plain, [*RESERVED, *taken, *names.values()])
            if names[field] != plain:
                logger.warning(
                    "%s: field %s is in column %s, as another has its name",
                    schema.stream,
                    field,
                    names[field],
                )
        return names

    def _columns(self, known: LoadedTable, schema: Schema, needs: Sequence[Need]) -> list[Column]:
        """The columns of the fields, new ones added, others widened or put aside where they must be."""
        names, types = self._ledger.columns(known), self._definitions.types(known.table)
        missing = [field.name for field in schema.fields if names.get(field.name) not in types]
        new = self._names(schema, [name for name in missing if name not in names], list(types))
        self._ledger.add_columns(known, new.items())
        names |= new
        tables = [known.table]
        if known.history and self._definitions.types(known.history):
            tables.append(known.history)
        columns, new_keys = [], False
        for field, need in zip(schema.fields, needs, strict=True):
            name = names[field.name]
            if field.name in missing:
                self._add(tables, name, need.type)
                _warn_of_rounding(schema.stream, name, need.type)
                columns.append(Column(quoted(name), need.type))
            else:
                columns.append(self._fit(tables, schema.stream, Column(name, types[name]), need))
                if field.name in schema.keys and {columns[-1].type, types[name]} - INTEGERS:
                    new_keys |= columns[-1].type != types[name]
        for table in tables:
            self._definitions.comment(table, [(names[field.name], field.comment) for field in schema.fields])
        if new_keys:
            self._ledger.give_up_versions(known)
        return columns

    def _add(self, tables: Sequence[str], column: str, kind: str) -> None:
        for table in tables:
            if column not in self._definitions.types(table):
                self._definitions.add(table, column, kind)

    def _fit(self, tables: Sequence[str], stream: str, column: Column, need: Need) -> Column:
        """Make a column one that holds what is there and what is needed, or put it aside."""
        name = quoted(column.name)
        kind = wider(
            column.type,
            need,
            lambda: max(self._definitions.most_digits(table, column.name) for table in tables),
        )
        if kind == column.type:
            return Column(name, kind)
        if kind is not None:
            logger.info("%s: column %s is now %s, and was %s", stream, column.name, kind, column.type)
            for table in tables:
                self._definitions.change(table, column.name, kind, converted(name, column.type, kind))
            return Column(name, kind)
        kind = replacement_type(column.type, need)
        taken = {other for table in tables for other in self._definitions.types(table)}
        old = archived_name(column.name, taken)
        logger.warning(
            "%s: column %s is now %s; its values as %s are kept in column %s",
            *(stream, column.name, kind, column.type, old),
        )
        for table in tables:
            self._definitions.rename(table, column.name, old)
        self._add(tables, column.name, kind)
        if kind == DOUBLE:  # the same numbers, rounded
            for table in tables:
                self._definitions.fill(table, column.name, converted(quoted(old), column.type, kind))
        return Column(name, kind)

    def _history(self, known: LoadedTable) -> str:
        """The table of the history, made if it is not there."""
        name = known.history
        if name is None or not self._definitions.types(name):
            name = self._free_table(f"{known.table}_history")
            there = self._definitions.types(known.table)
            fields = [(column, kind) for column, kind in there.items() if column not in METADATA]
            self._definitions.create(name, [*fields, *HISTORY_TYPES.items()])
            self._definitions.comment(name, [(column, COMMENTS[column]) for column in HISTORY_TYPES])
            self._ledger.set_history(known, name, on=False)
        return self._definitions.path(name)


def _warn_of_rounding(stream: str, column: str, kind: str) -> None:
    """Say of a new column whose first numbers fit no exact type that they are rounded."""
    if kind == DOUBLE:
        text = "%s: column %s is %s, which rounds its numbers: together they have more than %d digits"
        logger.warning(text, stream, column, kind, DIGITS)
