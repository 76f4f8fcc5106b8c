"""Rows without the replication key by which an API is asked for what is new: they are told of, or read."""

from __future__ import annotations

import pytest

from in_process import call, said, select
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_scheduling.tap import TapScheduling

TAPS = {TapBilling: ("invoices", "updated_at"), TapScheduling: ("bookings", "updatedAt")}
every_tap = pytest.mark.parametrize("tap", TAPS)


@pytest.fixture
def dated(api):
    """A sandbox all of whose invoices and bookings have their replication keys."""
    for tap, (stream, key) in TAPS.items():
        for row in rows_of(api, tap, stream):
            row[key] = row.get(key) or "2026-01-01T00:00:00Z"
    return api


def rows_of(api, tap, stream):
    return api.data[tap.name.removeprefix("tap-")][stream]


def read(api, tap, folder, **more):
    stream, _ = TAPS[tap]
    url = f"{api.url}/{tap.name.removeprefix('tap-')}"
    return call(tap, folder, url=url, catalog=select(tap, stream), **more)


@every_tap
def test_rows_without_it_are_told_once_with_what_to_do(dated, tmp_path, tap):
    stream, key = TAPS[tap]
    for row in rows_of(dated, tap, stream)[3:9:2]:
        row[key] = None
    first = read(dated, tap, tmp_path)
    told = [line for line in said(first, "WARNING") if f"{stream}: rows lack a `{key}`" in line]
    assert len(told) == 1
    assert "set full_read_every" in told[0]


@every_tap
@pytest.mark.parametrize("why", ["no such row", "all are read now and then", "all are read"])
def test_nothing_is_told_where_nothing_is_missed(dated, tmp_path, tap, why):
    stream, key = TAPS[tap]
    rows_of(dated, tap, stream)[3][key] = None if why != "no such row" else "2026-01-02T00:00:00Z"
    more = {"full_read_every": 30} if why == "all are read now and then" else {}
    catalog = select(tap, stream, **{"replication_method": "FULL_TABLE"} if why == "all are read" else {})
    name = tap.name.removeprefix("tap-")
    output = call(tap, tmp_path, url=f"{dated.url}/{name}", catalog=catalog, **more)
    assert output.code == 0, output.log
    assert "rows lack" not in output.log


@pytest.mark.parametrize("days", [0, 30])
def test_an_invoice_without_it_that_was_issued_since_is_read(dated, days):
    """The API asks by `updated_at`; by the day of issue each invoice is found."""
    config = {"api_url": f"{dated.url}/billing", "api_key": KEY}
    catalog = select(TapBilling, "invoices")
    first = run(TapBilling, config, catalog=catalog)
    newest = first.state["bookmarks"]["invoices"]["replication_key_value"][:10]
    table = rows_of(dated, TapBilling, "invoices")
    issued = newest if not days else "2026-12-31"
    new = {**table[-1], "uid": "inv_new", "id": 5, "sequence_number": 10**6, "issue_date": issued}
    del new["updated_at"]
    table.append(new)
    second = run(TapBilling, config, state=first.state, catalog=catalog)
    rows = second.records["invoices"]
    assert [row["uid"] for row in rows].count("inv_new") == 1
    others = [row for row in rows if row["uid"] != "inv_new"]
    assert all(row["updated_at"][:10] >= newest[:8] for row in others)
    assert len(others) < 20
    assert second.state == first.state
