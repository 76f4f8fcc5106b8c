"""What the taps' receipts say of the last read of each stream, beside what is in the warehouse."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from pictures.warehouse import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pictures.warehouse import Table, Warehouse

RECEIPT = "_sdc_reads"

QUERY = """\
-- The last read of each stream, and what is here of it: were rows lost in silence?
WITH counted AS (
  {counts}
)
SELECT stream, rows AS read, here, total, requests, retries, started_at,
  CASE
    WHEN whole AND coalesce(here, 0) < rows THEN 'rows that were read are not here'
    WHEN whole THEN coalesce(reason, 'whole')
    ELSE reason
  END AS outcome
FROM {receipt} LEFT JOIN counted USING (stream)
QUALIFY row_number() OVER (PARTITION BY stream ORDER BY started_at DESC) = 1
ORDER BY stream"""


def query(tables: Iterable[Table]) -> str:
    """SQL for the last read of each stream, given the tables of a schema, the receipt's among them."""
    counts, receipt = [], ""
    for table in tables:
        if table.name == RECEIPT:
            receipt = f"{quoted(table.schema)}.{quoted(table.name)}"
        else:
            name = table.name.replace("'", "''")
            counts.append(f"SELECT '{name}' AS stream, count(*) AS here {table.present}")
    nothing = "SELECT NULL AS stream, 0 AS here"
    return QUERY.format(counts="\n  UNION ALL ".join(counts or [nothing]), receipt=receipt)


def reads_section(warehouse: Warehouse) -> str:
    """The last reads of each schema that has a receipt; empty where none has."""
    schemas = [table.schema for table in warehouse.tables if table.name == RECEIPT]
    cards = "".join(reads_card(warehouse, schema) for schema in schemas)
    note = "<p class='note'>The last read of each stream, as the tap's receipt has it.</p>"
    return f"<section id='reads'>\n<h2>Reads</h2>\n{note}\n{cards}</section>" if cards else ""


def reads_card(warehouse: Warehouse, schema: str) -> str:
    """The last read of each stream of one schema, and the question in SQL."""
    sql = query(table for table in warehouse.tables if table.schema == schema)
    lines = "".join(map(reads_line, warehouse.run(sql) or []))
    heads = ("Stream", "Read", "Here", "Requests", "Retries", "Outcome")
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    return (
        f"<div class='card reads'>\n<h3>{escape(schema)}</h3>\n<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{lines}</tbody>\n</table>\n"
        f"<details><summary>The question in SQL</summary><pre>{escape(sql)}</pre></details>\n</div>\n"
    )


def reads_line(read: tuple[Any, ...]) -> str:
    """One stream's."""
    stream, rows, here, _, requests, retries, _, outcome = read
    numbers = "".join(f"<td>{'-' if n is None else f'{n:,}'}</td>" for n in (rows, here, requests, retries))
    return f"<tr><th scope='row'>{escape(stream)}</th>{numbers}<td>{escape(outcome or '')}</td></tr>\n"
