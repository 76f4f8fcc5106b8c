"""Paths and addresses with names to be filled in: each is filled, or named."""

from __future__ import annotations

from typing import ClassVar

import pytest

from in_process import call, said, select
from json_api import JsonApi
from tap_billing.tap import TapBilling
from tap_core import ApiStream, SinglePage
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions


def test_a_path_with_a_name_that_nothing_fills_is_named(tmp_path):
    class Lost(ApiStream):
        name = "lost"
        path = "/shops/{shop_id}/lost"
        schema: ClassVar = {"properties": {"id": {"type": "integer"}}}

        def get_new_paginator(self):
            return SinglePage()

    class Tap(TapEvents):
        stream_types = (Lost,)

    output = call(Tap, tmp_path)
    assert output.code == 1
    assert "lost: nothing gives `shop_id` of its path /shops/{shop_id}/lost" in said(output)[-1]


def test_an_address_with_a_name_that_nothing_fills_is_named(tmp_path):
    output = call(TapBilling, tmp_path, url="https://{subdomain}.chargify.com")
    assert output.code == 1
    assert said(output)[0].startswith("api_url holds {subdomain}, which is to be filled in")


@pytest.mark.parametrize("key", ["\ud800", "..", ""])
def test_an_id_that_makes_no_path_costs_its_own_list_alone(tmp_path, key):
    def promotions(path, query):
        if path == "/promotions":
            return {"items": [{"id": "a"}, {"id": key or "."}, {"id": "b"}], "paging": {"next_cursor": None}}
        return {"items": [{"id": path.split("/")[-1]}], "paging": {"next_cursor": None}}

    with JsonApi(promotions) as api:
        catalog = select(TapPromotions, "stages")
        output = call(TapPromotions, tmp_path, url=api.url, catalog=catalog)
    assert output.code == 2
    assert "makes no path" in said(output)[0]
    assert len(output.records["stages"]) == 2
