"""The target that needs `timestamps: utc`; `test_values.py` has what the others make of an offset."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from in_process import select
from json_api import JsonApi, numbered
from lists import settings
from support import run
from tap_billing.tap import TapBilling
from targets.targets import DuckDB, moment

SENT = "2026-03-01T10:20:30.123456-05:00"
ROWS = [{"coupon": {"id": 1, "name": "x", "start_date": SENT}}]
INSTANT = moment(SENT)


def stored(loader, **config):
    """The moment that a loader keeps of the one that was sent, where a time without a zone is in UTC."""
    with JsonApi(lambda _, query: numbered(ROWS, query)) as api:
        output = run(TapBilling, settings(api, **config), catalog=select(TapBilling, "coupons"))
    process = loader.load(output.text)
    assert process.returncode == 0, process.stderr
    (row,) = loader.rows("coupons")
    kept = row["start_date"]
    kept = kept if isinstance(kept, datetime) else datetime.fromisoformat(kept.replace("Z", "+00:00"))
    return kept if kept.tzinfo else kept.replace(tzinfo=timezone.utc)


@pytest.fixture
def plain(tmp_path):
    """target-duckdb 0.8 of the package index."""
    return DuckDB([Path(sys.executable).with_name("target-duckdb")], tmp_path)


def test_plain_target_duckdb_needs_it(plain):
    assert stored(plain) == INSTANT.replace(tzinfo=timezone.utc), "hours off"
    assert stored(plain, timestamps="utc") == INSTANT
