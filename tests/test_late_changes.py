"""What changes without moving a replication key is read again, as far back as each stream says."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import parse_qsl

import pytest

from json_api import cut, numbered
from raw_server import RawServer, answer
from support import KEY, discovered, run
from tap_billing.tap import TapBilling
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

REFUND = {"total": 5, "currency_code": "USD"}


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def refund_order(row):
    row["payment"]["refund"] = REFUND


def refund_line(row):
    row["order"]["payment"]["refund"] = REFUND


def deliver(row):
    row["delivery"]["status"] = "A LATE ONE"


def refund_payment(row):
    row["refunded_amount_in_cents"] = 123_456


@pytest.mark.parametrize(
    ("tap", "stream", "table", "days", "fits", "change"),
    [
        (TapRewards, "orders", "orders", 30, lambda row: row.get("payment"), refund_order),
        (TapRewards, "rewards", "rewards", 30, lambda row: row.get("delivery"), deliver),
        (TapRewards, "balance_transactions", "transactions", 30, lambda row: row.get("order"), refund_line),
        (TapBilling, "transactions", "transactions", 7, lambda row: True, refund_payment),
    ],
)
def test_H02_a_change_that_moves_no_replication_key(api, tap, stream, table, days, fits, change):
    name = tap.name.removeprefix("tap-")
    config = {"api_url": f"{api.url}/{name}", "api_key": KEY}
    first = run(tap, config)
    rows = api.data[name][table]
    newest = max(moment(row["created_at"]) for row in rows)
    ages = [(newest - moment(row["created_at"]), row) for row in rows if fits(row)]
    _, oldest = max((found for found in ages if found[0] < timedelta(days=days)), key=lambda found: found[0])
    change(oldest)
    before = [row for row in first.records[stream] if row["created_at"] == oldest["created_at"]]
    second = run(tap, config, state=first.state)
    after = [row for row in second.records[stream] if row["created_at"] == oldest["created_at"]]
    changed = [row for row in after if row not in before]
    assert len(changed) == 1
    key = second.schemas[stream][0]["key_properties"][0]
    assert changed[0][key] in {row[key] for row in before}


@pytest.mark.parametrize("tap", [TapBilling, TapScheduling])
def test_A10_the_bookmark_never_passes_the_servers_clock(tap):
    """Here this machine's clock is a day ahead: what the server calls later may change while it is read."""
    now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    before, after = ((now + timedelta(hours=hours)).isoformat() for hours in (-1, 1))
    customers, bookings = (
        [{"id": number, key: at} for number, at in enumerate((before, after), 1)]
        for key in ("updated_at", "updatedAt")
    )

    def reply(path, sock):
        name, _, text = path.rpartition("/")[2].partition("?")
        query = dict(parse_qsl(text))
        if name == "customers.json":
            body = [{"customer": row} for row in numbered(customers, query)]
        else:
            body = {"status": "success", "data": cut(bookings, query, start="skip", size="take")}
        return answer(body, Date=format_datetime(now, usegmt=True))

    stream = {TapBilling: "customers", TapScheduling: "bookings"}[tap]
    with RawServer(reply) as server:
        config = {"api_url": server.url, "api_key": KEY}
        catalog = discovered(tap)
        catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] == stream]
        output = run(tap, config, catalog=catalog)
    assert len(output.rows(stream)) == 2
    assert output.state["bookmarks"][stream]["replication_key_value"] == before
