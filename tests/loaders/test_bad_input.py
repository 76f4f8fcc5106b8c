"""What can't be loaded ends the load with one clear line, nothing half written, and no value told."""

from __future__ import annotations

import io
import json
import resource
import struct
import subprocess

import duckdb
import pytest
from singer_sdk.exceptions import RecordsWithoutSchemaException

from loaders.warehouse import COMMAND, ID, activate, record, records, schema, state, text
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.target import TargetDuckDB

FIELDS = {
    **ID,
    "i": {"type": ["integer", "null"]},
    "n": {"type": ["number", "null"]},
    "b": {"type": "boolean"},
    "s": {"type": "string"},
    "d": {"type": "string", "format": "date"},
    "t": {"type": "string", "format": "date-time"},
    "l": {"type": "string", "x-format": "local-date-time"},
    "m": {"type": ["string", "number"]},
    "j": {},
}
DEEP = "[" * 6_000 + "]" * 6_000


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("i", '"secret"', "a text that is not an integer"),
        ("i", "1.5", "a number that is not an integer"),
        ("i", "true", "true that is not an integer"),
        ("i", "1" * 320, "a number that is not an integer that any type holds"),
        ("n", '"secret"', "a text that is not a number"),
        ("n", '"NaN"', "a number that no type holds"),
        ("n", "1e309", "a number that no type holds"),
        ("b", "1", "a number that is not true or false"),
        ("s", '{"secret": 1}', "an object that is not a text"),
        ("d", '"2026-02-30"', "a text that is not a date"),
        ("t", '"2026-02-30T10:00:00Z"', "a text that is not a time"),
        ("t", '"2026-01-01T24:30:00Z"', "a text that is not a time"),
        ("t", '"secret"', "a text that is not a time"),
        ("t", '"2026-01-01T10:00:00+24:00"', "a text that is not a time"),
        ("t", '"٢٠٢٦-01-01T10:00:00Z"', "a text that is not a time"),
        ("l", '"2026-01-01T10:00:00Z"', "a text that is not a time without a zone"),
        ("m", '["secret"]', "a list that is not a text, a number, true or false"),
        ("j", DEEP, ""),
    ],
)
def test_values_that_do_not_fit(warehouse, field, value, told):
    """The good rows before it in the batch are not loaded either: STATE stays where it was."""
    line = f'{{"type":"RECORD","stream":"t","record":{{"id":3,"{field}":{value}}}}}'
    with pytest.raises(LoadError) as failure:
        warehouse.load(schema(FIELDS), *records([{"id": 1}, {"id": 2}]), state(1), line)
    message = str(failure.value)
    assert message.startswith("t, line 5 of the input: ")
    assert told in message
    assert "secret" not in message
    assert "\n" not in message
    assert warehouse.tables() == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "Line 2 of the input is no Singer message"),
        ("[1]", "Line 2 of the input is no Singer message"),
        ('"text"', "Line 2 of the input is no Singer message"),
        ('{"type": "NEWS"}', "Line 2 of the input is of an unknown type, 'NEWS'"),
        ('{"type": "RECORD", "stream": "t", "record": 5}', "t, line 2 of the input: no RECORD message"),
        (
            '{"type": "RECORD", "stream": "t", "record": {"id": 1}',
            "t, line 2 of the input: no RECORD message",
        ),
        ('{"type": "RECORD", "stream": "t", "version": 1}', "t, line 2 of the input: no RECORD message"),
        ('{"type": "RECORD", "record": {"id": 1}}', "Line 2 of the input is a RECORD of no stream"),
        ('{"type": "STATE"}', "A STATE message has no value"),
        ('{"type": "ACTIVATE_VERSION", "stream": "t"}', "t: ACTIVATE_VERSION has no version"),
        (schema({}), "The SCHEMA of t has no properties"),
        (
            {**json.loads(text([schema(ID)])), "key_properties": "id"},
            "The key_properties of t are no list of names",
        ),
        (
            {**json.loads(text([schema(ID)])), "key_properties": [["id"]]},
            "The key_properties of t are no list",
        ),
        ({**json.loads(text([schema(ID)])), "key_properties": 5}, "The key_properties of t are no list"),
        (schema(ID, keys=("uid",)), "The SCHEMA of t has the key uid, which is none of its properties"),
        ({"type": "SCHEMA", "stream": "t"}, "A SCHEMA message names no stream or has no schema"),
        (record({"id": 1}, at="yesterday"), "t, line 2 of the input: time_extracted is no time"),
        (record({"id": 1}, version=2**63), "t, line 2 of the input: no RECORD message (Expected `int` <= 92"),
        (record({"id": 1}, version=-(2**70)), "t, line 2 of the input: no RECORD message (Expected `int`"),
        (record({"id": 1}, version="7"), "t, line 2 of the input: no RECORD message (Expected `int"),
        (activate("7"), "t: ACTIVATE_VERSION has a version that is no integer of 64 bits"),
        (activate(2**63), "t: ACTIVATE_VERSION has a version that is no integer of 64 bits"),
        (activate(True), "t: ACTIVATE_VERSION has a version that is no integer of 64 bits"),
    ],
)
def test_lines_that_are_none(warehouse, line, told):
    with pytest.raises(LoadError) as failure:
        warehouse.load(schema(ID), line)
    assert str(failure.value).startswith(told)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_before_the_input(warehouse, newline):
    data = text([schema(ID), record({"id": 1}), state(1)]).replace("\n", newline).encode("utf-8-sig")
    source = io.TextIOWrapper(io.BytesIO(data))
    TargetDuckDB(config=warehouse.config()).listen(source)
    assert warehouse.ask("SELECT id FROM s.t") == [(1,)]


