"""Columns have one JSON type each: what comes in another shape is brought into it, or kept beside the row."""

from __future__ import annotations

import pytest

from in_process import select
from support import KEY, run
from tap_scheduling.tap import TapScheduling

RULE = {"disabled": True, "minutesBefore": 60}


def read(api, stream, row):
    """What becomes of a stream's first row, some of whose fields are as given."""
    table = api.data["scheduling"][stream]
    first = next(iter(table.values())) if isinstance(table, dict) else table
    first[0] |= row
    config = {"api_url": f"{api.url}/scheduling", "api_key": KEY, "requests_per_minute": 100_000}
    rows = run(TapScheduling, config, catalog=select(TapScheduling, stream)).records[stream]
    return next(found for found in rows if found["id"] == first[0]["id"])


@pytest.mark.parametrize(
    ("name", "sent", "column"),
    [
        ("disableCancelling", True, {"disabled": True}),
        ("disableCancelling", None, None),
        ("disableRescheduling", False, {"disabled": False}),
        ("disableRescheduling", RULE, RULE),
    ],
)
def test_true_or_false_is_as_later_versions_have_it(api, name, sent, column):
    row = read(api, "event_types", {name: sent})
    assert row.get(name) == column
    assert "_sdc_unmapped" not in row


def test_a_list_of_windows_as_the_document_has_it_is_kept(api):
    """Servers send one object."""
    windows = [{"type": "range", "value": ["2026-02-01", "2026-03-01"]}]
    assert read(api, "team_event_types", {"bookingWindow": windows})["_sdc_unmapped"] == {
        "bookingWindow": windows
    }


def test_free_json_in_another_shape_than_its_column_is_kept(api):
    odd = {"routes": {"0": {"id": "r-1"}}, "fields": {"f-1": "Company"}, "settings": [1]}
    row = read(api, "routing_forms", odd)
    assert row["_sdc_unmapped"] == odd
    assert not odd.keys() & {name for name, value in row.items() if value is not None}
