"""What fits a type, and what can be converted to it: each value by itself; and fields of decoded records."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import Raw

from tap_core.records.codec import UNMAPPED
from tap_core.records.values import (
    CONVERSIONS,
    FITS,
    as_moment,
    as_plain_moment,
    as_plain_number,
    as_sound,
    in_utc,
    is_day,
    is_moment,
)
from ways import codec, written


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (5, "5"),
        ("5", "5"),
        (Decimal("5.00"), "5"),
        ("5.10", "5.1"),
        ("-0.0", "0"),
        (100, "100"),
        ("1e3", "1000"),
        (Decimal("1E+999"), "1" + 999 * "0"),
        (Decimal("1E+1000"), Decimal("1E+1000")),
        (True, True),
        ("five", "five"),
        ("", ""),
        (None, None),
        ([5], [5]),
    ],
)
def test_a_number_is_one_text_however_it_is_written(value, plain):
    assert as_plain_number(value) == plain


@pytest.mark.parametrize(
    ("value", "sound"),
    [
        *(("a\ud800b", "a\\ud800b"), ("é😀", "é😀"), ("", ""), (5, 5), (None, None)),
        ([1, {"\udfff": ["\ud800"]}], [1, {"\\udfff": ["\\ud800"]}]),
    ],
)
def test_half_a_character_becomes_its_escape(value, sound):
    assert as_sound(value) == sound


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00:00.120Z", "2026-01-31T10:00:00.12Z"),
        ("2026-01-31T10:00:00.000Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00:10+05:30", "2026-01-31T04:30:10Z"),
        ("2026-01-31", "2026-01-31"),
        ("soon", "soon"),
        (7, 7),
        (None, None),
    ],
)
def test_a_moment_is_one_text_however_it_is_written(value, plain):
    assert as_plain_moment(value) == plain


@pytest.mark.parametrize(
    ("text", "moment", "day"),
    [
        ("2026-01-31T10:00:00Z", True, False),
        ("2026-01-31T10:00:00.123456789-05:00", True, False),
        ("2026-01-31T10:00:00", False, False),
        ("2026-01-31t10:00:00z", False, False),
        ("2026-01-31", False, True),
        ("2026-02-30", False, False),
        ("\ud800", False, False),
    ],
)
def test_what_is_a_moment_and_what_a_day(text, moment, day):
    assert (is_moment(text), is_day(text)) == (moment, day)
    assert FITS["string"](text, {"format": "date-time"}) is moment
    assert FITS["string"](text, {"format": "date"}) is day
    assert FITS["string"](text, {})
    assert as_moment(text) == (f"{text}T00:00:00Z" if day else text)


@pytest.mark.parametrize(
    ("moment", "utc"),
    [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31T23:30:00.123456789-05:30", "2026-02-01T05:00:00.123456789Z"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+01:00"),
        ("2026-01-31T10:00:00", "2026-01-31T10:00:00"),
    ],
)
def test_a_moment_in_utc_keeps_every_digit(moment, utc):
    assert in_utc(moment) == utc


@pytest.mark.parametrize(
    ("kind", "value", "converted"),
    [
        ("string", 5, ["5"]),
        ("string", Decimal("5.10"), ["5.10"]),
        ("string", True, []),
        ("integer", "-5", [-5]),
        ("integer", "5.0", []),
        ("integer", Decimal("5.0"), [5]),
        ("integer", Decimal("5.5"), []),
        ("integer", Decimal("1E+999"), [10**999]),
        ("integer", Decimal("1E+1000"), []),
        ("number", "5.10", [Decimal("5.10")]),
        ("number", "5,10", []),
        ("number", "1e9999999999999999999", []),
        ("number", True, []),
        ("boolean", 1, [True]),
        ("boolean", 0, [False]),
        ("boolean", "false", [False]),
        ("boolean", 2, []),
        ("object", [], [{}]),
        ("object", [1], []),
        ("array", {}, []),
        ("null", "", []),
    ],
)
def test_a_value_is_converted_only_without_loss(kind, value, converted):
    found = list(CONVERSIONS[kind](value))
    assert found == converted
    assert list(map(type, found)) == list(map(type, converted))


def raws(*texts):
    return [Raw(text.encode()) for text in texts]


@pytest.mark.parametrize("more", [{}, {"typed": False}])
def test_a_field_is_read_of_records_however_they_were_decoded(more):
    way = codec(**more)
    fitting = way.decode(raws('{"id": 1, "text": "a"}', '{"id": 2}', '{"id": 3, "text": null}'), None, {})
    assert way.column(fitting, "id") == [1, 2, 3]
    assert way.column(fitting, "text") == ["a", None, None]
    assert way.column(fitting, "none") == [None, None, None]
    assert [way.get(record, "text") for record in fitting] == ["a", None, None]
    assert way.get(fitting[0], "none") is None
    mixed = [*fitting, *way.decode(raws('{"id": 4, "text": {}}'), None, {})]
    assert way.column(mixed, "text") == ["a", None, None, None]


def test_a_field_that_is_kept_whole_is_not_also_in_its_place():
    way = codec()
    (record,) = way.decode(
        raws('{"id": 1, "count": "many", "nested": {"id": 5, "parts": [{"n": "x"}, 7]}}'), None, {}
    )
    assert written([record]) == [
        {
            "id": 1,
            "nested": {"id": "5", "parts": [{}]},
            UNMAPPED: {"count": "many", "nested.parts.0.n": "x", "nested.parts.1": 7},
        }
    ]


@pytest.mark.parametrize("at", ["2026-01-31T10:00:00+01:00", "2026-01-31T09:00:00Z"])
def test_moments_are_in_utc_either_way(at):
    for typed in (True, False):
        (record,) = codec(utc=True).decode(raws(f'{{"id": 1, "at": "{at}"}}'), None, {}, typed=typed)
        assert written([record])[0]["at"] == "2026-01-31T09:00:00Z"
