"""What tap-billing should emit of the sandbox's rows."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from decimal import Decimal

import msgspec

import support
from support import KEY
from tap_billing.tap import TapBilling

STREAMS = ("customers", "subscriptions", "invoices", "coupons", "transactions")
"""Those of the tests that need no others: what is asked of five lists takes less time than of thirty."""

PATHS = {
    **{stream: f"{stream}.json" for stream in STREAMS},
    "site": "site.json",
    "products": "products.json",
    "product_families": "product_families.json",
    "product_price_points": "products_price_points.json",
    "components": "components.json",
    "component_price_points": "components_price_points.json",
    "offers": "offers.json",
    "subscription_components": "subscriptions_components.json",
    "subscription_groups": "subscription_groups.json",
    "payment_profiles": "payment_profiles.json",
    "events": "events.json",
    "invoice_events": "invoices/events.json",
    "credit_notes": "credit_notes.json",
    "statements": "statements.json",
    "legacy_invoices": "invoices.json",
    "reason_codes": "reason_codes.json",
    "subscription_metafields": "subscriptions/metafields.json",
    "customer_metafields": "customers/metafields.json",
    "subscription_metadata": "subscriptions/metadata.json",
    "customer_metadata": "customers/metadata.json",
}
"""Streams that a default run reads, and their paths."""

OFF = ("usages", "allocations", "proforma_invoices")
LEGACY = ("statements", "legacy_invoices")
"""What a site has only with legacy statement billing."""

METAFIELDS = ("subscription_metafields", "customer_metafields")
METADATA = ("subscription_metadata", "customer_metadata")
KEYS = {
    **dict.fromkeys(("invoices", "subscription_groups", "credit_notes", "proforma_invoices"), ("uid",)),
    "subscription_components": ("subscription_id", "component_id"),
    "usages": ("subscription_id", "component_id", "id"),
    "allocations": ("_sdc_key",),
    **dict.fromkeys(METADATA, ("resource_id", "metafield_id", "id")),
}
NUMBERS_AS_STRINGS = {"coupons": "conversion_limit", "transactions": "quantity"}
TOKENS = ("vault_token", "customer_vault_token", "chargify_token")


def settings(sandbox, **more):
    return {"api_url": f"{sandbox.url}/billing", "api_key": KEY, **more}


def only(*streams):
    """A catalog in which just these streams are selected."""
    catalog = support.discovered(TapBilling)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


def run(tap, config, *, catalog=None, **more):
    """A run of the five streams, or of those that a catalog selects."""
    return support.run(tap, config, catalog=catalog or only(*STREAMS), **more)


def key_of(stream, row):
    return tuple(row[name] for name in KEYS.get(stream, ("id",)))


def rows_of(sandbox, stream):
    """The rows that the sandbox has for a stream, whatever list they are in."""
    tables = sandbox.data["billing"]
    if stream in LEGACY and tables["site"]["relationship_invoicing_enabled"]:
        return []
    rows = tables[stream]
    if stream == "site":
        return [rows]
    return [row for below in rows.values() for row in below] if isinstance(rows, dict) else rows


def expected(sandbox, stream):
    """The sandbox's rows as the tap should emit them, by key: without tokens."""
    sent = msgspec.json.Encoder(decimal_format="number").encode(rows_of(sandbox, stream))
    rows = [_emitted(stream, _without_tokens(row)) for row in json.loads(sent, parse_float=Decimal)]
    return {key_of(stream, row): row for row in rows}


def _without_tokens(value):
    if isinstance(value, list):
        return [_without_tokens(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_tokens(item) for name, item in value.items() if name not in TOKENS}
    return value


def _emitted(stream, row):
    field = NUMBERS_AS_STRINGS.get(stream)
    if row.get(field) is not None:
        row[field] = str(row[field])
    if isinstance(row.get("percentage"), str):
        row["percentage"] = Decimal(row["percentage"])
    if stream == "subscriptions":
        row |= {f"{name}_id": row[name]["id"] for name in ("customer", "product") if name in row}
    elif stream in METAFIELDS and isinstance(row["enum"], str):
        row["enum"] = [row["enum"]]
    elif stream in METADATA:
        row |= {name: 0 for name in KEYS[stream] if row[name] is None}
    elif stream == "allocations":
        row["_sdc_key"] = _allocation_key(row)
    elif stream == "statements":
        row["transactions"] = [found.get("transaction", found) for found in row["transactions"]]
        row["events"] = [found["event"] for found in row["events"]]
    return row


def _allocation_key(row):
    if "allocation_id" in row:
        return str(row["allocation_id"])
    names = ("subscription_id", "component_id", "quantity", "previous_quantity")
    subscription, component, after, before = (format(Decimal(row[name]).normalize(), "f") for name in names)
    time = datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")).astimezone(timezone.utc)
    facts = [subscription, component, f"{time:%Y-%m-%dT%H:%M:%SZ}", after, before, row["memo"]]
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def assert_all(output, sandbox, streams=STREAMS, *, schemas=STREAMS):
    output.check()
    assert set(output.schemas) == set(schemas)
    for stream in streams:
        truth = expected(sandbox, stream)
        assert output.rows(stream) == truth, stream
        assert len(output.records.get(stream, [])) == len(truth), stream
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)


def requests_of(sandbox):
    """How often each list was asked for."""
    counts = dict.fromkeys(STREAMS, 0)
    for entry in sandbox.requests:
        counts[entry.path.removeprefix("/billing/").removesuffix(".json")] += 1
    return counts
