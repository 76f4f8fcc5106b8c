"""Records of a page as they are decoded: with their parent's fields, put right, as structs or not."""

from __future__ import annotations

import json

import msgspec
import pytest

from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec
from tap_core.records.conform import Conformer
from tap_core.records.secrets import Secrets
from ways import codec, logger, quiet, written

TEXT = {"type": ["string", "null"]}
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "event_id": {"type": ["integer", "null"]},
        "name": TEXT,
        UNMAPPED: UNMAPPED_SCHEMA,
    },
}


def raws(*records):
    return [msgspec.Raw(json.dumps(record).encode()) for record in records]


@pytest.mark.parametrize("typed", [True, False])
def test_a_parents_fields_are_filled_in_where_a_record_has_none(typed):
    records = raws({"id": 1}, {"id": 2, "event_id": None}, {"id": 3, "event_id": 8}, {"id": 4, "new": 1})
    found = written(codec(SCHEMA).decode(records, None, {"event_id": 7}, typed=typed))
    assert [(row["id"], row["event_id"]) for row in found] == [(1, 7), (2, 7), (3, 8), (4, 7)]


@pytest.mark.parametrize(
    ("context", "kept"),
    [({"venue": 7}, {"venue": 7}), ({"event_id": "7"}, None), ({"event_id": "x"}, {"event_id": "x"})],
)
def test_a_parents_field_that_does_not_fit_is_dealt_with_as_any_other(context, kept):
    (record,) = written(codec(SCHEMA).decode(raws({"id": 1}), None, context))
    assert record[UNMAPPED] == kept
    assert record.get("event_id") == (7 if kept is None else None)


@pytest.mark.parametrize("typed", [True, False])
def test_records_are_put_right_dropped_and_kept_in_their_order(typed):
    def process(record):
        if record["name"] == 0:
            return None
        return record | {"name": f"number {record['name']}"}

    records = raws(*({"id": number, "name": number % 3} for number in range(1, 8)))
    found = written(codec(SCHEMA).decode(records, process, {}, typed=typed))
    assert [(row["id"], row["name"]) for row in found] == [
        (number, f"number {number % 3}") for number in (1, 2, 4, 5, 7)
    ]


@pytest.mark.parametrize("value", [7, 7.5, 1e300, "7.50", "x", None, True, {"a": 1}, [2.5]])
def test_a_number_beside_texts_is_read_the_quick_way_with_all_its_digits(value):
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "option": {"type": ["string", "number", "null"]},
            UNMAPPED: UNMAPPED_SCHEMA,
        },
    }
    records = raws({"id": 1, "option": value}, {"id": 2, "option": "text"})
    quick, careful = (codec(schema).decode(records, None, {}, typed=typed) for typed in (True, False))
    assert written(quick) == written(careful)
    assert not any(isinstance(record, dict) for record in quick)


def test_records_that_fit_are_structs_unless_dicts_are_needed():
    only_keys = {"type": "object", "properties": {"id": {"type": "integer"}}}
    for schema in (SCHEMA, only_keys):
        for typed in (True, False):
            (record,) = codec(schema, typed=typed).decode(raws({"id": 1}), None, {})
            assert isinstance(record, dict) is not typed


def test_what_does_not_fit_is_dropped_where_there_is_no_field_for_it():
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "name": TEXT}}
    conformer = Conformer(schema, unmapped=None, secrets=Secrets((), quiet), logger=quiet)
    plain = Codec("things", schema, ("id",), typed=True, conformer=conformer, reject=pytest.fail)
    for _ in range(2):  # the second time it is known
        found = plain.decode(raws({"id": 1, "name": {"first": "a"}}, {"id": 2, "new": 1}), None, {})
        assert written(found) == [{"id": 1}, {"id": 2}]


def test_a_field_is_read_from_records_of_any_kind():
    for typed in (True, False):
        things = codec(SCHEMA, typed=typed)
        assert things.column([], "name") == []
        records = things.decode(raws({"id": 1, "name": "a"}, {"id": 2}), None, {})
        assert things.column(records, "name") == ["a", None]
        assert [things.get(record, "name") for record in records] == ["a", None]
        assert things.column(records, "new") == [None, None]
        assert things.column([*records, {"id": 3, "name": "c"}], "name") == ["a", None, "c"]


def conformed(record, schema, *, logger=quiet, **options):
    """A record, and what is kept of it as unmapped, in their order."""
    whole = {"type": "object", "properties": {"id": {"type": "integer"}, **schema}}
    conformer = Conformer(whole, unmapped=UNMAPPED, secrets=Secrets((), quiet), logger=logger, **options)
    found, _ = conformer.conform(record)
    return found, list((found.pop(UNMAPPED) or {}).items())


def test_what_has_no_type_is_taken_as_it_is():
    for value in (None, 5, "a", [1], {"b": 1}):
        assert conformed({"id": 1, "any": value}, {"any": {}}) == ({"id": 1, "any": value}, [])


def test_a_value_that_is_no_list_fits_beside_lists():
    schema = {"sizes": {"type": ["array", "string"], "items": {"type": "integer"}}, "free": {"type": "array"}}
    record = {"id": 1, "sizes": "all", "free": [1, "a"]}
    assert conformed(record, schema) == (record, [])


def test_what_does_not_fit_is_kept_in_the_order_of_its_name():
    for names in (["b", "a"], ["c", "b", "a"]):
        record = {"id": 1, **dict.fromkeys(names, 5)}
        assert conformed(record, {}) == ({"id": 1}, [(name, 5) for name in sorted(names)])


def test_what_an_open_object_has_besides_comes_in_the_order_of_its_name():
    schema = {"open": {"type": "object", "properties": {"n": {}}, "additionalProperties": True}}
    record, _ = conformed({"id": 1, "open": {"z": 1, "n": 2, "b": 3}}, schema)
    assert [*record["open"].items()] == [("n", 2), ("b", 3), ("z", 1)]


def test_columns_of_the_taps_own_are_such_in_the_record_alone():
    schema = {"inner": {"type": "object", "properties": {UNMAPPED: {"type": "string"}, "key": TEXT}}}
    record, _ = conformed(
        {"id": 1, "key": "theirs", "inner": {UNMAPPED: "a", "key": "b"}}, schema, constants={"key": "ours"}
    )
    assert record == {"key": "ours", "id": 1, "inner": {UNMAPPED: "a", "key": "b"}}


def test_a_hundred_fields_that_do_not_fit_are_named_once(caplog):
    records = {"id": 1, **{f"field {number}": 1 for number in range(150)}}
    conformer = Conformer(SCHEMA, unmapped=UNMAPPED, secrets=Secrets((), quiet), logger=logger)
    for _ in range(2):
        conformer.conform(records)
    assert len([message for message in caplog.messages if "is not in the schema" in message]) == 100
