"""What tap-billing should emit of the sandbox's rows."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec

from support import KEY

STREAMS = ("customers", "subscriptions", "invoices", "coupons", "transactions")
KEYS = {"invoices": "uid"}
NUMBERS_AS_STRINGS = {"coupons": "conversion_limit", "transactions": "quantity"}
TOKENS = ("vault_token", "customer_vault_token", "chargify_token")


def settings(sandbox, **more):
    return {"api_url": f"{sandbox.url}/billing", "api_key": KEY, **more}


def key_of(stream, row):
    return (row[KEYS.get(stream, "id")],)


def expected(sandbox, stream):
    """The sandbox's rows as the tap should emit them, by key: without tokens."""
    sent = msgspec.json.Encoder(decimal_format="number").encode(sandbox.data["billing"][stream])
    rows = {key_of(stream, row): row for row in json.loads(sent, parse_float=Decimal)}
    field = NUMBERS_AS_STRINGS.get(stream)
    for row in rows.values():
        if row.get(field) is not None:
            row[field] = str(row[field])
        if isinstance(row.get("percentage"), str):
            row["percentage"] = Decimal(row["percentage"])
        for profile in (row.get("credit_card") or {}, row.get("bank_account") or {}):
            for token in TOKENS:
                profile.pop(token, None)
    return rows


def assert_all(output, sandbox, streams=STREAMS):
    output.check()
    assert set(output.schemas) == set(STREAMS)
    for stream in streams:
        truth = expected(sandbox, stream)
        assert output.rows(stream) == truth
        assert len(output.records[stream]) == len(truth)
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)


def requests_of(sandbox):
    """How often each list was asked for."""
    counts = dict.fromkeys(STREAMS, 0)
    for entry in sandbox.requests:
        counts[entry.path.removeprefix("/billing/").removesuffix(".json")] += 1
    return counts