@pytest.mark.parametrize("field", ["s", "m", "j"])
def test_bytes_that_are_no_text(warehouse, field):
    line = b'{"type": "RECORD", "stream": "t", "record": {"id": 1, "%s": "secret \xff"}}' % field.encode()
    source = io.TextIOWrapper(io.BytesIO(text([schema(FIELDS)]).encode() + line))
    with pytest.raises(LoadError) as failure:
        TargetDuckDB(config=warehouse.config()).listen(source)
    assert "secret" not in str(failure.value)
    assert "line 2 of the input" in str(failure.value)
    assert field != "s" or "a text that is no UTF-8" in str(failure.value)


@pytest.mark.parametrize("kind", [[["integer"]], 5, None, [None], {"a": 1}])
def test_a_type_that_makes_no_sense_takes_anything(warehouse, kind):
    warehouse.load(schema({**ID, "x": {"type": kind}}), record({"id": 1, "x": {"a": 1}}))
    assert warehouse.ask("SELECT id, x FROM s.t") == [(1, '{"a": 1}')]


def test_a_record_before_its_schema(warehouse):
    code, out, log = warehouse.run(record({"id": 1}))
    assert (code, out) == (1, "")
    assert "t: a record came before the stream's SCHEMA" in log
    assert "Traceback" not in log
    with pytest.raises(RecordsWithoutSchemaException):
        warehouse.load(schema(ID), record({"id": 1}, stream="u"))


def test_a_version_before_its_schema(warehouse):
    with pytest.raises(RecordsWithoutSchemaException, match="t: ACTIVATE_VERSION came before"):
        warehouse.load(activate(7))


def test_nothing_is_said_but_lines_of_the_log(warehouse):
    code, out, log = warehouse.run(schema(ID), record({"id": 1}), state(1))
    assert (code, out) == (0, "1\n")
    assert all(line.startswith("20") and "| INFO " in line for line in log.splitlines()), log


def test_batches_before_the_bad_line_stay(warehouse):
    code, out, log = warehouse.run(
        schema(ID),
        *records([{"id": 1}, {"id": 2}]),
        state(2),
        *records([{"id": 3}]),
        record({"id": "x"}),
        batch_size_rows=2,
    )
    assert code == 1
    assert "field id holds a text that is not an integer" in log
    assert "Traceback" not in log
    assert out == ""  # that STATE came behind the batch
    assert warehouse.ask("SELECT id FROM s.t ORDER BY id") == [(1,), (2,)]


def test_a_missing_folder(warehouse):
    warehouse.path = warehouse.folder / "no" / "warehouse.duckdb"
    code, _, log = warehouse.run(schema(ID))
    assert code == 1
    assert f"filepath: there is no folder {warehouse.path.parent}; make it first" in log


def test_a_file_that_is_none(warehouse):
    warehouse.path.write_text("x" * 5_000)
    with pytest.raises(LoadError, match="not a valid DuckDB database file"):
        warehouse.load(schema(ID))


def checksum(block):
    """DuckDB's, of blocks whose length is a multiple of 8."""
    result = 5381
    for (number,) in struct.iter_unpack("<Q", block):
        result ^= number * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return result


def test_a_file_of_a_newer_duckdb(warehouse):
    duckdb.connect(str(warehouse.path)).close()
    data = bytearray(warehouse.path.read_bytes())
    assert struct.unpack_from("<Q", data)[0] == checksum(data[8:4096])
    struct.pack_into("<Q", data, 12, 1_000_000)
    struct.pack_into("<Q", data, 0, checksum(data[8:4096]))
    warehouse.path.write_bytes(data)
    with pytest.raises(LoadError, match="is of a newer DuckDB than"):
        warehouse.load(schema(ID))


def test_a_full_disk(warehouse):
    """As the system tells it when a file may grow no further."""
    before = [{"id": number, "s": f"{number * 7919}"} for number in range(100)]
    warehouse.load(schema(FIELDS), *records(before))
    limit = warehouse.path.stat().st_size + 300_000
    config = warehouse.folder / "config.json"
    config.write_text(json.dumps(warehouse.config()))
    more = records([{"id": number, "s": f"{hash(str(number))}" * 20} for number in range(10_000)])
    run = subprocess.run(
        [*COMMAND, "--config", config],
        input=text([schema(FIELDS), *more, state(1)]),
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        timeout=120,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "Traceback" not in run.stderr
    assert f"filepath: {warehouse.path}" in run.stderr
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(100,)]
    assert warehouse.load(schema(FIELDS), *more, state(1)) == [1]
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(10_000,)]
