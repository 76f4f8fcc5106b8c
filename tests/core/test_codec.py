"""Records that fit the schema: both ways agree, nothing is lost, and what comes out is what was sent."""

from __future__ import annotations

import gc
import json
import logging
import tracemalloc
from decimal import Decimal
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tap_core
from support import KEY, run
from tap_core.records import jsonpath
from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec, key_reader
from tap_core.records.conform import Conformer
from tap_events.tap import TapEvents

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "text": {"type": ["string", "null"]},
        "count": {"type": ["integer", "null"]},
        "amount": {"type": ["number", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "day": {"type": ["string", "null"], "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "code": {"type": ["string", "integer", "null"]},
        "free": {"type": ["object", "null"]},
        "tags": {"type": ["array", "null"], "items": {"type": "string"}},
        "nested": {
            "type": ["object", "null"],
            "properties": {
                "id": {"type": "string"},
                "parts": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"n": {"type": ["number", "null"]}}},
                },
            },
        },
        UNMAPPED: UNMAPPED_SCHEMA,
    },
}
logger = logging.getLogger("test")
quiet = logging.getLogger("quiet")
quiet.disabled = True
encoder = msgspec.json.Encoder(decimal_format="number")


NO_CHILDREN = '{"attendees": [], "tickets": [], "transactions": []}'


def codec(schema=SCHEMA, *, typed=True, rejected=None, logger=logger):
    conformer = Conformer(schema, unmapped=UNMAPPED, logger=logger)
    reject = pytest.fail if rejected is None else rejected.append
    return Codec("things", schema, ("id",), typed=typed, conformer=conformer, reject=reject)


def post_process(record):
    return record


def written(records):
    """Records as they are written, with exact numbers and their fields in order."""
    return [json.loads(encoder.encode(record), parse_float=Decimal) for record in records]


def ways(schema):
    """Decoders of a list of JSON texts: the careful one, and all that must agree with it."""
    careful, first, second = (codec(schema, logger=quiet) for _ in range(3))
    dicts = codec(schema, typed=False, logger=quiet)

    def way(codec, process, **kwargs):
        return lambda texts: written(
            codec.decode([msgspec.Raw(text.encode()) for text in texts], process, {}, **kwargs)
        )

    def decoded(texts):
        return written(
            codec(schema, logger=quiet).decode(
                [jsonpath.decode(msgspec.Raw(t.encode())) for t in texts], None, {}
            )
        )

    return way(careful, None, typed=False), [
        way(first, None),
        way(second, post_process),
        way(dicts, None),
        decoded,
    ]


def through(text, **kwargs):
    """A record's JSON as it comes out of a new codec."""
    (record,) = codec(**kwargs).decode([msgspec.Raw(text.encode())], None, {})
    return written([record])[0]


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


@pytest.mark.parametrize(
    ("field", "sent", "emitted"),
    [
        ("text", "7", "7"),
        ("text", "12345678901234567890", "12345678901234567890"),
        ("count", '"42"', 42),
        ("count", "1.0", 1),
        ("count", '""', None),
        ("amount", '"45.00"', Decimal("45.00")),
        ("amount", '""', None),
        ("flag", "1", True),
        ("flag", '"0"', False),
        ("free", "[]", {}),
        ("code", "5", 5),
    ],
)
def test_conversions_that_lose_nothing(field, sent, emitted):
    record = through(f'{{"id": 1, "{field}": {sent}}}')
    assert record[field] == emitted
    assert type(record[field]) is type(emitted)
    assert record[UNMAPPED] is None


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("text", "true"),
        ("text", '{"a": 1}'),
        ("count", '"007"'),
        ("count", "1.5"),
        ("count", '"1,000"'),
        ("count", "1e999999999"),
        ("amount", '"12 EUR"'),
        ("flag", '"maybe"'),
        ("day", '"31.01.2026"'),
        ("at", "null"),
        ("at", '"2026-01-01T00:00:00"'),
        ("new", "[1, 2.50]"),
    ],
)
def test_what_does_not_fit_is_kept(field, sent):
    record = through(f'{{"id": 1, "{field}": {sent}}}')
    assert field not in record
    assert record[UNMAPPED] == {field: json.loads(sent, parse_float=Decimal)}


