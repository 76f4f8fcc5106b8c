"""Every value as it was sent: digits, instants, texts."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.warehouse import ID, Warehouse, record, records, schema
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.fields import Kind, kind_of

NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
TIME = {"type": ["string", "null"], "format": "date-time"}
LOCAL = {"type": ["string", "null"], "x-format": "local-date-time"}
UTC = timezone.utc


def line(key, field):
    """A RECORD line with a field as it is written."""
    return f'{{"type": "RECORD", "stream": "t", "record": {{"id": {key}, "v": {field}}}}}'


def loaded(warehouse, field, values, **settings):
    """The type that a column gets for such values, written as JSON, and what is in it."""
    lines = [line(number, value) for number, value in enumerate(values)]
    warehouse.load(schema({**ID, "v": field}), *lines, **settings)
    return warehouse.types()["v"], [value for (value,) in warehouse.ask("SELECT v FROM s.t ORDER BY id")]


@pytest.mark.parametrize(
    ("field", "kind", "type_"),
    [
        ({"type": ["integer", "null"]}, Kind.INTEGER, "BIGINT"),
        ({"type": ["integer", "number"]}, Kind.NUMBER, "DECIMAL(38,9)"),
        ({"type": "boolean"}, Kind.BOOLEAN, "BOOLEAN"),
        ({"type": "string", "format": "date"}, Kind.DATE, "DATE"),
        (TIME, Kind.TIME, "TIMESTAMP WITH TIME ZONE"),
        (LOCAL, Kind.LOCAL_TIME, "TIMESTAMP"),
        ({"type": "string", "format": "email"}, Kind.TEXT, "VARCHAR"),
        ({"type": ["string", "number"]}, Kind.SCALAR, "VARCHAR"),
        ({"type": ["string", "integer"], "format": "date-time"}, Kind.SCALAR, "VARCHAR"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, Kind.TIME, None),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]}, Kind.TEXT, "VARCHAR"),
        ({"type": ["boolean", "integer"]}, Kind.JSON, "JSON"),
        ({"type": "array"}, Kind.JSON, "JSON"),
        ({"type": ["object", "string"]}, Kind.JSON, "JSON"),
        ({}, Kind.JSON, "JSON"),
        ({"const": "acme"}, Kind.TEXT, "VARCHAR"),
        (True, Kind.JSON, "JSON"),
    ],
)
def test_type_of_a_column(warehouse, field, kind, type_):
    """An empty table has it already: no value decides."""
    assert kind_of(field) is kind
    warehouse.load(schema({**ID, "v": field}))
    assert type_ in {None, warehouse.types()["v"]}


def test_sums_of_money_are_exact(warehouse):
    cents = range(1, 2_001)
    type_, values = loaded(warehouse, NUMBER, [f"{Decimal(c) / 100}" for c in cents])
    assert type_ == "DECIMAL(38,9)"
    assert sum(values) == Decimal(sum(cents)) / 100
    assert warehouse.ask("SELECT sum(v) FROM s.t") == [(Decimal(sum(cents)) / 100,)]


def test_integers_beyond_64_bits(warehouse):
    values = [0, 2**63 - 1, -(2**63), 2**63, -(2**127) + 1, 2**127 - 1]
    assert loaded(warehouse, {"type": "integer"}, values) == ("HUGEINT", values)


def test_integers_written_as_numbers(warehouse):
    assert loaded(warehouse, {"type": "integer"}, ["1.0", "1e3", "-2.00"]) == ("BIGINT", [1, 1000, -2])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("number", ["123456789012345678.91", "0.1000000000000000055511151231257827021"]),
        ("number", ["1e39"]),
        ("integer", [str(10**40)]),
    ],
)
def test_a_new_column_that_rounds_says_so(warehouse, caplog, kind, values):
    assert loaded(warehouse, {"type": kind}, values)[0] == "DOUBLE"
    assert "column v is DOUBLE, which rounds its numbers" in caplog.text


@pytest.mark.parametrize("before", [[], [1, 2]])
@pytest.mark.parametrize(
    ("kind", "values"),
    [("integer", [2**128, 2**128 + 1]), ("number", ["1e-50", "1.00000000000000000001e-50"])],
)
def test_a_key_is_not_rounded(warehouse, kind, values, before):
    """Two rows became one, with a line that a column is DOUBLE."""
    of = schema({"id": {"type": kind}, "v": TEXT})
    warehouse.load(of, *(line(value, "null") for value in before))
    with pytest.raises(LoadError, match=r"t: the key id has numbers of more than 38 digits; .*become one"):
        warehouse.load(of, *(line(value, "null") for value in values))
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(len(before),)]


def test_an_integer_that_fits_nowhere(warehouse, caplog):
    loaded(warehouse, {"type": ["integer", "null"]}, ["7", "null"])
    type_, values = loaded(warehouse, {"type": ["integer", "null"]}, ["7", str(10**40)])
    assert (type_, values) == ("DOUBLE", [7.0, 1e40])
    assert warehouse.types()["v__v1"] == "BIGINT"
    assert warehouse.ask("SELECT v__v1 FROM s.t ORDER BY id") == [(7,), (None,)]
    assert "its values as BIGINT are kept in column v__v1" in caplog.text


@pytest.mark.parametrize(
    ("texts", "scale"),
    [
        (["1.5", "1E+5", "12.340", "-0.000000001"], 9),
        (["0.1234567891234"], 13),
        (["0.12345678901200000000000000000000000000000000000000"], 12),
        (["12345678901234567890.123456789012345678", "1"], 18),
        (["0." + "1" * 38], 38),
        (["9" * 29, "-" + "9" * 29], 9),
    ],
)
def test_numbers_keep_every_digit(warehouse, texts, scale):
    type_, values = loaded(warehouse, NUMBER, texts)
    assert type_ == f"DECIMAL(38,{scale})"
    assert values == [Decimal(text) for text in texts]


def test_more_decimals_widen_the_scale_of_what_is_there(warehouse):
    loaded(warehouse, NUMBER, ["12.5", "99"])
    warehouse.load(schema({**ID, "v": NUMBER}), line(5, "0.1234567890123"))
    assert warehouse.types() == {"id": "BIGINT", "v": "DECIMAL(38,13)"}
    assert warehouse.ask("SELECT v FROM s.t ORDER BY id") == [
        (Decimal("12.5"),),
        (Decimal(99),),
        (Decimal("0.1234567890123"),),
    ]
    warehouse.load(schema({**ID, "v": NUMBER}), line(6, "9" * 25), line(7, "1.5"))
    assert warehouse.types()["v"] == "DECIMAL(38,13)"


@pytest.mark.parametrize("text", ["9" * 30, "0." + "1" * 39, "1e300"])
def test_a_number_that_fits_no_decimal(warehouse, text, caplog):
    """The exact old values are kept beside, and the column goes on with all of them, rounded."""
    loaded(warehouse, NUMBER, ["0.1", "1234567890.12345"])
    warehouse.load(schema({**ID, "v": NUMBER}), line(5, text))
    assert warehouse.types() == {"id": "BIGINT", "v__v1": "DECIMAL(38,9)", "v": "DOUBLE"}
    assert warehouse.ask("SELECT v, v__v1 FROM s.t ORDER BY id") == [
        (0.1, Decimal("0.1")),
        (1234567890.12345, Decimal("1234567890.12345")),
        (float(text), None),
    ]
    assert "column v is now DOUBLE" in caplog.text
    at = warehouse.ask("SELECT max(_sdc_batched_at) FROM s.t")
    warehouse.load(schema({**ID, "v": NUMBER}), line(1, "1234567890.12345"), line(5, text))
    assert warehouse.ask("SELECT max(_sdc_batched_at) FROM s.t") == at


def test_digits_and_decimals_that_do_not_go_together(warehouse):
    """Each fits a DECIMAL of its own, but none fits both."""
    loaded(warehouse, NUMBER, ["9" * 29])
    warehouse.load(schema({**ID, "v": NUMBER}), line(5, "0.1234567891"))
    assert warehouse.types() == {"id": "BIGINT", "v__v1": "DECIMAL(38,9)", "v": "DOUBLE"}


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T10:00:00-05:00", datetime(2026, 1, 1, 15, tzinfo=UTC)),
        ("2026-01-01 10:00:00.5+0530", datetime(2026, 1, 1, 4, 30, 0, 500000, tzinfo=UTC)),
        ("2026-01-01t10:00:00z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T10:00:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T10:00:00.123456789Z", datetime(2026, 1, 1, 10, 0, 0, 123456, tzinfo=UTC)),
        ("1969-12-31T23:59:59.9999999Z", datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60.75+01:00", datetime(2016, 12, 31, 23, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_times_keep_their_instant(warehouse, text, instant):
    """Alone, and among others that need no mending."""
    usual = '"2020-05-05T05:05:05.000001+02:00"'
    _, values = loaded(warehouse, TIME, [usual, json.dumps(text), "null"])
    assert values == [datetime(2020, 5, 5, 3, 5, 5, 1, tzinfo=UTC), instant, None]


def test_local_times_and_dates(warehouse):
    type_, values = loaded(
        warehouse, LOCAL, ['"2026-01-01T10:00:00"', '"2026-01-01 10:00:00.1234567"', '"2026-03-01T23:59:60"']
    )
    assert type_ == "TIMESTAMP"
    assert values == [
        datetime(2026, 1, 1, 10),  # noqa: DTZ001 - it has no zone
        datetime(2026, 1, 1, 10, 0, 0, 123456),  # noqa: DTZ001
        datetime(2026, 3, 2),  # noqa: DTZ001
    ]


def test_dates(warehouse):
    field = {"type": "string", "format": "date"}
    assert loaded(warehouse, field, ['"2026-02-28"', "null"]) == ("DATE", [date(2026, 2, 28), None])


def test_number_or_text(warehouse):
    field = {"type": ["string", "number", "boolean", "null"]}
    sent = ["12.50", '"12.5"', "1E+2", "true", '""', "null", '"a\\nb\\u00e9"', "12345678901234567890.10"]
    assert loaded(warehouse, field, sent) == (
        "VARCHAR",
        ["12.50", "12.5", "1E+2", "true", "", None, "a\nbé", "12345678901234567890.10"],
    )


def test_json_keeps_its_text(warehouse):
    sent = [
        '{"price": 12345678901234567890.123456789012345678, "b": [1.50, 1e2]}',
        "[]",
        '"text"',
        "1.50",
        "false",
        "null",
        '{"a\\u0000b": "\\ud83d\\ude00"}',
    ]
    type_, values = loaded(warehouse, {}, sent)
    assert type_ == "JSON"
    assert values == [None if text == "null" else text for text in sent]


TEXTS = [
    "",
    " ",
    "a\r\nb",
    "a\rb",
    "\\N",
    "NULL",
    '"',
    "'",
    "#",
    "007",
    "a\tb;c|d",
    "日本 é 🎉",
    "a\0b",
    "x" * 3_000_000,
]


def test_texts_arrive_unchanged(warehouse):
    rows = [{"id": number, "v": value} for number, value in enumerate([*TEXTS, None])]
    warehouse.load_rows({**ID, "v": TEXT}, rows)
    assert warehouse.ask("SELECT v FROM s.t ORDER BY id") == [(value,) for value in [*TEXTS, None]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-(2**70), 2**70)),
            st.one_of(st.none(), st.decimals(-(10**18), 10**18, allow_nan=False, places=6)),
            st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))),
            st.one_of(st.none(), st.booleans()),
            st.one_of(st.none(), st.datetimes(timezones=st.timezones())),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_values_arrive(tmp_path_factory, rows):
    """Property: what is sent in some batches is what is there."""
    warehouse = Warehouse(tmp_path_factory.mktemp("any"))
    fields = {
        "i": {"type": ["integer", "null"]},
        "d": NUMBER,
        "s": TEXT,
        "b": {"type": ["boolean", "null"]},
        "t": TIME,
    }
    lines = []
    for number, (i, d, s, b, t) in enumerate(rows):
        at = (
            None
            if t is None
            else t.astimezone(UTC).isoformat()
            if t.utcoffset().seconds % 60
            else t.isoformat()
        )
        values = {"i": i, "d": "@", "s": s, "b": b, "t": at}
        text = json.dumps(record({"id": number, **values}))
        lines.append(text.replace('"@"', "null" if d is None else str(d), 1))
    warehouse.load(schema({**ID, **fields}), *lines, batch_size_rows=7)
    # In UTC: of two zones, times that an hour's change makes ambiguous are never equal.
    expected = [(i, d, s, b, t and t.astimezone(UTC)) for i, d, s, b, t in rows]
    assert warehouse.ask("SELECT i, d, s, b, t FROM s.t ORDER BY id") == expected


def test_fields_that_the_schema_lacks_are_named_once(warehouse, caplog):
    warehouse.load(schema(ID), *records([{"id": number, "extra": number} for number in range(5)]))
    assert warehouse.ask("SELECT id FROM s.t ORDER BY id") == [(number,) for number in range(5)]
    assert caplog.text.count("fields that its SCHEMA lacks are not loaded, such as extra") == 1
