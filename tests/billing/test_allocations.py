"""The allocations of components: the fifty newest of each list, and keys of those without an id."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from api_sandbox.billing import lists
from billing.truth import assert_all, only, run, settings
from json_api import JsonApi
from tap_billing.tap import TapBilling


def test_a_list_that_ends_with_the_fiftieth_row_claims_no_deletes(small, caplog):
    catalog = only("allocations", "usages")
    output = run(TapBilling, settings(small, emit_activate_version_messages=True), catalog=catalog)
    full = [place for place, rows in small.data["billing"]["allocations"].items() if len(rows) == 50]
    assert len(full) == 2
    for place in full:
        subscription, component = place.split("/")
        assert f"allocations {subscription} {component}: the API sends the first rows" in caplog.text
    versions = [found["stream"] for found in output.messages if found["type"] == "ACTIVATE_VERSION"]
    assert versions == ["usages"]


def test_allocations_that_go_on_after_the_fiftieth_row(small, monkeypatch, caplog):
    monkeypatch.setattr(lists, "_NEWEST", 10**6)
    tables, numbers = small.data["billing"]["allocations"], itertools.count(1)
    for rows in tables.values():
        rows += [{**row, "allocation_id": next(numbers)} for row in rows[:30]]
    output = run(TapBilling, settings(small), catalog=only("allocations"))
    assert_all(output, small, ["allocations"], schemas=["allocations"])
    assert max(map(len, tables.values())) == 80
    assert "first rows" not in caplog.text


def allocations_of_one_component(answer, **more):
    """What a tap writes of the allocations of one component, given the rows of a page by its number."""
    component = {"subscription_id": 1, "component_id": 2, "kind": None, **more}
    asked = []

    def handle(path, query):
        if path == "/subscriptions_components.json":
            return {"subscriptions_components": [component] if query["page"] == "1" else []}
        asked.append(path.split("/")[-1])
        if path.endswith("usages.json"):
            return []
        return [{"allocation": row} for row in answer(int(query["page"]))]

    with JsonApi(handle) as api:
        config = {**settings(api), "api_url": api.url, "emit_activate_version_messages": True}
        output = run(TapBilling, config, catalog=only("allocations", "usages"))
    return output, asked


def allocated(number):
    return {"allocation_id": number, "quantity": number}


@pytest.mark.parametrize("new", [0, 1, 49])
@pytest.mark.parametrize("count", [200, 50, 20])
def test_a_server_that_heeds_no_page_sends_the_newest_alone(count, new):
    """Rows that are made between two requests move what it sends."""

    def answer(page):
        newest = count + (new if page > 1 else 0)
        return [allocated(number) for number in range(newest, 0, -1)][:50]

    output, _ = allocations_of_one_component(answer)
    numbers = {row["allocation_id"] for row in output.records["allocations"]}
    assert numbers >= set(range(max(1, count - 49), count + 1))
    versions = [found["stream"] for found in output.messages if found["type"] == "ACTIVATE_VERSION"]
    assert ("allocations" in versions) is (count + new < 50)


def test_a_page_of_allocations_that_was_empty_once_ends_no_list():
    rows, asked = [allocated(number) for number in range(45, 0, -1)], []

    def answer(page):
        asked.append(page)
        return [] if asked.count(2) == 1 == page - 1 else rows[20 * page - 20 : 20 * page]

    output, _ = allocations_of_one_component(answer)
    assert {row["allocation_id"] for row in output.records["allocations"]} == set(range(1, 46))


@pytest.mark.parametrize("kind", [None, "", "new_component", "absent"])
def test_a_component_of_a_kind_that_is_not_known_may_have_any_list(kind):
    _, asked = allocations_of_one_component(lambda page: [], kind=kind)
    assert set(asked) == {"allocations.json", "usages.json"}


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "5"},
        {"quantity": Decimal("5.00")},
        {"previous_quantity": "0.50"},
        {"timestamp": "2026-01-01T02:00:00+02:00"},
        {"timestamp": "2026-01-01T00:00:00.000Z"},
        {"subscription_id": "1"},
    ],
)
def test_the_key_of_a_row_without_an_id_is_one_however_it_is_written(change):
    tap = TapBilling(config={"api_url": "https://acme.chargify.com", "api_key": "k"})
    row = {
        "subscription_id": 1,
        "component_id": 2,
        "timestamp": "2026-01-01T00:00:00Z",
        "quantity": 5,
        "previous_quantity": Decimal("0.5"),
        "memo": "5.0",
    }

    def key(**changes):
        return tap.streams["allocations"].post_process({**row, **changes})["_sdc_key"]

    assert key(**change) == key()
    assert (
        len({key(), key(quantity=6), key(quantity=None), key(memo="5"), key(quantity=Decimal("5.01"))}) == 5
    )


@pytest.mark.parametrize(
    "facts",
    [
        *({name: "\ud800"} for name in ("timestamp", "quantity", "memo")),
        *({"memo": memo} for memo in (["\ud800"], {"\ud800": 1})),
        {"allocation_id": ""},
    ],
    ids=str,
)
def test_D06_I01_an_allocation_without_an_id_has_a_key_whatever_it_says(facts):
    rows = [{"timestamp": "2026-01-01T00:00:00Z", "quantity": 1, **facts}, allocated(5)]
    output, _ = allocations_of_one_component(lambda page: rows if page == 1 else [])
    keys = [row["_sdc_key"] for row in output.records["allocations"]]
    assert [len(key) for key in keys] == [64, 1]
