"""Ids that are a number in one answer and a text in another, as of two versions of a server."""

from __future__ import annotations

import msgspec
import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_core.records import jsonpath
from tap_core.records.keys import key_reader
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

COUNT = 230


def customers(rows, query):
    return numbered([{"customer": row} for row in rows], query, cap=50)


def events(rows, query):
    return {"pagination": [{"total": COUNT}], "events": cut(rows, query, cap=50)}


def orders(rows, query):
    """Its ids are texts by the schema."""
    return {"orders": cut(rows, query, cap=50), "total_count": COUNT}


STREAMS = {
    "customers": (TapBilling, customers, int),
    "events": (TapEvents, events, int),
    "orders": (TapRewards, orders, str),
}


def read(folder, stream, other):
    """Read a list; a third of each answer's ids, and others in each, are of another type."""
    tap, answer, kind = STREAMS[stream]
    asked = []

    def handle(path, query):
        asked.append(query)
        kinds = [kind, kind, other]
        rows = [{"id": kinds[(len(asked) + n) % 3](n), "title": f"{n}"} for n in range(1, COUNT + 1)]
        return answer(rows, query)

    with JsonApi(handle) as api:
        output = call(tap, folder, url=api.url, catalog=select(tap, stream), concurrency=1)
    return asked, output


@pytest.mark.parametrize(
    ("stream", "other"),
    [("customers", str), ("customers", float), ("events", str), ("events", float), ("orders", int)],
)
def test_D13_ids_of_changing_types_are_the_same_rows(tmp_path, stream, other):
    kind = STREAMS[stream][-1]
    clean, _ = read(tmp_path, stream, kind)
    asked, output = read(tmp_path, stream, other)
    assert output.code == 0, said(output)
    assert [row["id"] for row in output.records[stream]] == [kind(n) for n in range(1, COUNT + 1)]
    assert len(asked) < 4 * len(clean)


@pytest.mark.parametrize(
    ("schema", "sent", "key"),
    [
        ({"type": "integer"}, '"12"', 12),
        ({"type": ["null", "integer"]}, "12.0", 12),
        ({"type": "integer"}, '"012"', "012"),
        ({"type": "integer"}, '"9007199254740993"', 9007199254740993),
        ({"type": "integer"}, "9007199254740993.0", 9007199254740993),
        ({"type": "integer"}, '"abc"', "abc"),
        ({"type": ["string", "null"]}, "12", "12"),
        ({"type": ["string", "integer"]}, "12", 12),
        ({"type": ["string", "integer"]}, '"12"', "12"),
        ({}, '"12"', "12"),
        ({"type": "integer"}, "true", "(True,)"),
    ],
)
def test_D13_a_key_is_compared_as_its_schema_has_it(schema, sent, key):
    """Of one record alone, of many, and of one that is decoded already."""
    read = key_reader(["id"], {"id": schema})
    raws = [msgspec.Raw(f'{{"id": {text}}}'.encode()) for text in (sent, "1", sent)]
    keys = read.of_all(raws)
    assert [read(raw) for raw in raws] == keys
    assert [keys[0], keys[2]] == [key, key]
    assert read({"id": jsonpath.decode(msgspec.Raw(sent.encode()))}) == key
    pair = key_reader(["id", "b"], {"id": schema, "b": {"type": "string"}})
    both = [msgspec.Raw(raw[:-1] + b', "b": 5}') for raw in map(bytes, raws)]
    assert pair.of_all(both) == [pair(raw) for raw in both]
    if isinstance(key, int):
        assert pair(both[0]) == (key, "5")
