"""Files of BATCH messages, Arrow's aside: what they hold is loaded; of one that is none, the name is told."""

from __future__ import annotations

import gzip
import json
from importlib.util import find_spec

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from singer_sdk.exceptions import MissingKeyPropertiesError

from loaders.warehouse import ID, activate, record, schema, state
from target_duckdb_exact.errors import LoadError

FIELDS = {**ID, "n": {"type": ["number", "null"]}, "s": {"type": "string"}, "j": {}}
JSONL = {"format": "jsonl"}


def batch(warehouse, name, data, *, version=None, compression="gzip", form="jsonl"):
    path = warehouse.folder / name
    path.write_bytes(data)
    encoding = {"format": form, "compression": compression}
    return {
        "type": "BATCH",
        "stream": "t",
        "encoding": encoding,
        "manifest": [path.as_uri()],
        "version": version,
    }


def test_files_of_batches(warehouse):
    lines = "".join(json.dumps({"id": number, "n": number / 4}) + "\n" for number in range(2_500)).encode()
    marked = pa.array(['{"a":[1.10,"x"]}'], pa.string()).cast(pa.json_(pa.string()))
    table = pa.table({"id": [5_000], "n": [1.25], "s": ["é"], "j": marked})
    pq.write_table(table, warehouse.folder / "rows.parquet")
    parquet = (warehouse.folder / "rows.parquet").read_bytes()
    warehouse.load(
        schema(FIELDS),
        batch(warehouse, "a.jsonl.gz", gzip.compress(lines), version=5),
        batch(warehouse, "b.jsonl", b'\n{"id": 4000, "s": "last"}', compression=None),
        batch(warehouse, "c.parquet", parquet, compression=None, form="parquet"),
        record({"id": 1, "n": 99}, version=5),
        activate(5),
        state("done"),
        batch_size_rows=1_000,
    )
    assert warehouse.ask("SELECT count(*), sum(n) FROM s.t WHERE id < 2500") == [
        (2_500, sum(range(2_500)) / 4 - 0.25 + 99)
    ]
    assert warehouse.ask("SELECT id, s, j FROM s.t WHERE id > 2500 ORDER BY id") == [
        (4_000, "last", None),
        (5_000, "é", '{"a":[1.10,"x"]}'),
    ]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"encoding": {"format": "xml"}, "manifest": []}, "a BATCH of format xml, None can't be read"),
        ({"encoding": {"format": []}, "manifest": []}, "a BATCH of format [], None can't be read"),
        ({"encoding": "jsonl", "manifest": []}, "a BATCH of format None, None can't be read"),
        ({"encoding": JSONL}, "a BATCH message has no manifest, the list of its files"),
        ({"encoding": JSONL, "manifest": None}, "a BATCH message has no manifest, the list of its files"),
        ({"encoding": {"format": "arrow"}}, "a BATCH message has no manifest, the list of its files"),
        ({"encoding": JSONL, "manifest": "a.jsonl"}, "the manifest of a BATCH message is no list of texts"),
        ({"encoding": JSONL, "manifest": ["a", 5]}, "the manifest of a BATCH message is no list of texts"),
        ({"encoding": JSONL, "manifest": [], "version": "7"}, "BATCH has a version that is no integer of 64"),
        ({"encoding": JSONL, "manifest": [], "version": 2**63}, "BATCH has a version that is no integer of"),
    ],
)
def test_messages_that_are_none(warehouse, message, told):
    with pytest.raises(LoadError) as failure:
        warehouse.load(schema(ID), {"type": "BATCH", "stream": "t", **message}, state(1))
    assert str(failure.value).startswith(f"t: {told}")


def test_a_batch_of_no_files(warehouse):
    message = {"type": "BATCH", "stream": "t", "encoding": JSONL, "manifest": []}
    assert warehouse.load(schema(ID), message, state(1)) == [1]


CUT = gzip.compress(b'{"id": 1}\n' * 1_000, mtime=0)[:-20]


