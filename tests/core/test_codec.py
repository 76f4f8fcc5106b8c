"""Records that fit the schema: both ways agree, nothing is lost, and what comes out is what was sent."""

from __future__ import annotations

import json
import logging
from decimal import Decimal

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import KEY, run
from tap_core.errors import ApiError
from tap_core.records import jsonpath
from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec
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
encoder = msgspec.json.Encoder(decimal_format="number")


def codec(*, typed):
    conformer = Conformer(SCHEMA, unmapped=UNMAPPED, logger=logging.getLogger("test"))
    return Codec("things", SCHEMA, ("id",), typed=typed, conformer=conformer)


TYPED, CAREFUL = codec(typed=True), codec(typed=False)


def through(way, text):
    """A record's JSON as it comes out of a codec, with exact numbers."""
    (record,) = way.decode([msgspec.Raw(text.encode())], lambda record: record, {})
    return json.loads(encoder.encode(record), parse_float=Decimal)


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


@settings(deadline=None)
@given(fitting)
def test_both_ways_agree_on_what_fits(record):
    text = encoder.encode(record).decode()
    typed = through(TYPED, text)
    assert typed == through(CAREFUL, text)
    if typed[UNMAPPED] is None:
        assert {key: value for key, value in typed.items() if key != UNMAPPED} == json.loads(
            text, parse_float=Decimal
        )


@settings(deadline=None)
@given(anything, st.integers())
def test_whatever_comes_is_valid_and_nothing_is_lost(record, number):
    text = encoder.encode(record | {"id": number}).decode()
    typed, careful = through(TYPED, text), through(CAREFUL, text)
    assert typed == careful
    jsonschema.validate(careful, SCHEMA)
    for name in record:
        assert name in careful or any(path.split(".")[0] == name for path in careful[UNMAPPED] or {})


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
    record = through(TYPED, f'{{"id": 1, "{field}": {sent}}}')
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
        ("tags", '["a", {"b": 1}]'),
        ("new", "[1, 2.50]"),
    ],
)
def test_what_does_not_fit_is_kept(field, sent):
    way = codec(typed=True)
    record = way.decode([msgspec.Raw(f'{{"id": 1, "{field}": {sent}}}'.encode())], lambda r: r, {})[0]
    assert field not in record
    assert record[UNMAPPED] == {field: jsonpath.decode(msgspec.Raw(sent.encode()))}


def test_nested_misfits_are_kept_under_their_path(caplog):
    way = codec(typed=True)
    text = b'{"id": 1, "nested": {"id": "a", "new": 1, "parts": [{"n": 1.50}, {"n": "x", "m": 2}]}}'
    for _ in range(2):
        (record,) = way.decode([msgspec.Raw(text)], lambda r: r, {})
    assert record["nested"] == {"id": "a", "parts": [{"n": Decimal("1.50")}, {}]}
    assert record[UNMAPPED] == {"nested.new": 1, "nested.parts.1.n": "x", "nested.parts.1.m": 2}
    assert [line.getMessage().split(";")[0] for line in caplog.records] == [
        "Field `nested.new` is not in the schema",
        "Field `nested.parts.n` does not fit its type",
        "Field `nested.parts.m` is not in the schema",
    ]


def test_a_record_without_its_key_is_named():
    with pytest.raises(ApiError, match="without its key `id`"):
        through(TYPED, '{"text": "a"}')


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
    api.fault("raw_body", path="/events/v1/events/1/", body="{}")
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
    api.fault("raw_body", path="/events/v1/events/7/", body="{}")
    first, second = run(TapEvents, {"api_url": f"{api.url}/events", "api_key": KEY}).records["tickets"]
    assert first == {"event_id": 7, "id": 1, "price": Decimal("2.50"), "title": "NaN"}
    assert second == {"event_id": 7, "id": 2, UNMAPPED: {"price": word}}


def test_unmapped_column_can_be_turned_off(api):
    body = '{"events": [{"id": 1, "extra": 2}]}'
    api.fault("raw_body", path="/events/v1/events$", body=body)
    api.fault("raw_body", path="/events/v1/events/1/", body="{}")
    config = {"api_url": f"{api.url}/events", "api_key": KEY, "unmapped_column": False}
    output = run(TapEvents, config)
    assert UNMAPPED not in output.schemas["events"][0]["schema"]["properties"]
    assert output.records["events"] == [{"id": 1}]