def test_nested_misfits_are_kept_under_their_path(caplog):
    way = codec()
    text = b'{"id": 1, "nested": {"id": "a", "new": 1, "parts": [{"n": 1.50}, {"n": "x", "m": 2}]}}'
    for _ in range(2):
        (record,) = written(way.decode([msgspec.Raw(text)], None, {}))
        assert record["nested"] == {"id": "a", "parts": [{"n": Decimal("1.50")}, {}]}
        assert record[UNMAPPED] == {"nested.parts.1.n": "x", "nested.parts.1.m": 2, "nested.new": 1}
    assert [line.getMessage().split(";")[0] for line in caplog.records] == [
        "Field `nested.parts.n` does not fit its type",
        "Field `nested.parts.m` is not in the schema",
        "Field `nested.new` is not in the schema",
    ]


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ('{"text": "a"}', "a record without its key `id`"),
        ('{"id": null}', "a record without its key `id`"),
        ('{"id": "", "text": "a"}', "a record without its key `id`"),
        ('{"id": [1]}', "a record without its key `id`"),
        ("null", "a record that is no object but null"),
        ('"gone"', "a record that is no object but a text"),
        ("[]", "a record that is no object but a list"),
        ("true", "a record that is no object but true or false"),
        ("5", "a record that is no object but a number"),
    ],
)
def test_E10_I01_I05_a_row_that_can_not_be_loaded_costs_itself_alone(sent, reason, typed):
    rejected = []
    raws = [msgspec.Raw(text.encode()) for text in ('{"id": 1}', sent, '{"id": 2}')]
    way = codec(rejected=rejected)
    assert [way.get(record, "id") for record in way.decode(raws, None, {}, typed=typed)] == [1, 2]
    assert rejected == [reason]


def test_I01_an_empty_key_is_replaced_by_what_post_process_finds():
    def fall_back(record):
        record["id"] = record.get("id") or record.pop("number", None)
        return record

    rejected = []
    way = codec(rejected=rejected)
    texts = ['{"id": "", "number": 7}', '{"number": 8}', '{"id": 1}', '{"id": ""}', '{"id": "", "number": 9}']
    records = written(way.decode([msgspec.Raw(text.encode()) for text in texts], fall_back, {}))
    assert [record["id"] for record in records] == [7, 8, 1, 9]
    assert rejected == ["a record without its key `id`"]


def test_post_process_is_called_for_the_fields_that_it_looks_at():
    seen = []
    conformer = Conformer(SCHEMA, unmapped=UNMAPPED, logger=logger)
    way = Codec(
        "things",
        SCHEMA,
        ("id",),
        typed=True,
        conformer=conformer,
        reject=pytest.fail,
        mended=("count", "code2"),
    )

    def post_process(record):
        seen.append(record["id"])
        return record

    texts = [
        '{"id": 1, "new": 1, "count": "x", "code2": 1}',
        '{"id": 2, "new": 1}',
        '{"id": 3, "count": "5"}',
    ]
    texts += ['{"id": 4, "code2": 5}', '{"id": 5, "count": 5}']
    raws = [msgspec.Raw(text.encode()) for text in texts]
    assert len(way.decode(raws, post_process, {})) == 5
    assert seen == [1, 3, 4]


def test_a_record_that_post_process_drops_is_no_fault():
    raws = [msgspec.Raw(b'{"id": 1, "new": 2}'), msgspec.Raw(b'{"id": 2}')]
    way = codec()
    for _ in range(2):
        assert [way.get(record, "id") for record in way.decode(raws, lambda _: None, {})] == [2]


