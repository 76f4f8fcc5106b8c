"""What `make demo` shows: about a screen, and the log only where something failed."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOG = "a line of the log"


@pytest.fixture
def demo(tmp_path):
    """Run scripts/demo.sh in a folder whose programs write as much as Meltano does, and then end as told."""

    def demo(code, folders=("scripts", "output", ".venv/bin")):
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "demo.sh", tmp_path / "scripts")
        much = f"yes {LOG} | head -n 300 >&2; exit {code}"
        programs = {"meltano": much, "api-sandbox": "exit 0", "python": "echo Table"}
        for name, commands in programs.items():
            program = tmp_path / ".venv" / "bin" / name
            program.write_text(f"#!/bin/sh\n{commands}\n")
            program.chmod(0o755)
        return subprocess.run(
            ["sh", tmp_path / "scripts" / "demo.sh"],
            capture_output=True,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
            text=True,
        )

    return demo


@pytest.mark.parametrize(
    "line",
    [
        "TAP_EVENTS_API_URL=https://x",
        "export  TAP_BILLING_API_URL = 'https://x'",
        "TARGET_DUCKDB_FILEPATH=/data/real.duckdb",
        "export TARGET_DUCKDB_DEFAULT_TARGET_SCHEMA=mine",
        "\t'TARGET_DUCKDB_FILEPATH'=/data/real.duckdb",
    ],
)
def test_another_address_or_file_in_env_stops_it(demo, tmp_path, line):
    """All are read by Meltano: rows of a real account would count as deleted."""
    (tmp_path / ".env").write_text(f"{line}\n")
    shown = demo(0)
    assert shown.returncode == 1
    name = line.removeprefix("export").split("=")[0].strip("\t' ")
    assert f"unset {name}, and take it out of .env" in shown.stderr
    assert LOG not in shown.stderr


@pytest.mark.parametrize(
    "line", ["TARGET_DUCKDB_FILEPATH=", "# TAP_EVENTS_API_URL=https://x", "TAP_X_API_URL=y"]
)
def test_what_sets_nothing_of_the_demo_does_not_stop_it(demo, tmp_path, line):
    (tmp_path / ".env").write_text(f"{line}\n")
    assert demo(0).returncode == 0


def test_a_folder_for_output_is_made(demo, tmp_path):
    assert demo(0, folders=("scripts", ".venv/bin")).returncode == 0


def test_G11_the_log_goes_into_a_file(demo, tmp_path):
    shown = demo(0)
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""
    assert LOG not in shown.stdout
    assert "Table" in shown.stdout
    lines = shown.stdout.splitlines()
    assert len(lines) <= 20, "and a line per schema"
    assert max(map(len, lines)) <= 120
    assert (tmp_path / "output" / "demo.log").read_text().count(LOG) == 300


def test_G11_the_log_of_a_failure_is_shown(demo, tmp_path):
    shown = demo(1)
    assert shown.returncode == 1
    assert shown.stderr.count(LOG) == 300
    assert "Table" not in shown.stdout
    assert not (tmp_path / "output" / ".demo-complete").exists()
