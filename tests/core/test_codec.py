"""Records that fit the schema: all ways lead to the same record, and what was odd is learned."""

from __future__ import annotations

import gc
import json
import tracemalloc
from decimal import Decimal
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tap_core
from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec
from tap_core.records.conform import Conformer
from tap_core.records.secrets import Secrets
from ways import SCHEMA, codec, encoder, logger, through, ways, written

numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)


values = st.recursive(
    st.none() | st.booleans() | numbers | st.text() | st.sampled_from(["", "12", "1.50", "2026-01-31"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


fitting = st.fixed_dictionaries(
    {"id": st.integers()},
    optional={
        "text": st.none() | st.text(),
        "count": st.none() | st.integers(),
        "amount": st.none() | numbers,
        "flag": st.none() | st.booleans(),
        "day": st.none() | st.dates().map(str),
        "at": st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat(timespec="seconds")),
        "code": st.none() | st.text() | st.integers(),
        "free": st.none() | st.dictionaries(st.text(max_size=3), values, max_size=3),
        "tags": st.none() | st.lists(st.text(), max_size=3),
        "nested": st.none() | st.fixed_dictionaries({}, optional={"id": st.text()}),
    },
)


anything = st.dictionaries(st.sampled_from([*SCHEMA["properties"], "new"]).filter(UNMAPPED.__ne__), values)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fitting)
def test_both_ways_agree_on_what_fits(record):
    text = encoder.encode(record).decode()
    typed = through(text)
    careful, _ = ways(SCHEMA)
    assert [typed] == careful([text])
    if typed[UNMAPPED] is None:
        assert {key: value for key, value in typed.items() if key != UNMAPPED} == json.loads(
            text, parse_float=Decimal
        )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything, st.integers())
def test_whatever_comes_is_valid_and_nothing_is_lost(record, number):
    text = encoder.encode(record | {"id": number}).decode()
    (careful,) = ways(SCHEMA)[0]([text])
    assert through(text) == careful
    jsonschema.validate(careful, SCHEMA)
    for name in record:
        assert name in careful or any(path.split(".")[0] == name for path in careful[UNMAPPED] or {})


names = st.sampled_from(["a", "b", "c", "a.b", "\\", '"', "é", "", "1"])


scalars = st.sampled_from(
    [
        {"type": "string"},
        {"type": ["string", "null"]},
        {"type": ["string", "null"], "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": ["integer", "null"]},
        {"type": ["number", "null"]},
        {"type": "number"},
        {"type": ["boolean", "null"]},
        {"type": ["number", "string", "null"]},
        {"type": ["integer", "string"]},
        {"type": ["object", "null"]},
        {"type": ["object", "string"]},
        {"type": "array"},
        {},
    ]
)


def objects(inner):
    return st.builds(
        lambda properties, extra: {"type": ["object", "null"], "properties": properties, **extra},
        st.dictionaries(names, inner, min_size=1, max_size=3),
        st.sampled_from([{}, {}, {"additionalProperties": True}]),
    )


fields = st.recursive(
    scalars,
    lambda inner: (
        st.builds(lambda items: {"type": ["array", "null"], "items": items}, inner) | objects(inner)
    ),
    max_leaves=5,
)


schemas = st.dictionaries(names, fields, min_size=1, max_size=5).map(
    lambda properties: {
        "type": "object",
        "properties": {**properties, "id": {"type": "integer"}, UNMAPPED: UNMAPPED_SCHEMA},
    }
)


TEXTS = [
    "",
    "12",
    "1.50",
    "1_000",
    " 3 ",
    "+5",
    ".5",
    "٣",
    "NaN",
    "007",
    "1e3",
    "2026-01-31",
    "2026-02-30",
    "x",
]


TEXTS += ["2026-01-31T10:00:00Z", "2026-01-31t10:00:00Z", "2026-01-31T10:00:00.123456789+05:30", "true", "0"]


