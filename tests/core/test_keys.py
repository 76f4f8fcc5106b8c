"""Keys of records: what tells them apart, and rows that have none."""

from __future__ import annotations

import msgspec
import pytest

from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec
from tap_core.records.conform import Conformer
from tap_core.records.keys import key_reader
from tap_core.records.secrets import Secrets
from ways import SCHEMA, codec, logger, written


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ('{"text": "a"}', "the API sent a record without its key `id`"),
        ('{"id": null}', "the API sent a record without its key `id`"),
        ('{"id": "", "text": "a"}', "the API sent a record without its key `id`"),
        ('{"id": [1]}', "the API sent a record whose key `id` does not fit its type"),
        ('{"id": 8.5}', "the API sent a record whose key `id` does not fit its type"),
        ("null", "the API sent a record that is no object but null"),
        ('"gone"', "the API sent a record that is no object but a text"),
        ("[]", "the API sent a record that is no object but a list"),
        ("true", "the API sent a record that is no object but true or false"),
        ("5", "the API sent a record that is no object but a number"),
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
    assert rejected == ["the API sent a record without its key `id`"]


def test_post_process_is_called_for_the_fields_that_it_looks_at():
    seen = []
    conformer = Conformer(SCHEMA, unmapped=UNMAPPED, secrets=Secrets((), logger), logger=logger)
    way = Codec(
        "things",
        SCHEMA,
        ("id",),
        typed=True,
        conformer=conformer,
        reject=pytest.fail,
        post_process_fields=("count", "code2"),
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


def test_fields_from_the_parent_fill_what_is_missing():
    schema = {
        "properties": {"id": {"type": "integer"}, "parent": {"type": "integer"}, UNMAPPED: UNMAPPED_SCHEMA}
    }
    texts = [
        '{"id": 1}',
        '{"id": 2, "parent": null}',
        '{"id": 3, "parent": 7}',
        '{"id": 4, "parent": "x", "new": 1}',
        '{"id": 5, "parent": {"id": 5}}',
    ]
    told = [None, None, None, {"new": 1, "parent": "x"}, {"parent": {"id": 5}}]
    for typed in (True, True, False):
        conformer = Conformer(schema, unmapped=UNMAPPED, secrets=Secrets((), logger), logger=logger)
        way = Codec(
            "children", schema, ("parent", "id"), typed=typed, conformer=conformer, reject=pytest.fail
        )
        raws = [msgspec.Raw(text.encode()) for text in texts]
        for _ in range(2):
            records = written(way.decode(raws, None, {"parent": 5}, typed=typed))
            keys = [(record["parent"], record["id"]) for record in records]
            assert keys == [(5, 1), (5, 2), (7, 3), (5, 4), (5, 5)]
            assert [record[UNMAPPED] for record in records] == told


def test_what_tells_a_record_without_a_key_apart_does_not_show_its_content():
    """It can get into STATE."""
    read = key_reader(["id"])
    assert "canary" not in str(read(msgspec.Raw(b'{"token": "canary"}')))
    assert "canary" not in str(read({"token": "canary"}))
