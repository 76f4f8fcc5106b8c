"""The rewards API of the sandbox as its contract describes it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import requests

from api_sandbox import SANDBOX_KEY
from rewards.truth import PATH


@pytest.fixture
def get(api):
    """GET a path of the API with the key."""

    def get(path, **params):
        headers = {"authorization": f"Bearer {SANDBOX_KEY}"}
        return requests.get(f"{api.url}{PATH}/{path}", params=params, headers=headers, timeout=5)

    return get


@pytest.mark.parametrize(
    ("path", "asked", "given"),
    [
        ("orders", None, 10),
        ("orders", 500, 420),
        ("rewards", None, 100),
        ("rewards", 900, 500),
        ("invoices", 100, 10),
        ("balance_transactions", None, 10),
        ("balance_transactions", 100, 100),
    ],
)
def test_page_sizes(api, get, path, asked, given):
    name = "transactions" if path == "balance_transactions" else path
    body = get(path, offset=0, **({"limit": asked} if asked else {})).json()
    assert len(body[name]) == given
    shown = [row for row in api.data["rewards"][name] if row.get("status") != "DELETED"]
    assert body.get("total_count") == (None if name == "transactions" else len(shown))


def test_paged_lists_are_newest_first(api):
    for name in ("orders", "rewards", "transactions"):
        times = [row["created_at"] for row in api.data["rewards"][name]]
        assert times == sorted(times, reverse=True)
        assert max(Counter(times).values()) > 1


@pytest.mark.parametrize("path", ["products", "funding_sources", "members", "campaigns", "organizations"])
def test_other_lists_know_no_paging(api, get, path):
    body = get(path, offset=5, limit=1).json()
    assert list(body) == [path]
    assert len(body[path]) == len(api.data["rewards"][path])


@pytest.mark.parametrize("path", ["orders", "balance_transactions"])
def test_windows_include_their_bounds(api, get, path):
    name = "orders" if path == "orders" else "transactions"
    times = [row["created_at"] for row in api.data["rewards"][name]]
    window = {"created_at[gte]": times[90], "created_at[lte]": times[50], "limit": 100}
    found = [row["created_at"] for row in get(path, **window).json()[name]]
    assert found == [time for time in times if times[90] <= time <= times[50]]
    assert get(path, **{"created_at[gte]": "yesterday"}).status_code == 422


def test_filters(api, get):
    order = next(row for row in api.data["rewards"]["orders"] if row["external_id"] and "campaign_id" in row)
    found = get("orders", external_id=order["external_id"], campaign_id=order["campaign_id"]).json()["orders"]
    assert [row["id"] for row in found] == [order["id"]]
    rewards = get("rewards", Study="118", limit=500).json()["rewards"]
    assert rewards
    assert all(row["custom_fields"][0]["value"] == "118" for row in rewards)
    for name, value in (("country", "DE,SE"), ("currency", "JPY"), ("subcategory", "fashion")):
        some = get("products", **{name: value}).json()["products"]
        assert 0 < len(some) < len(api.data["rewards"]["products"])


def test_details(api, get):
    order = next(row for row in api.data["rewards"]["orders"] if row["external_id"])
    for wanted in (order["id"], order["external_id"]):
        assert get(f"orders/{wanted}").json()["order"]["id"] == order["id"]
    source = api.data["rewards"]["funding_sources"][0]["id"]
    assert get(f"funding_sources/{source}").json()["funding_source"]["id"] == source
    assert get("rewards/NONE").json()["errors"]["message"] == "There is no reward NONE"


def test_errors(api, get):
    refused = requests.get(f"{api.url}{PATH}/orders", headers={"authorization": SANDBOX_KEY}, timeout=5)
    assert refused.status_code == refused.json()["status"] == 401
    assert refused.json()["errors"]["message"]
    api.fault("status", status=429)
    assert list(get("orders").json()) == ["error"]


def test_the_data_has_what_taps_stumble_over(api):
    tables = api.data["rewards"]
    lines = Counter(json.dumps(row, default=str) for row in tables["transactions"])
    assert max(lines.values()) > 1
    assert any(row["balance"] is None for row in tables["transactions"])
    assert any("currency_code" not in row for row in tables["transactions"])
    assert any(row["orders"] is None for row in tables["invoices"])
    assert any("recipient" not in row for row in tables["rewards"])
    assert max(json.dumps(tables["rewards"], default=str, ensure_ascii=False)) > "\uffff"
    assert "access_token" in tables["organizations"][0]
