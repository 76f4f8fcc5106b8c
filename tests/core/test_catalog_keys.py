"""Keys and rules of a catalog's schema: they hold, or are refused or named."""

from __future__ import annotations

import pytest

from in_process import call, entry_of, refusal, said, select, with_entry
from json_api import JsonApi
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from two_taps import CUSTOMERS, billing


def read(folder, catalog):
    with billing() as api:
        return call(TapBilling, folder, url=api.url, catalog=catalog)


def test_another_name_of_a_stream_is_ignored_with_a_line(tmp_path):
    catalog = select(TapBilling, "customers")
    entry_of(catalog, "customers")["stream"] = "clients"
    entry_of(catalog, "products")["stream"] = "goods"  # which is not read
    output = read(tmp_path, catalog)
    assert (output.code, set(output.records)) == (0, {"customers"})
    text = "catalog: customers: `stream` is ignored: `__alias__` in stream_maps has rows written as clients"
    assert said(output, "WARNING") == [text]


# The keys


@pytest.mark.parametrize("how", ["table-key-properties", "entry"])
def test_J08_other_keys_of_the_table(tmp_path, how):
    catalog = select(TapBilling, "customers", **({} if how == "entry" else {how: ["email"]}))
    if how == "entry":
        with_entry(catalog, "customers", key_properties=["email"])
    output = read(tmp_path, catalog)
    assert output.code == 0
    assert output.schemas["customers"][0]["key_properties"] == ["email"]
    assert len(output.records["customers"]) == len(CUSTOMERS)


def test_J08_rows_are_told_apart_by_the_api_s_own_keys(tmp_path):
    """Were they told apart by the table's, a list of two pages would seem to repeat itself."""
    rows = [
        {"id": number, "email": "the same", "updated_at": "2026-01-01T00:00:00Z"} for number in range(500)
    ]
    with billing(rows) as api:
        catalog = select(TapBilling, "customers", table_key_properties=["email"])
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog)
    assert output.code == 0
    assert len(output.records["customers"]) == len(rows)


# Rules of a schema, and keys, that no record is made for


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ("anyOf", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("oneOf", {"oneOf": [{"type": "integer"}, {"type": "number"}]}),
        ("enum", {"type": ["string", "null"], "enum": ["Y", None]}),
        ("maxLength", {"type": "string", "maxLength": 0}),
        ("pattern", {"type": "array", "items": {"type": "string", "pattern": "^Y$"}}),
        ("minimum", {"type": "object", "properties": {"inner": {"type": "integer", "minimum": 9}}}),
    ],
)
@pytest.mark.parametrize(
    ("tap", "stream", "name"), [(TapBilling, "customers", "email"), (TapEvents, "events", "title")]
)
@pytest.mark.parametrize("selected", [True, False])
def test_a_rule_that_no_record_is_held_to_is_named(tmp_path, tap, stream, name, rule, field, selected):
    """Loaders make their columns by some of them."""
    catalog = select(tap, stream)
    entry_of(catalog, stream)["schema"]["properties"][name] = field
    if not selected:
        entry_of(catalog, stream)["metadata"].append(
            {"breadcrumb": ["properties", name], "metadata": {"selected": False}}
        )
    rows = {"events": [{"id": 1}]} if tap is TapEvents else [{"customer": {"id": 1}}]
    with JsonApi(lambda _, query: rows) as api:
        output = call(tap, tmp_path, url=api.url, catalog=catalog)
    assert output.code == 0
    assert (f"catalog: {stream}: `{name}" in output.log) == selected
    assert (f"has the rule `{rule}`" in output.log) == selected


@pytest.mark.parametrize("required", [["email"], []])
def test_a_field_that_is_required_is_such_a_rule(tmp_path, required):
    catalog = select(TapBilling, "customers")
    entry_of(catalog, "customers")["schema"]["required"] = required
    output = read(tmp_path, catalog)
    assert output.code == 0
    assert ("catalog: customers: its schema has the rule `required`" in output.log) == bool(required)


def test_a_rule_of_a_stream_that_is_not_read_is_none_of_a_run(tmp_path):
    catalog = select(TapBilling, "customers")
    entry_of(catalog, "coupons")["schema"]["properties"]["code"] = {"type": "string", "enum": ["Y"]}
    output = read(tmp_path, catalog)
    assert output.code == 0
    assert len(output.records["customers"]) == len(CUSTOMERS)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "table-key-properties is empty: `__key_properties__` in stream_maps"),
        (["_sdc_unmapped"], "table-key-properties: `_sdc_unmapped` is an object or a list"),
        (["id", "id"], "table-key-properties: `id` is in it twice"),
    ],
)
@pytest.mark.parametrize("how", ["table-key-properties", "entry"])
@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapEvents, "events")])
def test_a_key_that_tells_no_rows_apart_is_refused(tmp_path, tap, stream, how, keys, words):
    if how == "entry":
        catalog = with_entry(select(tap, stream, table_key_properties=None), stream, key_properties=keys)
    else:
        catalog = select(tap, stream, table_key_properties=keys)
    assert refusal(tmp_path, tap, catalog).startswith(f"catalog: {stream}: {words}")
