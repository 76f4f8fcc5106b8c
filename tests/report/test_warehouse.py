"""scripts/warehouse.py, which shows what was loaded."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "warehouse.py"


@pytest.fixture
def show(tmp_path):
    """Run the script where there is a small warehouse."""
    (tmp_path / "output").mkdir()
    with duckdb.connect(str(tmp_path / "output" / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA tap_events; CREATE TABLE tap_events.users AS SELECT 7 AS id")

    def show(*arguments, reader="cat"):
        piped = ["bash", "-o", "pipefail", "-c", f'"$@" | {reader}', "bash"]
        command = [*piped, sys.executable, SCRIPT, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    return show


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_G10_help_is_help(show, option):
    shown = show(option)
    assert shown.returncode == 0
    assert shown.stdout.startswith("usage: warehouse.py")
    assert "query" in shown.stdout


def test_G11_a_line_per_schema(show):
    _, _, line = show("--schemas").stdout.splitlines()
    assert line.split() == ["tap_events", "1", "1"]


def test_names_are_shown_whatever_is_in_them(show, tmp_path):
    with duckdb.connect(str(tmp_path / "output" / "warehouse.duckdb")) as connection:
        connection.execute('CREATE SCHEMA "a""b"; CREATE TABLE "a""b"."x.""y" AS SELECT 7 AS id')
    assert 'a"b.x."y' in show().stdout


def test_a_query_without_rows_has_its_columns(show):
    shown = show("SELECT id FROM tap_events.users WHERE id = 8")
    assert shown.returncode == 0
    assert "id" in shown.stdout
    assert "Done." not in shown.stdout
    assert show("/* nothing */").stdout == "Done.\n"


@pytest.mark.parametrize("query", ["SELECT id FROM tap_events.users", "SELECT * FROM range(100000)"])
def test_a_reader_that_goes_away_ends_it_without_a_word(show, query):
    """As `| head -4` does."""
    assert show(query, reader="true").stderr == ""


def test_tables_and_queries(show):
    assert "tap_events.users" in show().stdout
    assert "7" in show("SELECT id FROM tap_events.users").stdout
    assert "7" in show("SELECT", "id", "FROM", "tap_events.users").stdout
    refused = show("SELECT nothing")
    assert refused.returncode == 1
    assert "nothing" in refused.stderr