@pytest.mark.parametrize("text", ["1_000", " 3 ", "+5", ".5", "5.", "٣", "NaN", "Infinity", "007", "0x1", ""])
def test_I02_a_number_as_text_has_one_rule(text):
    careful, others = ways(SCHEMA)
    clean, odd = '{"id": 1, "amount": 5}', json.dumps({"id": 2, "amount": text, "text": "NaN"})
    for way in (careful, *others):
        for texts in ([odd], [clean, odd], [odd, clean, odd]):
            (*_, record) = way(texts)
            if text:
                assert record == {"id": 2, "text": "NaN", UNMAPPED: {"amount": text}}
            else:
                assert record == {"id": 2, "text": "NaN", "amount": None, UNMAPPED: None}


@pytest.mark.parametrize(
    ("sent", "tags", "unmapped"),
    [
        ('["a", null, "b"]', ["a", "b"], {"tags.1": None}),
        ('["a", {"b": 1}]', ["a"], {"tags.1": {"b": 1}}),
        ('["a", 5]', ["a", "5"], None),
        ("[[]]", [], {"tags.0": []}),
    ],
)
def test_I06_an_element_that_does_not_fit_costs_the_element(sent, tags, unmapped):
    for way in (lambda texts: [through(texts[0])], ways(SCHEMA)[0]):
        (record,) = way([f'{{"id": 1, "tags": {sent}}}'])
        assert (record["tags"], record[UNMAPPED]) == (tags, unmapped)


def test_I06_a_misfit_among_objects_leaves_the_others():
    text = '{"id": 1, "nested": {"parts": [{"n": 1}, null, {"n": "x"}, "text"]}}'
    careful, others = ways(SCHEMA)
    for way in (careful, *others):
        for _ in range(2):
            (record,) = way([text])
            assert record["nested"] == {"parts": [{"n": 1}, {}]}
            assert record[UNMAPPED] == {
                "nested.parts.1": None,
                "nested.parts.2.n": "x",
                "nested.parts.3": "text",
            }


def test_I07_names_of_what_does_not_fit_can_not_collide():
    text = r'{"id": 1, "a.b": 1, "nested": {"x": 2}, "nested.x": 3, "nested\\.x": 4}'
    careful, others = ways(SCHEMA)
    for way in (careful, *others):
        (record,) = way([text])
        assert record[UNMAPPED] == {r"a\.b": 1, "nested.x": 2, r"nested\.x": 3, r"nested\\\.x": 4}


NO_TIMES = [
    "2026-02-30T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-01-01t00:00:00Z",
    "2026-01-01T00:00:00z",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+99:99",
    "0000-01-01T00:00:00Z",
    "٢٠٢٦-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z\n",
    "20260101T000000Z",
    "2026-W05-1T10:00:00Z",
    "half \ud800",
]
TIMES = [
    "2024-02-29T23:59:59Z",
    "2026-01-01T00:00:00.1Z",
    "2026-01-01T00:00:00.123456789012Z",
    "2026-01-01T00:00:00+14:00",
    "2026-01-01T00:00:00-23:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_D01_what_is_no_time_is_a_misfit(text):
    careful, others = ways(SCHEMA)
    if "\ud800" in text:  # such a page is decoded as a whole
        (record,) = codec().decode([{"id": 1, "at": text}], None, {})
        assert record == {"id": 1, UNMAPPED: {"at": text}}
        return
    for way in (careful, *others):
        texts = [json.dumps({"id": 1, "at": TIMES[0]}), json.dumps({"id": 2, "at": text})]
        for first, second in (way(texts), way(texts)):
            assert first == {"id": 1, "at": TIMES[0], UNMAPPED: None}
            assert second == {"id": 2, UNMAPPED: {"at": text}}


@pytest.mark.parametrize("text", TIMES)
def test_D01_real_times_stay_as_they_are(text):
    careful, others = ways(SCHEMA)
    for way in (careful, *others):
        assert way([json.dumps({"id": 1, "at": text})]) == [{"id": 1, "at": text, UNMAPPED: None}]


@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-1-1", "0000-01-01", "2026-01-01\n", "2026-01-01T00:00:00Z"]
)
def test_D01_what_is_no_day_is_a_misfit(day):
    careful, others = ways(SCHEMA)
    for way in (careful, *others):
        assert way([json.dumps({"id": 1, "day": day})]) == [{"id": 1, UNMAPPED: {"day": day}}]


