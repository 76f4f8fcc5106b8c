"""This project as Meltano sees it, with a database, a warehouse and a sandbox of a test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import KEY
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

ROOT = Path(__file__).parents[1]
MELTANO = Path(sys.executable).with_name("meltano")
TAPS = {
    "events": TapEvents,
    "scheduling": TapScheduling,
    "promotions": TapPromotions,
    "billing": TapBilling,
    "rewards": TapRewards,
}
PATHS = {"promotions": "promotions/v2"}


def settings(api, name):
    """The settings with which a tap reads the sandbox."""
    return {"api_url": f"{api.url}/{PATHS.get(name, name)}", TAPS[name].key_setting: KEY}


def run_meltano(*words, folder, env):
    """Meltano's command in a folder."""
    return subprocess.run(
        [MELTANO, *words], capture_output=True, check=False, cwd=folder, env=env, text=True, timeout=240
    )


ASK = """
import contextlib, io, json, sys
from meltano.cli import cli
for line in sys.stdin:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        cli.main(json.loads(line), standalone_mode=False)
    print(json.dumps(shown.getvalue()))
"""
"""Several commands of Meltano in one process, as starting it takes seconds."""


@pytest.fixture
def environment(api, tmp_path):
    """What makes Meltano use this project with a database, a warehouse and a sandbox of its own.

    With files of a run of its own too: another test's run of the same tap would take its catalog away.
    """
    system = tmp_path / ".meltano"
    system.mkdir()
    for part in (ROOT / ".meltano").iterdir():
        if part.name not in {"run", "logs", "cache"}:
            (system / part.name).symlink_to(part)
    env = {
        **os.environ,
        "MELTANO_PROJECT_ROOT": str(ROOT),
        "MELTANO_SYS_DIR_ROOT": str(system),
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "MELTANO_ENVIRONMENT": "sandbox",
        "TARGET_DUCKDB_FILEPATH": str(tmp_path / "warehouse.duckdb"),
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
    }
    for name in TAPS:
        env |= {f"TAP_{name}_{key}".upper(): value for key, value in settings(api, name).items()}
    return env


@pytest.fixture
def answers_of(environment, tmp_path):
    """What several commands of Meltano show."""

    def answers_of(commands, **settings):
        asked = subprocess.run(
            [sys.executable, "-c", ASK],
            input="\n".join(map(json.dumps, commands)),
            stdout=subprocess.PIPE,
            check=True,
            cwd=tmp_path,
            env={**environment, **settings},
            text=True,
            timeout=240,
        )
        return [json.loads(line) for line in asked.stdout.splitlines()]

    return answers_of


@pytest.fixture
def meltano(environment, tmp_path):
    """Meltano, run as a command."""

    def meltano(*arguments, **settings):
        return run_meltano(*arguments, folder=tmp_path, env={**environment, **settings})

    return meltano
