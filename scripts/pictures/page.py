"""The page: the figures and charts of each tap, then rows per table. It needs nothing from elsewhere."""

from __future__ import annotations

from datetime import date
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pictures.charts import amount
from pictures.domains import DOMAINS
from pictures.reads import reads_section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pictures.domains import Chart, Domain
    from pictures.warehouse import Table, Warehouse

STYLE = Path(__file__).with_name("style.css")

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What was loaded</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>What was loaded</h1>
<p>Last written on {written}.{warning}</p>
</header>
<main>
{main}
</main>
</body>
</html>
"""


YEARS = range(1970, 2200)
"""Rows of other years, which is to say with odd dates, would make a chart too long to read."""
UNTIMED = (
    "<p class='note'>When each table was loaded is not known: it has no column"
    " <code>_sdc_batched_at</code>, or no rows.</p>"
)


def page(warehouse: Warehouse) -> str:
    """Return the whole page."""
    loaded = [(domain, schema) for domain in DOMAINS for schema in domain.schemas if warehouse.has(schema)]
    made_up = [schema for domain, schema in loaded if any_rows(warehouse.ask(schema, domain.made_up))]
    parts = [domain_section(warehouse, domain, schema) for domain, schema in loaded]
    parts += [reads_section(warehouse), tables_section(warehouse.tables)]
    parts += [missing_section(domain) for domain in DOMAINS if not any(map(warehouse.has, domain.schemas))]
    return PAGE.format(
        style=STYLE.read_text(encoding="utf-8"),
        written=moment(warehouse.written),
        warning=warning(made_up),
        main="\n".join(parts),
    )


def any_rows(counted: list[tuple[Any, ...]] | None) -> bool:
    """Whether a count of rows is there and is not zero."""
    return counted is not None and counted[0][0] > 0


def warning(made_up: list[str]) -> str:
    """What is said of the schemas that the sandbox filled."""
    if not made_up:
        return ""
    names = ", ".join(f"<code>{schema}</code>" for schema in made_up)
    return f"<br><strong>Sandbox data, made up and of no account:</strong> {names}"


def moment(time: datetime) -> str:
    """Return a time in UTC as it is read best."""
    return f"{time:%d %b %Y, %H:%M} UTC"


def tables_section(tables: list[Table]) -> str:
    """Rows per table, a card for each schema, and when they were loaded where the loader tells it."""
    cards = [
        tables_card(schema, list(those)) for schema, those in groupby(tables, key=lambda table: table.schema)
    ]
    rows = sum(table.rows for table in tables)
    total = f"<p class='note'>{rows:,} rows in {len(tables)} tables.</p>\n"
    note = "" if any(table.loaded for table in tables) else UNTIMED
    kind = "tables" if note else "tables timed"
    inner = f"{total}{note}<div class='{kind}'>\n{''.join(cards)}</div>"
    return f"<section id='tables'>\n<h2>Tables</h2>\n{inner}\n</section>"


def tables_card(schema: str, tables: list[Table]) -> str:
    """The tables of one schema."""
    timed = any(table.loaded for table in tables)
    head = "<th scope='col'>Loaded (UTC)</th>" if timed else ""
    lines = "".join(
        f"<tr><th scope='row'>{escape(table.name).replace('_', '_<wbr>')}</th><td>{table.rows:,}</td>"
        + (f"<td>{f'{table.loaded:%Y-%m-%d %H:%M}' if table.loaded else '-'}</td>" if timed else "")
        + "</tr>\n"
        for table in tables
    )
    return (
        f"<div class='card'>\n<h3>{escape(schema)}</h3>\n<table>\n"
        f"<thead><tr><th scope='col'>Table</th><th scope='col'>Rows</th>{head}</tr></thead>\n"
        f"<tbody>\n{lines}</tbody>\n</table>\n</div>\n"
    )


def domain_section(warehouse: Warehouse, domain: Domain, schema: str) -> str:
    """The figures and charts of one tap."""
    figures = "".join(domain_figures(warehouse, domain, schema))
    cards = "\n".join(chart_card(chart, warehouse.ask(schema, chart.query)) for chart in domain.charts)
    return (
        f"<section id='{schema}'>\n<h2>{domain.title} <code>{schema}</code></h2>\n"
        f"<dl class='figures'>{figures}</dl>\n<div class='charts'>\n{cards}\n</div>\n</section>"
    )


def domain_figures(warehouse: Warehouse, domain: Domain, schema: str) -> Iterator[str]:
    """The figures that the loaded tables tell."""
    for figure in domain.figures:
        for number, *unit in warehouse.ask(schema, figure.query) or []:
            if number is not None:
                shown = escape(amount(number, *unit or [None]))
                yield f"<div><dt>{figure.label}</dt><dd>{shown}</dd></div>"


def chart_card(chart: Chart, rows: list[tuple[Any, ...]] | None) -> str:
    """A chart with its title; or why there is none."""
    if rows is None:
        body = "<p class='note'>Left out: not all tables and columns that it needs were loaded.</p>"
    elif drawable := [row for row in rows if not isinstance(row[0], date) or row[0].year in YEARS]:
        body = chart.draw(chart.title, drawable)
    else:
        body = "<p class='note'>No rows yet.</p>"
    return (
        f"<figure class='card'>\n<figcaption><h3>{chart.title}</h3><p>{chart.note}</p></figcaption>\n"
        f"{body}\n</figure>"
    )


def missing_section(domain: Domain) -> str:
    """One line about a tap of which nothing was loaded."""
    tap, preset = (f"<code>{schema.replace('_', '-')}</code>" for schema in domain.schemas)
    return (
        f"<section id='{domain.schemas[0]}'>\n<h2>{domain.title}</h2>\n"
        f"<p class='note'>Left out: nothing was loaded by {tap} or {preset}.</p>\n</section>"
    )
