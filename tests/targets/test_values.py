"""What each loader makes of values at the edge: the table in docs/targets.md, checked cell by cell.

The sandbox sends a coupon with the value, tap-billing reads it, and the loader gets what the tap writes.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from decimal import Decimal

import pytest

from support import KEY, discovered, run
from tap_billing.tap import TapBilling
from targets.environments import ROOT
from targets.targets import in_utc, moment, rounded

PAGE = ROOT / "docs" / "targets.md"
VALUES = {
    "an integer of 64 bits": ("amount_in_cents", "9223372036854775807"),
    "a larger integer": ("amount_in_cents", "1000000000000000000000000000000"),
    "a decimal of 15 digits": ("amount", "1234567890.12345"),
    "a decimal of 38 digits": ("amount", "12345678901234567890.123456789012345678"),
    "a timestamp with an offset": ("start_date", '"2026-03-01T10:20:30.123456+05:30"'),
    "nanoseconds": ("start_date", '"2026-03-01T10:20:30.123456789Z"'),
    "an empty string": ("name", '""'),
    "quotes, tabs, line breaks, backslashes": ("name", '"tab\\tline\\nquote\\" \\\\N \\\\"'),
    "characters of 4 bytes": ("name", '"\N{GRINNING FACE} \\ud83d\\ude00"'),
    "NUL in a string": ("name", '"a\\u0000b"'),
    "half a surrogate pair": ("name", '"a\\ud83db"'),
    "an object or a list": (
        "currency_prices",
        '[{"id": 1, "currency": "EUR", "price": 1.5}, {"price": null}]',
    ),
    "a decimal of 38 digits in it": (
        "currency_prices",
        '[{"id": 1, "price": 12345678901234567890.123456789012345678}]',
    ),
    "NUL in it": ("currency_prices", '[{"id": 1, "currency": "a\\u0000b"}]'),
    "a field that the schema lacks": ("_sdc_unmapped", '{"deep": [1, {"x": null}]}'),
}
TARGETS = ("target-duckdb", "target-postgres", "target-jsonl", "target-csv")


def told():
    """The table of the page: value -> target -> what becomes of it."""
    first, *_ = re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), re.MULTILINE)
    rows = [re.split(r" *\| *", line)[1:-1] for line in first.splitlines()]
    head, _, *body = rows
    names = [name.strip("`") for name in head[1:]]
    table = {value: dict(zip(names, cells, strict=True)) for value, *cells in body}
    if sys.version_info < (3, 11):  # said below the table
        table["NUL in a string"]["target-csv"] = "refused"
    return table


@pytest.fixture(scope="module")
def emitted(running_sandbox):
    """What the tap writes of one value, of a number of them, as the coupons 1, 2, 3, ..."""
    catalog = discovered(TapBilling)
    for stream in catalog["streams"]:
        root = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])
        root["metadata"]["selected"] = stream["tap_stream_id"] == "coupons"

    def emitted(values):
        running_sandbox.reset()
        rows = [
            f'{{"coupon": {{"id": {number}, "{field.replace("_sdc_unmapped", "novel")}": {text}}}}}'
            for number, (field, text) in enumerate(values, 1)
        ]
        running_sandbox.fault("raw_body", path="/billing/coupons", body=f"[{', '.join(rows)}]")
        config = {"api_url": f"{running_sandbox.url}/billing", "api_key": KEY}
        output = run(TapBilling, config, catalog=catalog)
        for record, (field, text) in zip(output.records["coupons"], values, strict=True):
            assert record[field] == sent(field, text)
        return output.text

    yield emitted
    running_sandbox.reset()


def parsed(text):
    """The value that a JSON text stands for."""
    return json.loads(text, parse_float=Decimal)


def sent(field, text):
    """The value that is written so; unknown fields are kept by their names."""
    value = parsed(text)
    return {"novel": value} if field == "_sdc_unmapped" else value


def became(value, loaded):
    """What a loader made of a value, in the words of the page."""
    time = isinstance(value, str) and re.match(r"\d{4}-", value) is not None
    nested = isinstance(value, list | dict)
    cut = ", to the microsecond" if time and re.search(r"\.\d{7}", value) else ""
    if isinstance(loaded, float):
        return "as sent" if Decimal(repr(loaded)) == value else "rounded"
    if loaded == value or (not nested and not time and loaded == str(value)):
        return "as sent" if isinstance(loaded, type(value)) else "as text"
    if time:
        return (as_time(value, loaded) or "otherwise") + cut
    if loaded == rounded(value):
        return "rounded"
    if isinstance(value, str) and loaded == re.sub("[\ud800-\udfff]", "\ufffd", value):
        return "with U+FFFD for it"
    return "as Python writes it" if loaded == str(value) else "otherwise"


def as_time(value, loaded):
    """How a time was kept."""
    if isinstance(loaded, datetime) and loaded in {in_utc(value), moment(value)}:
        return "the instant" if loaded.tzinfo else "in UTC"
    return "as sent" if loaded == str(moment(value)) else None


def test_the_page_tells_of_every_value():
    assert list(told()) == list(VALUES)
    assert all(tuple(cells) == TARGETS for cells in told().values())


@pytest.mark.parametrize("name", TARGETS)
def test_values_that_are_loaded(emitted, target, name):
    """One load of them all."""
    loaded = {value: cells[name] for value, cells in told().items() if cells[name] != "refused"}
    loader = target(name)
    process = loader.load(emitted([VALUES[value] for value in loaded]))
    assert process.returncode == 0, process.stderr
    rows = {int(row["id"]): row for row in loader.rows("coupons")}
    found = {}
    for number, value in enumerate(loaded, 1):
        field, text = VALUES[value]
        found[value] = became(sent(field, text), rows[number][field])
    assert found == loaded


REFUSED = [(name, value) for value, cells in told().items() for name in TARGETS if cells[name] == "refused"]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_values_that_are_refused(emitted, target, name, value):
    """The load fails, loudly: no row is left out in silence, and no STATE tells that they arrived."""
    loader = target(name)
    values = [VALUES[value], ("name", '"harmless"')]
    process = loader.load(emitted(values))
    assert process.returncode != 0
    assert process.stderr
    assert not process.stdout.strip()
    assert loader.rows("coupons") == []


def test_settings_of_target_postgres(emitted, target):
    """NUL can be replaced, and the loader's own columns left out."""
    loader = target("target-postgres")
    loader.more = {
        "sanitize_null_text_characters": True,
        "add_record_metadata": False,
        "activate_version": False,
    }
    assert loader.load(emitted([VALUES["NUL in a string"]])).returncode == 0
    (row,) = loader.read("coupons")
    assert row["name"] == "a\N{REPLACEMENT CHARACTER}b"
    assert [name for name in row if name.startswith("_sdc_")] == ["_sdc_unmapped"]
