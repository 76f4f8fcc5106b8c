"""Stream maps of more streams than are read: they hold for those that are, and are passed over for others."""

from __future__ import annotations

import pytest

from in_process import call, said, select
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from two_taps import CUSTOMERS, billing, events

MAPS_OF_OTHERS = [
    {"*": {"source": "'acme'"}},
    {"*": {"__filter__": "True"}},
    {"*": {"email": None}},
    {"subscriptions": {"state": "state"}, "usages": {"quantity": "quantity"}},
    {"subscriptions": {"id": None}, "components": {"__key_properties__": ["handle"]}},
]


@pytest.mark.parametrize("maps", MAPS_OF_OTHERS, ids=str)
def test_J05_maps_of_streams_that_are_not_selected_are_passed_over(tmp_path, maps):
    with billing() as api:
        catalog = select(TapBilling, "customers")
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog, stream_maps=maps)
    assert output.code == 0
    assert len(output.records["customers"]) == len(CUSTOMERS)
    assert all(row.get("source") == "acme" for row in output.records["customers"]) == ("source" in str(maps))


def test_J05_one_map_of_all_streams_that_are_on_by_default(tmp_path):
    maps = {"*": {"tenant": "'acme'"}}
    for tap, account in ((TapBilling, billing), (TapEvents, events)):
        with account() as api:
            output = call(tap, tmp_path, url=api.url, stream_maps=maps)
        assert "stream_maps" not in output.log
        assert all(row["tenant"] == "acme" for rows in output.records.values() for row in rows)
        assert output.records


def test_J05_a_mistake_in_a_map_of_a_selected_stream_is_told_all_the_same(tmp_path):
    with billing() as api:
        catalog = select(TapBilling, "customers")
        maps = {"cust*": {"name": "nickname.upper()"}}
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog, stream_maps=maps)
    assert output.code == 1
    assert "uses `nickname`, which is neither a field that is read" in said(output)[0]