@pytest.mark.parametrize(
    "key", ["[1, [2]]", '{"a": 1}', "1e999999999999999999999", "9" * 5000, "[" * 2000 + "]" * 2000]
)
def test_D05_D06_a_key_of_any_kind_tells_records_apart(key):
    read = key_reader(["id"])
    record = msgspec.Raw(f'{{"id": {key}}}'.encode())
    assert hash(read(record)) == hash(read(record))
    assert read(record) != read(msgspec.Raw(b'{"id": 1}'))
    for other in (None, "text", [1], {"id": [1]}, {}, msgspec.Raw(b"null"), msgspec.Raw(b"[1]")):
        hash(read(other))


def test_A14_keys_are_compared_exactly():
    read = key_reader(["id"])
    keys = {
        read(msgspec.Raw(text)) for text in (b'{"id": 9007199254740993.0}', b'{"id": 9007199254740992.0}')
    }
    assert len(keys) == 2
    assert read(msgspec.Raw(b'{"id": 5.0}')) == read(msgspec.Raw(b'{"id": 5}'))
    assert read(msgspec.Raw(b'{"id": true}')) != read(msgspec.Raw(b'{"id": 1}'))


def test_I01_records_with_an_empty_key_are_told_apart_by_all_of_their_content():
    read = key_reader(["id"])
    texts = [b'{"id": "", "a": 1}', b'{"id": "", "a": 2}', b'{"id": null, "a": 1}', b'{"a": 1}']
    assert len({read(msgspec.Raw(text)) for text in texts}) == 4


@pytest.mark.parametrize("field", ["count", "amount", "free", "text", "new"])
def test_D06_thousands_of_digits_are_kept(field):
    text = f'{{"id": 1, "{field}": {"9" * 5000}}}'
    for typed in (True, False):
        (record,) = codec().decode([msgspec.Raw(text.encode())], None, {}, typed=typed)
        assert b"9" * 5000 in encoder.encode(record)


def test_D06_deep_nesting_is_kept():
    deep = "[" * 5000 + "7" + "]" * 5000
    document = jsonpath.parse(f'{{"items": [{{"id": 1, "free": {{"a": {deep}}}}}, {{"id": 2}}]}}'.encode())
    first, second = codec().decode(jsonpath.find(document, "$.items[*]"), None, {})
    assert written([second]) == [{"id": 2, UNMAPPED: None}]
    value = written([first])[0]["free"]["a"]
    levels = 0
    while value != 7:
        (value,) = (
            json.loads(value.replace("[" * 900, "").replace("]" * 900, ""))
            if isinstance(value, str)
            else value
        )
        levels += 1
    assert levels > 50


def test_D06_brackets_without_end_are_no_json():
    with pytest.raises(ValueError, match="brackets"):
        jsonpath.parse(b"[" * 100_000)


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
    conformer = Conformer(SCHEMA, unmapped=None, deselected=deselected, logger=logger)
    way = Codec("things", SCHEMA, ("id",), typed=True, conformer=conformer, reject=pytest.fail)
    text = b'{"id": 1, "text": "a", "count": 5, "new": 1, "nested": {"id": "a", "parts": [{"n": 1}]}}'
    for typed in (True, True, False):
        records = way.decode([msgspec.Raw(text)], None, {}, typed=typed)
        assert written(records) == [{"id": 1, "count": 5, "nested": {"parts": [{}]}}]


def test_fields_from_the_parent_fill_what_is_missing():
    schema = {
        "properties": {"id": {"type": "integer"}, "parent": {"type": "integer"}, UNMAPPED: UNMAPPED_SCHEMA}
    }
    texts = [
        '{"id": 1}',
        '{"id": 2, "parent": null}',
        '{"id": 3, "parent": 7}',
        '{"id": 4, "parent": "x", "new": 1}',
    ]
    rejected = []
    for typed in (True, True, False):
        conformer = Conformer(schema, unmapped=UNMAPPED, logger=logger)
        way = Codec(
            "children", schema, ("parent", "id"), typed=typed, conformer=conformer, reject=rejected.append
        )
        raws = [msgspec.Raw(text.encode()) for text in texts]
        for _ in range(2):
            records = written(way.decode(raws, None, {"parent": 5}, typed=typed))
            assert [(record["parent"], record["id"]) for record in records] == [(5, 1), (5, 2), (7, 3)]
    assert set(rejected) == {"a record without its key `parent`"}


