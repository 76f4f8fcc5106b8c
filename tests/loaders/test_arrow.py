"""Arrow files of BATCH messages: types and values as of RECORD messages; removed once they are loaded."""

from __future__ import annotations

import json
from decimal import Decimal

import pyarrow as pa
import pytest

from loaders.warehouse import ID, activate, records, schema, state
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.files import file_for_arrow

MOMENT = {"type": "string", "format": "date-time"}
FIELDS = {
    **ID,
    "n": {"type": "number"},
    "b": {"type": "boolean"},
    "d": {"type": "string", "format": "date"},
    "t": MOMENT,
    "l": {"type": "string", "x-format": "local-date-time"},
    "s": {"type": "string"},
    "e": {"type": ["string", "integer"]},
    "j": {"type": "object"},
}
JSON = pa.json_(pa.string())
HALF = Decimal("0.5")
READ = "2026-11-26T10:00:00+00:00"


def texts_of_json(*texts):
    return pa.array(texts, pa.string()).cast(JSON)


def batch(warehouse, columns, name="a.arrow", *, version=None, told=None, times=1):
    """A BATCH message of a file with these columns, in so many record batches."""
    table = pa.table(columns).replace_schema_metadata(told and {"time_extracted": json.dumps(told)})
    path = warehouse.folder / name
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=-(-len(table) // times))
    return {
        "type": "BATCH",
        "stream": "t",
        "encoding": {"format": "arrow"},
        "manifest": [path.as_uri()],
        "version": version,
    }


ROWS = [
    {
        "id": 1,
        "n": 1.5,
        "b": True,
        "d": "2026-01-31",
        "t": "2026-01-31T10:00:00.123456+05:30",
        "l": "2026-01-31T10:00:00",
        "s": "é\x00",
        "e": "5",
        "j": {"a": [1, "x", None], "n": 12345678901234567890.5},
    },
    {"id": 2, "e": 5},
]
OWN = {
    "id": [1, 2],
    "n": pa.array([Decimal("1.5"), None], pa.decimal128(38, 9)),
    "b": [True, None],
    "d": pa.array(["2026-01-31", None]).cast(pa.date32()),
    "t": pa.array(["2026-01-31T04:30:00.123456Z", None]).cast(pa.timestamp("us", "UTC")),
    "l": pa.array(["2026-01-31T10:00:00", None]).cast(pa.timestamp("us")),
    "s": ["é\x00", None],
    "e": texts_of_json('"5"', "5"),
    "j": texts_of_json(json.dumps(ROWS[0]["j"]), None),
}
OTHERS = {
    "id": pa.array([1, 2], pa.uint8()),
    "n": pa.array([1.5, None], pa.float32()),
    "b": pa.array(["true", None]),
    "d": ["2026-01-31", None],
    "t": pa.array(["2026-01-31T04:30:00.123456789Z", None]).cast(pa.timestamp("ns", "+05:30")),
    "l": pa.array(["2026-01-31T10:00:00", None]).cast(pa.timestamp("s")),
    "s": pa.array(["é\x00", None], pa.large_string()).dictionary_encode(),
    "e": texts_of_json('"5"', "5"),
    "j": texts_of_json(json.dumps(ROWS[0]["j"]), "null"),
    "unknown": [1, 2],
}


@pytest.mark.parametrize("columns", [OWN, OTHERS], ids=["own types", "other types"])
def test_as_records(warehouse, tmp_path, columns, caplog):
    """One table has what records brought; the same as a file changes nothing of it, its types neither."""
    warehouse.load(schema(FIELDS), *records(ROWS))
    before = warehouse.ask("SELECT * FROM s.t ORDER BY id"), warehouse.types()
    warehouse.load(schema(FIELDS), batch(warehouse, columns))
    assert (warehouse.ask("SELECT * FROM s.t ORDER BY id"), warehouse.types()) == before
    told = [line for line in caplog.messages if "SCHEMA lacks" in line]
    assert len(told) == ("unknown" in columns)


def test_numbers_beyond_the_usual_types(warehouse):
    warehouse.load(
        schema(FIELDS),
        batch(warehouse, {"id": [1], "n": ["12345678901234567890.1234567890"]}),
        batch(warehouse, {"id": pa.array([Decimal(2**70)], pa.decimal128(38, 0)), "n": [None]}, "b.arrow"),
        batch(warehouse, {"id": [str(2**71)], "n": pa.array([HALF], pa.decimal128(38, 18))}, "c.arrow"),
    )
    assert warehouse.ask("SELECT id, n FROM s.t ORDER BY id") == [
        (1, Decimal("12345678901234567890.1234567890")),
        (2**70, None),
        (2**71, HALF),
    ]
    assert warehouse.types()["id"] == "HUGEINT"


def test_versions_times_and_history(warehouse):
    """Rows of two record batches, read at two times; the next version lacks some."""
    told = [[READ, 3], [READ.replace("10:00", "10:01"), 1]]
    first = batch(warehouse, {"id": [1, 2, 3, 4], "s": list("abcd")}, version=5, told=told, times=2)
    warehouse.load(schema(FIELDS), first, activate(5), history=["t"])
    times = warehouse.ask("SELECT id, strftime(_sdc_extracted_at, '%H:%M') FROM s.t ORDER BY id")
    assert times == [(1, "10:00"), (2, "10:00"), (3, "10:00"), (4, "10:01")]
    second = batch(warehouse, {"id": [1, 2], "s": ["a", "new"]}, "b.arrow", version=6)
    warehouse.load(schema(FIELDS), second, activate(6), history=["t"])
    assert warehouse.ask("SELECT id FROM s.t WHERE _sdc_deleted_at IS NULL ORDER BY id") == [(1,), (2,)]
    current = warehouse.ask("SELECT id, s FROM s.t_history WHERE _sdc_is_current ORDER BY id")
    assert current == [(1, "a"), (2, "new")]
    assert warehouse.ask("SELECT count(*) FROM s.t_history") == [(5,)]


def test_a_file_is_removed_once_all_its_rows_are_loaded(warehouse):
    """Not before: a load that fails leaves it, and tells no STATE of it."""
    good = batch(warehouse, {"id": [1, 2, 3]}, times=3)
    bad = batch(warehouse, {"id": ["x"]}, "b.arrow")
    with pytest.raises(LoadError, match=r"t, row 1 of b.arrow: field id holds"):
        warehouse.load(schema(ID), good, state(1), bad, state(2))
    assert {path.name for path in warehouse.folder.glob("*.arrow")} == {"a.arrow", "b.arrow"}
    told = warehouse.load(schema(ID), good, state(1), batch_size_rows=1)
    assert told == [1]
    assert {path.name for path in warehouse.folder.glob("*.arrow")} == {"b.arrow"}
    assert warehouse.ask("SELECT id FROM s.t ORDER BY id") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("folder", ["a b=ü", "50%25#?"])
@pytest.mark.parametrize("how", ["a URL", "a path", "a path behind file://"])
def test_files_by_all_names_that_taps_have_for_them(warehouse, folder, how):
    (warehouse.folder / folder).mkdir()
    message = batch(warehouse, {"id": [1]}, f"{folder}/a=1.arrow")
    path = warehouse.folder / folder / "a=1.arrow"
    names = {"a URL": path.as_uri(), "a path": str(path), "a path behind file://": f"file://{path}"}
    warehouse.load(schema(ID), {**message, "manifest": [names[how]]}, state(1))
    assert warehouse.ask("SELECT id FROM s.t") == [(1,)]
    assert not path.exists()


def test_a_file_that_can_not_be_removed_is_named(warehouse, monkeypatch, caplog):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("upath.implementations.local.FilePath.unlink", refuse)
    assert warehouse.load(schema(ID), batch(warehouse, {"id": [1]}), state(1)) == [1]
    assert "a.arrow is loaded and can't be removed (Permission denied)" in caplog.text


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": [None], "s": ["a"]}, "a record has no value for its key id"),
        ({"s": ["a"]}, "a record has no value for its key id"),
        ({"id": [1.5]}, "field id holds a number that is not an integer"),
        ({"id": [1], "t": ["soon"]}, "field t holds a text that is not a time"),
    ],
)
def test_what_does_not_fit(warehouse, columns, words):
    with pytest.raises(Exception, match=words):
        warehouse.load(schema(FIELDS), batch(warehouse, columns))


@pytest.mark.parametrize("data", [None, b"", b"ARROW1\x00\x00 and no more"])
def test_no_file(warehouse, data):
    message = batch(warehouse, {"id": [1]})
    path = warehouse.folder / "a.arrow"
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(LoadError, match=r"t: a.arrow of a BATCH message can't be read"):
        warehouse.load(schema(ID), message)


def test_arrow_holds_no_file_of_pythons(tmp_path):
    """With one in a thread's hand when the interpreter ends, as after a file that is none, it would abort."""
    path = tmp_path / "a.arrow"
    path.write_bytes(b"none")
    for name in (str(path), path.as_uri()):
        with file_for_arrow(name) as file:
            assert type(file) is pa.OSFile