dirt = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | numbers | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def values_for(schema):
    """Mostly values that fit a schema, and some dirt."""
    if schema.get("properties"):
        known = {name: values_for(field) for name, field in schema["properties"].items() if name != UNMAPPED}
        clean = st.builds(
            lambda known, added: {**added, **known},
            st.fixed_dictionaries({}, optional=known),
            st.one_of(st.just({}), st.just({}), st.dictionaries(names, dirt, max_size=2)),
        )
    elif schema.get("items"):
        clean = st.lists(values_for(schema["items"]), max_size=3)
    else:
        return dirt
    return st.one_of(clean, clean, clean, dirt)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_I02_all_ways_agree_whatever_the_schema_and_whatever_comes(data):
    schema = data.draw(schemas)
    rows = data.draw(st.lists(values_for(schema).filter(lambda row: isinstance(row, dict)), max_size=6))
    texts = [json.dumps(row | {"id": 1}, default=float, ensure_ascii=False) for row in rows]
    careful, others = ways(schema)
    expected = careful(texts)
    for record in expected:
        jsonschema.validate(json.loads(json.dumps(record, default=float)), schema)
    for way in others:
        # all at once, and again when all is learned
        for records in (way(texts), way(texts)):
            assert [list(map(repr, record.items())) for record in records] == [
                list(map(repr, record.items())) for record in expected
            ]


SCHEMAS = sorted(Path(tap_core.__file__).parent.parent.glob("*/schemas/*.json"))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: f"{path.parent.parent.name}.{path.stem}")
@settings(
    deadline=None, max_examples=5, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_I02_all_ways_agree_on_every_schema_of_the_taps(path, data):
    schema = json.loads(path.read_text())
    schema["properties"] |= {"id": {"type": "integer"}, UNMAPPED: UNMAPPED_SCHEMA}
    rows = data.draw(st.lists(values_for(schema).filter(lambda row: isinstance(row, dict)), max_size=3))
    texts = [json.dumps(row | {"id": 1}, default=float, ensure_ascii=False) for row in rows]
    careful, others = ways(schema)
    expected = [list(map(repr, record.items())) for record in careful(texts)]
    for way in others:
        for records in (way(texts), way(texts)):
            assert [list(map(repr, record.items())) for record in records] == expected


def test_fields_come_in_the_order_of_the_schema():
    text = '{"tags": [], "new": 1, "nested": {"parts": [], "id": "a"}, "text": "a", "id": 1}'
    careful, others = ways(SCHEMA)
    for way in (careful, *others):
        for _ in range(2):
            (record,) = way([text])
            assert list(record) == ["id", "text", "tags", "nested", UNMAPPED]
            assert list(record["nested"]) == ["id", "parts"]


def test_what_was_odd_once_is_typed_from_then_on():
    way = codec()
    odd = '{"id": 1, "new": 1, "count": "5", "nested": {"added": 1, "parts": [{"n": "1.50"}]}}'
    for index in range(3):
        (record,) = way.decode([msgspec.Raw(odd.encode())], None, {})
        assert isinstance(record, msgspec.Struct) == (index > 0)
        assert written([record]) == [
            {
                "id": 1,
                "count": 5,
                "nested": {"parts": [{"n": Decimal("1.50")}]},
                UNMAPPED: {"nested.added": 1, "new": 1},
            }
        ]


def test_deselected_fields_stay_out_whichever_way():
    deselected = [("text",), ("nested", "id"), ("nested", "parts", "n"), ("new",), (UNMAPPED,)]
    conformer = Conformer(
        SCHEMA, unmapped=None, deselected=deselected, secrets=Secrets((), logger), logger=logger
    )
    way = Codec("things", SCHEMA, ("id",), typed=True, conformer=conformer, reject=pytest.fail)
    text = b'{"id": 1, "text": "a", "count": 5, "new": 1, "nested": {"id": "a", "parts": [{"n": 1}]}}'
    for typed in (True, True, False):
        records = way.decode([msgspec.Raw(text)], None, {}, typed=typed)
        assert written(records) == [{"id": 1, "count": 5, "nested": {"parts": [{}]}}]


def test_K01_misfits_and_ever_new_fields_take_no_memory():
    way = codec()

    def page(start):
        texts = (
            f'{{"id": {n}, "count": "x", "new{n}": 1, "tags": [{{}}]}}' for n in range(start, start + 500)
        )
        records = way.decode([msgspec.Raw(text.encode()) for text in texts], None, {})
        assert all(len(record[UNMAPPED]) == 3 for record in written(records))

    tracemalloc.start()  # before what is kept, and then replaced, is made: its end counts as well
    try:
        for start in range(0, 5000, 500):
            page(start)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for start in range(5000, 10000, 500):
            page(start)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 100_000