def test_K01_misfits_and_ever_new_fields_take_no_memory():
    way = codec()

    def page(start):
        texts = (
            f'{{"id": {n}, "count": "x", "new{n}": 1, "tags": [{{}}]}}' for n in range(start, start + 500)
        )
        records = way.decode([msgspec.Raw(text.encode()) for text in texts], None, {})
        assert all(len(record[UNMAPPED]) == 3 for record in written(records))

    for start in range(0, 3000, 500):
        page(start)
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        for start in range(3000, 9000, 500):
            page(start)
        gc.collect()
        grown = sum(found.size_diff for found in tracemalloc.take_snapshot().compare_to(before, "filename"))
    finally:
        tracemalloc.stop()
    assert grown < 200_000


VALUES = {
    "64 bits": "9223372036854775807",
    "more than 64 bits": "123456789012345678901234567890",
    "38 digits": "12345678901234567890.123456789012345678",
    "trailing zeros": "1.10",
    "4-byte characters": '"😀 🎟️"',
    "NUL": '"a\\u0000b"',
    "lone surrogate": '"a\\ud800b"',
    "line separators": '"a\u2028b\u0085c"',
    "offset": '"2026-03-14T09:26:53-04:00"',
}


@pytest.mark.parametrize("case", VALUES)
def test_what_comes_out_is_what_the_api_sent(api, reliability, case):
    body = f'{{"events": [{{"id": 1, "extra": {VALUES[case]}}}]}}'
    api.fault("raw_body", path="/events/v1/events$", body=body)
    api.fault("raw_body", path="/events/v1/events/1/", body=NO_CHILDREN)
    output = run(TapEvents, {"api_url": f"{api.url}/events", "api_key": KEY})
    (line,) = (line for line in output.text.split("\n") if '"stream":"events","record"' in line)
    sent = json.loads(VALUES[case], parse_float=str, parse_int=str)
    record = json.loads(line, parse_float=str, parse_int=str)["record"]
    assert record[UNMAPPED] == {"extra": sent}
    reliability("Fidelity", case, "what comes out is what the API sent")


@pytest.mark.parametrize("word", ["NaN", "-Infinity", "sNaN"])
def test_words_for_no_number_are_kept(api, word):
    tickets = f'{{"tickets": [{{"id": 1, "price": 2.50, "title": "NaN"}}, {{"id": 2, "price": "{word}"}}]}}'
    api.fault("raw_body", path="/events/v1/events$", body='{"events": [{"id": 7}]}')
    api.fault("raw_body", path="/events/v1/events/7/tickets", body=tickets)
    api.fault("raw_body", path="/events/v1/events/7/", body=NO_CHILDREN)
    first, second = run(TapEvents, {"api_url": f"{api.url}/events", "api_key": KEY}).records["tickets"]
    assert first == {"event_id": 7, "id": 1, "price": Decimal("2.50"), "title": "NaN"}
    assert second == {"event_id": 7, "id": 2, UNMAPPED: {"price": word}}


def test_unmapped_column_can_be_turned_off(api):
    body = '{"events": [{"id": 1, "extra": 2}]}'
    api.fault("raw_body", path="/events/v1/events$", body=body)
    api.fault("raw_body", path="/events/v1/events/1/", body=NO_CHILDREN)
    config = {"api_url": f"{api.url}/events", "api_key": KEY, "unmapped_column": False}
    output = run(TapEvents, config)
    assert UNMAPPED not in output.schemas["events"][0]["schema"]["properties"]
    assert output.records["events"] == [{"id": 1}]
