"""What the tap should emit of the sandbox's rows."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

from api_sandbox.api import Reply

TABLES = {"account_members": "members", "balance_transactions": "transactions"}
STREAMS = (
    "orders",
    "products",
    "funding_sources",
    "account_members",
    "campaigns",
    "organizations",
    "balance_transactions",
    "rewards",
    "members",
    "invoices",
    "topups",
    "forex",
    "fraud_reviews",
    "fraud_rules",
    "fields",
    "roles",
    "webhooks",
)
OFF = ("connected_organizations", "connected_organization_members")
"""Lists that are read only where they are selected."""

INCREMENTAL = ("orders", "balance_transactions", "rewards")
PATH = "/rewards/v2"


def expected(api, stream):
    """The sandbox's rows as the tap should emit them, in order: no secrets, days as times."""
    rows = json.loads(Reply(api.data["rewards"][TABLES.get(stream, stream)]).encoded(), parse_float=Decimal)
    if stream == "invoices":
        rows = [row for row in rows if row["status"] != "DELETED"]
    for row in rows:
        row.pop("access_token", None)
        row.pop("private_key", None)
        row.update({"base": "USD"} if stream == "forex" else {})
        row.update({"reward_id": row["reward"]["id"]} if stream == "fraud_reviews" else {})
        for name in ("created_at", "paid_at") if stream == "invoices" else ():
            if row[name] and len(row[name]) == 10:
                row[name] += "T00:00:00Z"
    return rows


def without_key(rows):
    return [{name: value for name, value in row.items() if name != "_sdc_key"} for row in rows]


def bag(rows):
    """Rows that can be compared whatever their order, equal ones counted."""
    return Counter(json.dumps(row, sort_keys=True, default=str) for row in without_key(rows))


def assert_all(output, api, streams=STREAMS):
    """Every row of every stream once, and in order."""
    output.check()
    for stream in streams:
        assert without_key(output.records[stream]) == expected(api, stream), stream
        assert len(output.rows(stream)) == len(output.records[stream]), stream
