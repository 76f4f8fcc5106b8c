"""The definitions of hub/ in a Meltano project that knows nothing of this one."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from support import KEY

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

PROJECT = """\
project_id: elsewhere
default_environment: dev
environments:
- name: dev
"""

pytestmark = pytest.mark.meltano


def run(*command, folder, env, check=True):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def cached_or_fetched(*command, folder, env):
    """Run a command that installs: from the installer's cache, or from the index what that lacks."""
    offline = run(*command, folder=folder, env={**env, "UV_OFFLINE": "1"}, check=False)
    if offline.returncode:
        run(*command, folder=folder, env=env)


@pytest.fixture
def project(tmp_path):
    """An empty Meltano project."""
    (tmp_path / "meltano.yml").write_text(PROJECT)
    return tmp_path


def test_tap_preset_and_loader_are_added_and_load_rows(api, project):
    constraints = {
        "UV_CONSTRAINT": str(ROOT / "requirements.txt"),
        "PIP_CONSTRAINT": str(ROOT / "requirements.txt"),
    }
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MELTANO_", "TAP_"))}
    env |= {
        "TAP_SUITE": str(ROOT),
        "UV_SYSTEM_CERTS": "true",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "TAP_TREMENDOUS_API_URL": f"{api.url}/rewards",
        "TAP_TREMENDOUS_API_KEY": KEY,
        "TARGET_DUCKDB_EXACT_FILEPATH": str(project / "warehouse.duckdb"),
    }
    add = (BIN / "meltano", "add", "--from-ref")
    for name in ("tap-tremendous", "target-duckdb-exact"):
        definition = ROOT / "hub" / f"{name}.yml"
        cached_or_fetched(*add, definition, name, folder=project, env={**env, **constraints})

    run(BIN / "meltano", "run", "tap-tremendous", "target-duckdb-exact", folder=project, env=env)

    there = {row["id"] for row in api.data["rewards"]["orders"]}
    with duckdb.connect(str(project / "warehouse.duckdb"), read_only=True) as connection:
        loaded = connection.execute("SELECT id FROM tap_tremendous.orders").fetchall()
    assert {key for (key,) in loaded} == there
