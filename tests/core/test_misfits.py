"""What does not fit its column: converted where that loses nothing, else kept beside the columns."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from tap_core.records import jsonpath
from tap_core.records.codec import UNMAPPED
from ways import SCHEMA, codec, encoder, through, ways, written


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
