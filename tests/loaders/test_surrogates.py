"""Half a surrogate pair, as of an emoji that was cut, ends no load; nor does a number beyond any double."""

from __future__ import annotations

import gzip
import json

import pytest

from loaders.test_arrow import batch as arrow_batch
from loaders.test_arrow import texts_of_json
from loaders.warehouse import ID, record, schema, state
from target_duckdb_exact.errors import LoadError

FIELDS = {**ID, "s": {"type": ["string", "null"]}, "m": {"type": ["string", "number", "null"]}, "j": {}}
ROW = '{"id": %d, "s": "%s", "m": "%s", "j": {"%s": ["%s", 1.50]}}'
TOLD = "t: halves of surrogate pairs, as of an emoji that was cut, are no text: %d became U+FFFD"

TEXTS = {
    # as JSON has it, as it is loaded, halves in it
    r"cut \ud83d": ("cut �", 1),
    r"\uD83D cut": ("� cut", 1),
    r"low \ude00": ("low �", 1),
    r"\ud83d\u0041": ("�A", 1),
    r"\ud83d\ud83d\ude00\ude00": ("�😀�", 2),
    r"\ude00\ud83d": ("��", 2),
    r"\ud83d\n": ("�\n", 1),
    r"\\\ud83d": ("\\�", 1),
    r"\\ud83d\ude00": ("\\ud83d�", 1),
    r"\\ud83d": (r"\ud83d", 0),
    r"\\\\ud83d\\ude00": (r"\\ud83d\ude00", 0),
    r"\ud83d\ude00 \uDBFF\uDFFF": ("😀 \U0010ffff", 0),
    r"\ufffd \ud7ff \ue000 \u0000": ("\ufffd \ud7ff \ue000 \0", 0),
    r"\"\ud83d": ('"�', 1),
}


def line(row):
    return f'{{"type": "RECORD", "stream": "t", "record": {row}}}'


def rows():
    """Each text in every kind of field, and as a name in JSON."""
    return [ROW % (number, text, text, text, text) for number, text in enumerate(TEXTS)]


def as_lines(warehouse):
    return [line(row) for row in rows()]


def as_messages_in_another_order(warehouse):
    return [f'{{"record": {row}, "stream": "t", "type": "RECORD"}}' for row in rows()]


def as_batch(warehouse):
    path = warehouse.folder / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(rows()).encode()))
    encoding = {"format": "jsonl", "compression": "gzip"}
    return [{"type": "BATCH", "stream": "t", "encoding": encoding, "manifest": [path.as_uri()]}]


def as_arrow(warehouse):
    quoted = texts_of_json(*(f'"{text}"' for text in TEXTS))
    objects = texts_of_json(*(f'{{"{text}": ["{text}", 1.50]}}' for text in TEXTS))
    return [arrow_batch(warehouse, {"id": range(len(TEXTS)), "s": quoted, "m": quoted, "j": objects})]


@pytest.mark.parametrize("written", [as_lines, as_messages_in_another_order, as_batch, as_arrow])
def test_K05_half_a_pair_is_replaced_and_all_else_is_exact(warehouse, caplog, written):
    clean = record({"id": -1, "s": "clean", "j": {"a": 1}})
    told = warehouse.load(schema(FIELDS), clean, *written(warehouse), state(1), batch_size_rows=3)
    assert told[-1] == 1
    found = warehouse.ask("SELECT s, m, j::VARCHAR FROM s.t WHERE id >= 0 ORDER BY id")
    for (plain, either, free), (text, (expected, halves)) in zip(found, TEXTS.items(), strict=True):
        assert (plain, either) == (expected, expected)
        assert json.loads(free) == {expected: [expected, 1.5]}
        assert halves or free == f'{{"{text}": ["{text}", 1.50]}}'
    halves = sum(halves for _, halves in TEXTS.values()) * 4
    assert [said for said in caplog.messages if "surrogate" in said] == [TOLD % halves]


def test_K05_the_count_is_of_a_stream_whatever_its_schemas_and_clean_rows_say_nothing(warehouse, caplog):
    cut = [line(rf'{{"id": {number}, "s": "\ud83d"}}') for number in range(3)]
    warehouse.load(schema(FIELDS), *cut, schema({**FIELDS, "new": {}}), *cut)
    assert [said for said in caplog.messages if "surrogate" in said] == [TOLD % 6]
    caplog.clear()
    warehouse.load(schema(FIELDS), line(r'{"id": 1, "s": "\ud83d\ude00 \\ud83d"}'))
    assert "surrogate" not in caplog.text


