"""Flattening: fields that would be one column are named where they are written, and names stay short."""

from __future__ import annotations

import pytest

from in_process import call, said, select
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling
from two_taps import billing


@pytest.mark.parametrize(
    ("tap", "stream", "settings", "setting"),
    [
        (TapBilling, "subscriptions", {"flattening_max_key_length": 12}, "flattening_max_key_length"),
        (TapPromotions, "participations", {"flattening_separator": "_"}, "flattening_separator"),
    ],
)
def test_J05_fields_that_would_be_one_column_are_named(tmp_path, tap, stream, settings, setting):
    more = {"flattening_enabled": True, "flattening_max_depth": 3, **settings}
    output = call(tap, tmp_path, catalog=select(tap, stream), **more)
    assert output.code == 1
    (line,) = said(output)
    assert line.startswith(f"{setting}: {stream}: ")
    assert " and " in line
    assert "would both be the column" in line


@pytest.mark.parametrize("settings", [{"flattening_max_key_length": 12}, {"flattening_separator": "_"}])
@pytest.mark.parametrize(
    ("streams", "maps"),
    [
        (["coupons"], {}),
        (["coupons"], {"*": {"tenant": "'acme'"}}),
        (["coupons", "subscriptions"], {"subscriptions": None}),
        (["coupons", "subscriptions"], {"coupons": {}, "__else__": None}),
        (["coupons", "subscriptions"], {"s*": {}, "subs*": "__NULL__"}),
    ],
)
def test_J05_fields_of_streams_that_are_not_written_do_not_matter(tmp_path, streams, maps, settings):
    more = {"flattening_enabled": True, "flattening_max_depth": 3, "stream_maps": maps, **settings}
    with billing() as api:
        output = call(TapBilling, tmp_path, url=api.url, catalog=select(TapBilling, *streams), **more)
    assert output.code == 0, output.log
    assert set(output.records) == {"coupons"}


def test_J05_fields_of_a_copy_of_a_stream_that_is_taken_away_matter(tmp_path):
    maps = {"subscriptions": None, "c": {"__source__": "subscriptions"}}
    more = {"flattening_enabled": True, "flattening_max_depth": 3, "flattening_separator": "_"}
    output = call(TapBilling, tmp_path, catalog=select(TapBilling, "subscriptions"), stream_maps=maps, **more)
    assert output.code == 1
    assert said(output)[0].startswith("flattening_separator: subscriptions: ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"flattening_enabled": True}, "flattening_max_depth must be set"),
        ({"flattening_enabled": True, "flattening_max_depth": -1}, "flattening_max_depth must be set"),
        ({"flattening_enabled": True, "flattening_max_depth": "x"}, "flattening_max_depth must be a whole"),
        ({"flattening_enabled": "maybe"}, "flattening_enabled must be true or false"),
        ({"flattening_separator": 3}, "flattening_separator must be a text"),
    ],
)
@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
def test_J05_a_bad_flattening_is_named(tmp_path, tap, settings, words):
    output = call(tap, tmp_path, **settings)
    assert output.code == 1
    assert said(output)[0].startswith(words)


@pytest.mark.parametrize("tap", [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling])
def test_flattened_names_are_no_longer_than_postgresql_takes(tap):
    config = {tap.key_setting: "k", "api_url": "http://localhost", "flattening_enabled": True}
    everything = select(tap, *(found.name for found in tap.stream_types))
    for depth in (1, 2, 9):
        streams = tap(config={**config, "flattening_max_depth": depth}, catalog=everything).streams.values()
        names = {name for found in streams for name in found.stream_maps[0].transformed_schema["properties"]}
        assert len(names) > 50
        assert {name for name in names if len(name) > 63} == set()
