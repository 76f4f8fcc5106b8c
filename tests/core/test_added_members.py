"""Members that a tap adds to a record before it is decoded."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from msgspec import Raw

from tap_core.records import jsonpath


@pytest.mark.parametrize(
    ("text", "members", "expected"),
    [
        ('{"a": 1}', {"b": "ü"}, '{"a":1,"b":"ü"}'),
        ("{}", {"b": 2}, '{"b":2}'),
        (' {"a": 1 } ', {"b": None}, '{"a":1,"b":null}'),
        ('{"a": null, "c": 3}', {"a": [1]}, '{"a":[1],"c":3}'),
        ('{"a": 1}', {"b": Decimal("1.0837500")}, '{"a":1,"b":1.0837500}'),
        ('{"a": 1}', {}, '{"a":1}'),
        ("[1]", {"b": 2}, "[1]"),
        ("null", {"b": 2}, "null"),
    ],
)
def test_members_are_added_or_put_in_the_place_of_its_own(text, members, expected):
    node = jsonpath.with_members(Raw(text.encode()), members)
    assert isinstance(node, Raw)
    assert jsonpath.decode(node) == json.loads(expected, parse_float=Decimal)
    decoded = jsonpath.with_members(json.loads(text), members)
    assert decoded == json.loads(expected, parse_float=Decimal)


def test_what_comes_last_counts_where_a_record_is_decoded_into_its_type():
    """As `with_members` leaves a member of the same name where it was."""
    row = msgspec.defstruct("Row", ["a"])
    assert msgspec.json.decode(jsonpath.with_members(Raw(b'{"a": null}'), {"a": 1}), type=row).a == 1
