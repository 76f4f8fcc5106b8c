"""`meltano run` killed at random points: what is left of it ends, and after the next run all is there."""

import os
import signal
import subprocess
import time
from random import Random

import pytest

from meltano_project import MELTANO, settings
from support import run
from tap_events.tap import TapEvents
from test_pipeline import assert_same, loaded

FULL = "RELIABILITY_FULL" in os.environ
POINTS = 30 if FULL else 1
WITHIN = 60

pytestmark = pytest.mark.meltano


def left(group):
    """The processes of a group that have not ended."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True)
    found = [line.split() for line in listed.stdout.splitlines()]
    return [state for number, state in found if int(number) == group and not state.startswith("Z")]


@pytest.mark.skipif(not FULL, reason="half a minute of Meltano: in `make reliability`")
@pytest.mark.parametrize("point", range(POINTS))
def test_killed_at_random_points(api, environment, tmp_path, point):
    rng = Random(point)
    how = [signal.SIGKILL, signal.SIGTERM][point % 2]
    command = [MELTANO, "run", "--force", "tap-events", "target-duckdb"]
    env = {**environment, "TARGET_DUCKDB_BATCH_SIZE_ROWS": "1000"}
    api.fault("latency", seconds=0.01)
    with (tmp_path / "log").open("wb") as log:
        hurt = subprocess.Popen(command, cwd=tmp_path, env=env, stderr=log, start_new_session=True)
    end = time.monotonic() + WITHIN
    while not (tmp_path / "warehouse.duckdb").exists() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(rng.random() * 3)
    hurt.send_signal(how)
    hurt.wait(WITHIN)
    end = time.monotonic() + WITHIN
    while left(hurt.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left(hurt.pid)
    assert (tmp_path / "warehouse.duckdb").exists()
    api.clear()
    again = subprocess.run(
        command, capture_output=True, check=False, cwd=tmp_path, env=env, text=True, timeout=240
    )
    assert again.returncode == 0, again.stderr
    output = run(TapEvents, {**settings(api, "events"), "requests_per_minute": 60_000})
    assert_same(output, loaded(tmp_path))
