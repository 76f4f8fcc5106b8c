"""The taps' rows in real loaders: every row and value, and a second run that adds nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product

import pytest

from support import KEY

ALL = ("billing", "events", "promotions", "rewards", "scheduling")
FEW = ("billing", "events")
TWICE = "billing"


def assert_loaded(target, output, times=1):
    """Every row of every stream is there so many times, as this target keeps its values."""
    for stream, messages in output.schemas.items():
        schema, keys = messages[0]["schema"]["properties"], messages[0]["key_properties"]
        nothing = {target.column(name): target.kept(None, field) for name, field in schema.items()}
        expected = {
            tuple(str(row[key]) for key in keys): {
                target.column(name): target.kept(row.get(name), field) for name, field in schema.items()
            }
            for row in output.records.get(stream, [])
        }
        rows = target.rows(stream) if expected else []
        assert len(rows) == len(expected) * times, stream
        for row in rows:
            key = tuple(str(row[target.column(name)]) for name in keys)
            assert {**nothing, **row} == expected[key], stream  # a line of JSON lacks what the record lacks


@pytest.mark.parametrize(
    ("name", "api"),
    [
        *product(("target-duckdb", "target-postgres"), ALL),
        *product(("target-jsonl", "target-csv"), FEW),
    ],
)
def test_every_row_and_value(target, outputs, name, api):
    """All are there; a second run adds nothing, but where there are no keys, in target-jsonl's files."""
    loader = target(name)
    output = outputs[api]
    run = loader.load(output.text)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == output.state
    assert_loaded(loader, output)
    if api == TWICE:
        assert loader.load(output.text).returncode == 0
        assert_loaded(loader, output, times=2 if loader.appends else 1)


def test_tap_piped_into_a_target(account, outputs, target, tmp_path):
    """As without Meltano: two commands and a pipe."""
    loader = target("target-postgres")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api_url": f"{account.url}/events", "api_key": KEY}))
    tap = subprocess.Popen(
        [sys.executable, "-m", "tap_events", "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with tap:
        load = [*loader.command, "--config", loader.config()]
        run = subprocess.run(load, stdin=tap.stdout, capture_output=True, check=False, timeout=60)
        assert (run.returncode, tap.wait()) == (0, 0), run.stderr
    assert_loaded(loader, outputs["events"])


@pytest.mark.long
def test_parquet(target, outputs, tmp_path):
    """DuckDB writes what was loaded as Parquet: there is no loader for it that could be installed."""
    loader = target("target-duckdb")
    assert loader.load(outputs["billing"].text).returncode == 0
    for stream in outputs["billing"].records:
        path = tmp_path / f"{stream}.parquet"
        loader.copy(stream, path)
        assert sorted(loader.select(f"'{path}'"), key=repr) == sorted(loader.read(stream), key=repr) != []
