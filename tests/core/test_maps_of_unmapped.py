"""Maps and flattening of what `_sdc_unmapped` has: a mapped value holds, and nothing is lost silently."""

from __future__ import annotations

import json

import pytest

from in_process import call, entry_of, said, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_scheduling.tap import TapScheduling

ROWS = [{"id": 1, "new": "x"}, {"id": 2}]
HALF = "\ud800"
FLAT = {"flattening_enabled": True, "flattening_max_depth": 1}
STREAMS = {TapBilling: "customers", TapScheduling: "event_types"}


def read(folder, tap, rows, *, catalog=None, **config):
    """What a tap writes of customers, or of types of events; every record is valid."""
    stream = STREAMS[tap]

    def handle(path, query):
        if tap is TapBilling:
            return numbered([{"customer": row} for row in rows], query)
        return {"status": "success", "data": cut(rows, query, default=10**6)}

    with JsonApi(handle) as api:
        output = call(tap, folder, url=api.url, catalog=catalog or select(tap, stream), **config)
    output.check()
    return output, output.records.get(stream, [])


@pytest.mark.parametrize("tap", STREAMS)
@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("json.dumps(_sdc_unmapped)", ['{"new": "x"}', "null"]),
        ("str(id)", ["1", "2"]),
        ("id", [1, 2]),
        ("'y'", ["y", "y"]),
        ("{'own': id}", [{"own": 1}, {"own": 2}]),
    ],
)
def test_D09_what_a_map_makes_of_it_holds(tmp_path, tap, expression, values):
    maps = {STREAMS[tap]: {"_sdc_unmapped": expression}}
    output, rows = read(tmp_path, tap, ROWS, stream_maps=maps)
    assert output.code == 0, output.log
    assert [row["_sdc_unmapped"] for row in rows] == values


@pytest.mark.parametrize(("tap", "name"), [(TapBilling, "created_at"), (TapScheduling, "lengthInMinutes")])
@pytest.mark.parametrize("expression", ["json.dumps(_sdc_unmapped)", "md5(str(id))", "id"])
def test_D09_a_misfit_beside_a_map_of_it_is_refused(tmp_path, tap, name, expression):
    maps = {STREAMS[tap]: {"_sdc_unmapped": expression, name: "self if False else ['soon'][0]"}}
    rows = [{**row, name: None} for row in ROWS]
    output, written = read(tmp_path, tap, rows, stream_maps=maps)
    assert output.code == 1
    assert not written
    assert f"`{name}` fits no column, and `_sdc_unmapped`, which would keep it, is mapped" in said(output)[0]


@pytest.mark.parametrize("tap", STREAMS)
def test_D09_an_object_that_a_map_makes_of_it_takes_misfits_too(tmp_path, tap):
    name = "updated_at" if tap is TapBilling else "lengthInMinutes"
    maps = {STREAMS[tap]: {"_sdc_unmapped": "{'own': 1}", name: "['soon'][0]"}}
    output, rows = read(tmp_path, tap, ROWS, stream_maps=maps)
    assert output.code == 0, output.log
    assert [row["_sdc_unmapped"] for row in rows] == [{"own": 1, name: "soon"}] * 2


@pytest.mark.parametrize("tap", STREAMS)
def test_D_half_a_character_in_a_name_under_flattening(tmp_path, tap):
    """Beside a plain value where others have an object, which flattening has no column for."""
    odd = {HALF: 1, "metadata": False, "number": 0.10}
    catalog = select(tap, STREAMS[tap])
    field = {"type": ["object", "boolean", "null"], "properties": {"id": {"type": ["integer", "null"]}}}
    entry_of(catalog, STREAMS[tap])["schema"]["properties"]["metadata"] = field
    output, rows = read(tmp_path, tap, [{"id": 1, **odd}, {"id": 2}], catalog=catalog, **FLAT)
    assert output.code == 0, output.log
    assert json.loads(rows[0]["_sdc_unmapped"]) == odd
    assert len(rows) == 2


@pytest.mark.parametrize(("tap", "name"), [(TapBilling, "first_name"), (TapScheduling, "title")])
def test_D_half_a_character_in_a_list_that_a_map_makes(tmp_path, tap, name):
    maps = {STREAMS[tap]: {"made": f"[{name}]"}}
    output, rows = read(tmp_path, tap, [{"id": 1, name: HALF}], stream_maps=maps)
    assert output.code == 0, output.log
    assert json.loads(rows[0]["made"]) == [HALF]


@pytest.mark.parametrize("tap", STREAMS)
def test_K_columns_that_no_schema_has_are_told_up_to_a_hundred(tmp_path, tap):
    """Flattening makes one of each field of an object that is open."""
    catalog = select(tap, STREAMS[tap])
    fields = {"id": {"type": ["integer", "null"]}}
    field = {"type": ["object", "null"], "properties": fields, "additionalProperties": True}
    entry_of(catalog, STREAMS[tap])["schema"]["properties"]["metadata"] = field
    rows = [{"id": number, "metadata": {f"x{number}": 1}} for number in range(1, 150)]
    output, written = read(tmp_path, tap, rows, catalog=catalog, **FLAT)
    assert [json.loads(row["_sdc_unmapped"]) for row in written] == [
        {f"metadata__x{number}": 1} for number in range(1, 150)
    ]
    *lines, last = (line for line in said(output, "WARNING") if "mapped schema" in line)
    assert len(lines) == 100
    assert last == f"{STREAMS[tap]}: more fields are not in the mapped schema; they are not named here"
