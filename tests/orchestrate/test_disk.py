"""What can't be written or read costs its unit alone, and what became of a run stays what it was."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
no_full_disk = pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")


@pytest.fixture
def folder(project):
    """The folder of the unit `a`."""
    return project / ".meltano" / "units" / "tap-stub_a"


@no_full_disk
@pytest.mark.parametrize("scenario", ["", "lengthy"])
def test_a_run_whose_log_can_not_be_written_ends_as_meltano_does(scenario, scenarios, suite, folder):
    scenarios(a=scenario)
    folder.mkdir(parents=True)
    (folder / "run.log").symlink_to(FULL)
    code, out, err = suite("run", "a")
    assert code == 0
    assert out.splitlines()[1].split()[2:4] == ["read", "7"]
    assert err.count(f"; its log could not be written: {folder / 'run.log'}: No space left on device") == 1
    assert "unknown" not in suite("status")[1], "all was read"


def test_a_log_that_can_not_be_opened(scenarios, suite, folder):
    scenarios(a="refused")
    (folder / "run.log").mkdir(parents=True)
    code, out, err = suite("run", "a")
    assert code == 1
    assert "api_key was refused (401)" in out
    assert f"; its log could not be written: {folder / 'run.log'}: Is a directory" in err


def test_a_character_that_no_file_can_hold_ends_no_log(scenarios, suite, folder):
    scenarios(a="surrogate")
    assert suite("run", "a")[0] == 0
    assert "\\ud800" in (folder / "run.log").read_text()


@pytest.mark.parametrize("scenario", ["", "lengthy"])
def test_a_run_that_nobody_follows_any_more_ends_as_meltano_does(scenario, scenarios, stub_command, suite):
    scenarios(a=scenario)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", stub_command, "run", "a"]
    ended = subprocess.run(command, stdout=writing, stderr=writing, timeout=20, check=False)
    os.close(writing)
    assert ended.returncode == 0
    assert suite("status")[0] == 0


@pytest.mark.parametrize("made", ["the folder", "last.json.part"])
def test_a_folder_that_can_not_be_written_costs_its_unit_alone(made, scenarios, suite, folder):
    scenarios(a="", b="")
    if made == "the folder":
        folder.parent.mkdir()
        folder.touch()
    else:
        (folder / made).mkdir(parents=True)
    code, out, err = suite("all", "--retry-after", "0")
    assert code == 2
    told = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert told["a"].split()[2] == "failed"
    assert told["b"].split()[2] == "read"
    assert f"{folder}" in err
    reason = os.strerror(errno.EEXIST if made == "the folder" else errno.EISDIR)
    assert err.count(f"last.json: {reason}") == 1


@pytest.mark.parametrize(
    "kept",
    [
        *({}, [], None, 1),
        *({"whole_since": since} for since in ("x", 5, "2026-01-01T00:00:00")),
        *({"seconds": "1"}, {"seconds": None}, {"rows": "7"}, {"why": None}, {"result": []}, {"more": 1}),
    ],
    ids=str,
)
def test_an_outcome_of_another_shape_is_none(kept, scenarios, suite, folder):
    scenarios(a="")
    suite("run", "a")
    last = folder / "last.json"
    last.write_text(json.dumps({**json.loads(last.read_text()), **kept} if kept and kept != 1 else kept))
    code, out, _ = suite("status")
    assert code == 1
    assert "never run" in out
    assert suite("run", "a")[0] == 0


def test_data_from_a_clock_that_was_ahead_has_no_age(scenarios, suite, folder):
    scenarios(a="")
    suite("run", "a")
    last = folder / "last.json"
    last.write_text(json.dumps({**json.loads(last.read_text()), "whole_since": "9000-01-01T00:00:00+00:00"}))
    assert suite("status")[1].splitlines()[1].endswith(" 0.0 s")