def test_K05_a_field_that_the_schema_lacks_may_be_named_so(warehouse, caplog):
    warehouse.load(schema(FIELDS), line(r'{"id": 1, "new\ud83d": {"\ude00": 1}, "s": "x"}'))
    assert warehouse.ask("SELECT id, s FROM s.t") == [(1, "x")]
    assert "t: fields that its SCHEMA lacks are not loaded, such as new\ufffd" in caplog.messages


@pytest.mark.parametrize("kind", ["string", ["string", "integer"]])
@pytest.mark.parametrize("form", ["records", "batch", "arrow"])
def test_K05_a_key_with_half_a_pair_fails_by_name(warehouse, kind, form):
    """Without it two rows would be one. A key that has U+FFFD of its own is as good as any."""
    keys = ["\ufffd", r"\ufffd", r"\ud83d\ude00", r"a\ud83d", r"a\ud83e"]
    properties = {"name": {"type": kind}, "s": {"type": "string"}}
    rows = [rf'{{"name": "{key}", "s": "\ud83d"}}' for key in keys]
    messages = [line(row) for row in rows]
    if form == "batch":
        path = warehouse.folder / "rows.jsonl"
        path.write_text("\n".join(rows))
        encoding = {"format": "jsonl"}
        messages = [{"type": "BATCH", "stream": "t", "encoding": encoding, "manifest": [path.as_uri()]}]
    if form == "arrow":
        columns = {"name": texts_of_json(*(f'"{key}"' for key in keys)), "s": ["x"] * len(keys)}
        messages = [arrow_batch(warehouse, columns)]
    places = {"records": "line 5 of the input", "batch": "line 4 of rows.jsonl", "arrow": "row 4 of a.arrow"}
    with pytest.raises(LoadError) as failure:
        warehouse.load(schema(properties, ["name"]), *messages)
    assert str(failure.value) == (
        f"t, {places[form]}: the key name holds half a surrogate pair, without which two rows "
        "could become one; correct it at the source, or leave it out by a stream map"
    )
    assert warehouse.tables() == []
    if form == "records":
        warehouse.load(schema(properties, ["name"]), *messages[:3])
        assert warehouse.ask("SELECT name, s FROM s.t ORDER BY 1") == [("\ufffd", "\ufffd"), ("😀", "\ufffd")]


def test_K05_a_row_that_was_loaded_so_is_the_same_row_again(warehouse):
    message = line(r'{"id": 1, "s": "\ud83d", "j": {"a": "\ud83d"}}')
    warehouse.load(schema(FIELDS), message, history=["t"])
    warehouse.load(schema(FIELDS), message, history=["t"])
    assert warehouse.ask("SELECT count(*) FROM s.t_history") == [(1,)]


@pytest.mark.parametrize("beside", ["plain", r"a\u0000b", r"\ud83d", r"\ud83d\ude00"])
@pytest.mark.parametrize("form", ["records", "arrow"])
def test_K05_a_number_that_no_double_holds_keeps_its_text_in_json(warehouse, beside, form):
    texts = [f'{{"a": 1E+400, "b": "{beside}"}}', "-1e400"]
    messages = [line(f'{{"id": {number}, "j": {text}}}') for number, text in enumerate(texts)]
    if form == "arrow":
        messages = [arrow_batch(warehouse, {"id": [0, 1], "j": texts_of_json(*texts)})]
    warehouse.load(schema(FIELDS), *messages)
    if beside == r"\ud83d":
        texts[0] = texts[0].replace(beside, r"\ufffd")
    assert warehouse.ask("SELECT j::VARCHAR FROM s.t ORDER BY id") == [(text,) for text in texts]


def test_K05_a_number_that_no_type_holds_fails_with_what_to_do(warehouse):
    with pytest.raises(LoadError) as failure:
        warehouse.load(schema({**ID, "n": {"type": "number"}}), line('{"id": 1, "n": 1E+400}'))
    assert str(failure.value) == (
        "t, line 2 of the input: field n holds a number that no type holds; "
        "correct it at the source, or leave it out by a stream map"
    )
