"""More equal lines of one moment than a page has, as a bulk order makes: none is counted twice."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from in_process import call, select
from json_api import JsonApi, cut
from tap_rewards.tap import TapRewards

STREAM = "balance_transactions"


@pytest.mark.parametrize("later", [0, 5])
@pytest.mark.parametrize(("above", "equal"), [(0, 150), (3, 150), (150, 150), (0, 620), (40, 1100)])
@pytest.mark.parametrize("at", [2, 3, 6])
def test_lines_entered_above_many_equal_ones_number_none_of_them_anew(tmp_path, later, above, equal, at):
    """Of a page of equal lines alone nothing tells by how many they were moved down."""
    bulk = datetime(2026, 5, 12, 14, 3, 28, 100_000, tzinfo=timezone.utc)

    def line(time, order):
        stamp = f"{time.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
        return {"created_at": stamp, "amount": -5, "action": "Order", "order": {"id": order}}

    ledger = [line(bulk, f"A{number}") for number in range(above)] + [line(bulk, "B") for _ in range(equal)]
    ledger += [line(bulk - timedelta(hours=1), "C") for _ in range(30)]

    def handle(_, query):
        if api.count("transactions") == at:
            ledger[:0] = [line(bulk + timedelta(milliseconds=later), "D") for _ in range(2)]
        return {"transactions": cut(ledger, query)}

    with JsonApi(handle) as api:
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, STREAM), concurrency=1)
    keys = {row["_sdc_key"] for row in output.records.get(STREAM, ()) if row["order"]["id"] == "B"}
    assert len(keys) == equal or (output.code and not keys), output.log


@pytest.mark.parametrize(("above", "equal"), [(0, 150), (250, 750), (40, 1100)])
def test_many_equal_lines_cost_two_requests_more_for_each_of_their_pages(tmp_path, above, equal):
    lines = [{"created_at": "2026-05-12T14:03:28.100Z", "amount": number} for number in range(above)]
    lines += [{"created_at": "2026-05-12T14:03:28.100Z", "amount": -5} for _ in range(equal)]
    with JsonApi(lambda _, query: {"transactions": cut(lines, query)}) as api:
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, STREAM), concurrency=1)
    assert output.code == 0, output.log
    assert len({row["_sdc_key"] for row in output.records[STREAM]}) == above + equal
    assert len(api.paths) <= 3 * (above + equal) / 99 + 6
