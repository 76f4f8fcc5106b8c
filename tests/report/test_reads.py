"""The receipt in DuckDB: what the taps wrote of their runs, and the question that the report asks of it."""

from __future__ import annotations

import re
from html import unescape

import duckdb
import pytest

from in_process import call, select
from loaders.warehouse import Warehouse as Place
from pictures.reads import query
from pictures.warehouse import Warehouse
from report import main
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from two_taps import billing, events

CASES = {TapBilling: (billing, ("customers", "coupons")), TapEvents: (events, ("events", "attendees"))}


def asked(path):
    """What the report's own question says: stream -> rows read, rows here, outcome."""
    with duckdb.connect(str(path), read_only=True) as connection:
        warehouse = Warehouse(connection, path)
        found = warehouse.run(query(warehouse.tables))
    return {stream: (read, here, outcome) for stream, read, here, *_, outcome in found}


@pytest.mark.parametrize("tap", CASES)
def test_two_runs_and_a_row_that_is_lost(tmp_path, tap):
    server, streams = CASES[tap]
    place, state = Place(tmp_path), None
    with server() as api:
        for _ in range(2):
            output = call(
                tap, tmp_path, url=api.url, catalog=select(tap, *streams), state=state, receipt=True
            )
            state = place.load(*output.text.splitlines())[-1]
        requests = len(api.paths)
    assert place.ask(
        "SELECT count(*), count(DISTINCT (stream, started_at)), sum(requests) FROM s._sdc_reads"
    ) == [(4, 4, requests)]
    assert place.ask("SELECT count(*) FROM s._sdc_reads WHERE whole = (reason IS NOT NULL)") == [(0,)]
    first, second = streams
    found = asked(place.path)
    assert found[second][2] == "whole"
    assert found[second][0] == found[second][1] > 0
    if tap is TapBilling:
        assert found[first][2].startswith("only what is new was asked for, from 2026-01-04")
    with duckdb.connect(str(place.path)) as connection:
        connection.execute(f"DELETE FROM s.{second} WHERE id = (SELECT max(id) FROM s.{second})")
    assert asked(place.path)[second][2] == "rows that were read are not here"
    assert main(place.path, tmp_path / "report.html") == 0
    page = unescape((tmp_path / "report.html").read_text())
    assert re.search(rf"<th scope='row'>{second}</th>.*rows that were read are not here", page)
    assert "QUALIFY row_number() OVER (PARTITION BY stream ORDER BY started_at DESC) = 1" in page
