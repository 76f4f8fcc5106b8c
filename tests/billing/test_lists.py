"""The further lists of tap-billing: every row and value, what is asked for, and what leaves rows out."""

from __future__ import annotations

import pytest

from billing.truth import (
    KEYS,
    LEGACY,
    OFF,
    PATHS,
    STREAMS,
    assert_all,
    only,
    rows_of,
    run,
    settings,
)
from support import run as run_all
from tap_billing.tap import TapBilling

ADDED = [stream for stream in PATHS if stream not in STREAMS]
PARENTS = ("subscriptions", "subscription_components")

SENT = {
    "products": "include_archived=true",
    "product_price_points": (
        "direction=asc&filter%5Btype%5D=catalog%2Cdefault%2Ccustom&include=currency_prices"
    ),
    "components": "include_archived=true",
    "component_price_points": (
        "direction=asc&filter%5Btype%5D=catalog%2Cdefault%2Ccustom&include=currency_prices"
    ),
    "offers": "include_archived=true",
    "subscription_components": "sort=id&direction=asc&date_field=updated_at",
    "subscription_groups": "include%5B%5D=account_balances",
    "events": "direction=asc",
    "invoice_events": "with_change_invoice_status=true",
    "credit_notes": "line_items=true&discounts=true&taxes=true&refunds=true&applications=true",
    "statements": "sort=created_at&direction=asc",
    "subscription_metafields": "direction=asc",
    "customer_metafields": "direction=asc",
    "subscription_metadata": "with_deleted=true&direction=asc",
    "customer_metadata": "with_deleted=true&direction=asc",
}
"""What each request of a list begins with; lists that are not named send page and per_page alone."""


def test_streams_keys_and_parents():
    tap = TapBilling(config={"api_url": "https://acme.chargify.com", "api_key": "k"})
    assert set(tap.streams) == {*PATHS, *OFF}
    for name, stream in tap.streams.items():
        assert tuple(stream.primary_keys) == KEYS.get(name, ("id",)), name
        assert stream.selected is (name not in OFF)
        if name not in OFF:
            assert stream.path == f"/{PATHS[name]}"
    incremental = {
        name: stream.replication_key for name, stream in tap.streams.items() if name not in STREAMS
    }
    assert {name: key for name, key in incremental.items() if key} == {
        "subscription_components": "updated_at",
        "events": "id",
        "invoice_events": "id",
        "usages": "created_at",
    }


def test_every_column_says_what_it_is():
    tap = TapBilling(config={"api_url": "https://acme.chargify.com", "api_key": "k"})
    for stream in tap.streams.values():
        fields = stream.schema["properties"]
        assert [name for name, schema in fields.items() if not schema.get("description")] == [], stream.name


def test_every_row_and_value(api):
    """By default: all lists but those that cost a request per subscription or component."""
    output = run_all(TapBilling, settings(api))
    assert_all(output, api, PATHS, schemas=PATHS)
    asked = {entry.path.removeprefix("/billing/") for entry in api.requests}
    assert asked == set(PATHS.values())


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        pytest.param("page_cap", {"size": 73}, id="pages smaller than asked for"),
        pytest.param("ignore_paging", {}, id="paging ignored"),
        pytest.param("status", {"status": 503, "first_attempts": True}, id="first attempts fail"),
    ],
)
def test_every_row_in_spite_of(api, kind, rule):
    api.fault(kind, **rule)
    output = run(TapBilling, settings(api), catalog=only(*ADDED))
    assert_all(output, api, ADDED, schemas=ADDED)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        pytest.param("latency", {"seconds": 0}, id="as it should be"),
        pytest.param("page_cap", {"size": 30}, id="pages smaller than asked for"),
        pytest.param("ignore_paging", {}, id="paging ignored"),
        pytest.param("status", {"status": 503, "first_attempts": True}, id="first attempts fail"),
    ],
)
def test_every_row_below_subscriptions_in_spite_of(small, kind, rule):
    small.fault(kind, **rule)
    output = run(TapBilling, settings(small), catalog=only(*OFF, *PARENTS))
    streams = (*OFF, *PARENTS)
    assert_all(output, small, streams, schemas=streams)


def test_what_is_asked_for(api):
    run(TapBilling, settings(api), catalog=only(*ADDED))
    for stream in ADDED:
        if stream == "legacy_invoices":
            continue
        queries = [entry.query for entry in api.requests if entry.path == f"/billing/{PATHS[stream]}"]
        assert queries, stream
        if stream in {"site", "product_families"}:
            assert queries == [""]
            continue
        sent = f"{SENT[stream]}&" if stream in SENT else ""
        assert queries[0] == f"{sent}page=1&per_page=200"
        assert all(query.startswith(f"{sent}page=") for query in queries)


@pytest.mark.parametrize(
    ("stream", "field", "value"),
    [
        ("product_price_points", "type", "custom"),
        ("component_price_points", "type", "custom"),
        ("invoice_events", "event_type", "change_invoice_status"),
    ],
)
def test_rows_that_come_only_if_asked_for(api, stream, field, value):
    output = run(TapBilling, settings(api), catalog=only(stream))
    assert value in {row[field] for row in output.records[stream]}


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("products", "archived_at"),
        ("components", "archived_at"),
        ("offers", "archived_at"),
        ("subscription_metadata", "deleted_at"),
        ("customer_metadata", "deleted_at"),
        ("subscription_groups", "account_balances"),
        ("product_price_points", "currency_prices"),
        ("component_price_points", "currency_prices"),
        *[("credit_notes", part) for part in ("line_items", "discounts", "taxes", "refunds", "applications")],
    ],
)
def test_parts_and_archived_rows_that_come_only_if_asked_for(api, stream, field):
    output = run(TapBilling, settings(api), catalog=only(stream))
    assert any(row.get(field) is not None for row in output.records[stream])


def test_vault_tokens_never_leave_the_tap(small):
    """Wherever they are, in fields that the schema does not know too."""
    tables = small.data["billing"]
    for stream in (*PATHS, *OFF):
        if stream not in LEGACY:
            for row in rows_of(small, stream):
                row |= {"vault_token": "canary", "more": {"deep": [{"chargify_token": "canary"}]}}
    tables["events"][0]["event_specific_data"] = {"a": [{"customer_vault_token": "canary"}]}
    tables["invoice_events"][5]["event_data"] = {"payment_method": {"vault_token": "canary"}}
    output = run(TapBilling, settings(small), catalog=only(*PATHS, *OFF))
    assert len(output.records) > 20
    assert "canary" not in output.text
    assert "vault_secret" not in output.text


def test_subscriptions_name_their_customer_and_product(api):
    rows = api.data["billing"]["subscriptions"]
    rows[0] |= {"customer_id": 5, "product_id": None}
    rows[1]["product"] = None
    output = run(TapBilling, settings(api), catalog=only("subscriptions"))
    emitted = [output.rows("subscriptions")[(row["id"],)] for row in rows[:3]]
    assert [row["customer_id"] for row in emitted] == [5, *(row["customer"]["id"] for row in rows[1:3])]
    assert emitted[0]["product_id"] == rows[0]["product"]["id"]
    assert emitted[1].get("product_id") is None


def test_a_group_without_rows_and_a_site_without_lists(api):
    """Empty lists in each of the envelopes."""
    tables = api.data["billing"]
    for stream in PATHS:
        if stream not in (*LEGACY, "site"):
            tables[stream] = []
    output = run_all(TapBilling, settings(api))
    assert set(output.records) == {"site"}
    assert set(output.schemas) == set(PATHS)
