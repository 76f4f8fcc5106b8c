"""All streams of all taps: in one order wherever they are listed, and each column with its meaning."""

import re
from pathlib import Path

import pytest

import streams
from tap_billing.tap import TapBilling
from tap_core import receipt
from tap_core.records.values import types_of
from tap_core.settings import RECEIPT
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

PAGE = (Path(__file__).parents[2] / "docs" / "streams.md").read_text(encoding="utf-8")
NESTED = {"array", "object"}
every_tap = pytest.mark.parametrize(
    "tap", [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling], ids=lambda tap: tap.name
)


def columns(tap):
    """The columns of each table, in the catalog's order."""
    catalog = tap(config={}, validate_config=False, setup_mapper=False).catalog_dict
    return {entry["tap_stream_id"]: entry["schema"]["properties"] for entry in catalog["streams"]}


@every_tap
def test_every_column_says_what_it_means(tap):
    tables = columns(tap)
    assert all("_sdc_unmapped" in fields for fields in tables.values())
    tables[RECEIPT] = receipt.FIELDS
    described = {
        f"{table}.{name}": field.get("description", "").strip()
        for table, fields in tables.items()
        for name, field in fields.items()
    }
    assert [name for name, words in described.items() if not words] == []


@every_tap
def test_no_column_has_two_shapes(tap):
    """Loaders make such a column JSON, and stop at the first plain text in it."""
    shapes = {
        f"{table}.{name}": {*types_of(field)} - {"null"}
        for table, fields in columns(tap).items()
        for name, field in fields.items()
    }
    assert {name: kinds for name, kinds in shapes.items() if len(kinds) > 1 and kinds & NESTED} == {}


@every_tap
def test_streams_are_listed_by_what_they_are_about(tap):
    names = [kind.name for kinds in tap.subjects.values() for kind in kinds]
    assert list(columns(tap)) == names
    about = tap.description().removeprefix(tap.__doc__)
    assert ", ".join(re.findall(r": ([\w, ]+)\.", about)).split(", ") == names
    assert re.findall(rf"\]\({tap.name}\.md#(\w+)\)", PAGE) == names


@every_tap
def test_other_connectors_have_lists_that_there_are(tap):
    there = {kind.name for kind in tap.stream_types}
    assert {name for lists in streams.ALSO_IN[tap.name].values() for name in lists.split()} <= there