@pytest.mark.parametrize(
    ("name", "data", "form", "compression", "told"),
    [
        ("a.gz", CUT, "jsonl", "gzip", "it is no whole gzip file"),
        ("a.gz", b'{"id": 1}', "jsonl", "gzip", "it is no whole gzip file"),
        ("a.gz", b"\x1f\x8b\x08" + b"\0" * 7 + b"\xff" * 9, "jsonl", "gzip", "it is no whole gzip file"),
        ("a.parquet", b'{"id": 1}\n', "parquet", None, "it is no whole parquet file"),
        ("a.parquet", b"", "parquet", None, "it is no whole parquet file"),
        ("a.parquet", b"PAR1" + b"x" * 30 + b"PAR1", "parquet", None, "it is no whole parquet file"),
    ],
    ids=["gzip cut off", "not packed", "gzip broken", "no Parquet", "empty", "Parquet broken"],
)
def test_files_that_are_none(warehouse, name, data, form, compression, told):
    message = batch(warehouse, name, data, compression=compression, form=form)
    with pytest.raises(LoadError) as failure:
        warehouse.load(schema(ID), message, state(1))
    assert str(failure.value) == f"t: {name} of a BATCH message can't be read ({told})"


@pytest.mark.parametrize("form", ["jsonl", "parquet", "arrow"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/nowhere/a.jsonl", "a.jsonl of a BATCH message can't be read (No such file or directory)"),
        ("foo://host/a.jsonl?key=a/b", "a.jsonl of a BATCH message can't be read (Unsupported filesystem"),
        ("http://localhost:1/a.jsonl", "a.jsonl of a BATCH message can't be read (HTTPFileSystem requires"),
        ("s3://bucket/a.jsonl", "a.jsonl of a BATCH message can't be read (Install s3fs to access S3)"),
    ],
)
def test_files_that_can_not_be_had(warehouse, form, name, told):
    package = {"http": "aiohttp", "s3": "s3fs"}.get(name.partition("://")[0])
    if package and find_spec(package):
        pytest.skip("the package for such files is installed here")
    message = {"type": "BATCH", "stream": "t", "encoding": {"format": form}, "manifest": [name]}
    with pytest.raises(LoadError) as failure:
        warehouse.load(schema(ID), message, state(1))
    assert str(failure.value).startswith(f"t: {told}")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"id": 1}\n{"id": "x"}\n', "line 2 of a.jsonl: field id holds a text"),
        (b'\n{"id": 1}\n\n{"id": "x"}\n', "line 4 of a.jsonl: field id holds a text"),
        (b'{"id": 1}\n' * 25_000 + b'{"id": 1', "line 25001 of a.jsonl: no record (Input data was truncated"),
        (
            b'{"id": 1}\n{"id":\n',
            "line 2 of a.jsonl: no record (JSON is malformed: invalid character (byte 6))",
        ),
        (b'{"id": 1}\n{"id"}\n', "line 2 of a.jsonl: no record (JSON is malformed: expected ':' (byte 5))"),
        (b'{"id": 1}\n{"s": "a"}\n', "line 2 of a.jsonl: a record has no value for its key id"),
        (b'{"id": 1, "s": "\xff"}\n', "line 1 of a.jsonl"),
    ],
)
def test_lines_that_are_none(warehouse, data, told):
    """Of a file, which is named, and not of the input."""
    with pytest.raises((LoadError, MissingKeyPropertiesError)) as failure:
        warehouse.load(schema(FIELDS), record({"id": 0}), batch(warehouse, "a.jsonl", data, compression=None))
    assert str(failure.value).startswith(f"t, {told}")


def test_rows_that_are_none(warehouse):
    pq.write_table(pa.table({"id": [*range(12_000), None]}), warehouse.folder / "rows.parquet")
    parquet = (warehouse.folder / "rows.parquet").read_bytes()
    message = batch(warehouse, "a.parquet", parquet, compression=None, form="parquet")
    with pytest.raises(MissingKeyPropertiesError, match=r"t, row 12001 of a.parquet: a record has no value"):
        warehouse.load(schema(FIELDS), message)


def test_a_byte_order_mark_before_a_file(warehouse):
    data = '{"id": 1}\n{"id": 2}'.encode("utf-8-sig")
    warehouse.load(schema(ID), batch(warehouse, "a.jsonl", data, compression=None))
    assert warehouse.ask("SELECT id FROM s.t ORDER BY id") == [(1,), (2,)]
