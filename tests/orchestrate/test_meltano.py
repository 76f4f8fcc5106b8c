"""Accounts through Meltano itself: each with its own state, rows, schema and failure."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from api_sandbox import Sandbox
from support import KEY
from tap_suite.project import MeltanoProject

HERE = Path(__file__).parent
MELTANO = Path(sys.executable).with_name("meltano")
STUBS = """
default_environment: dev
project_id: stubs
send_anonymous_usage_stats: false
environments: [{{name: dev}}]
plugins:
  extractors:
  - name: tap-state
    namespace: tap_state
    executable: {tap}
    capabilities: [state]
    settings: [{{name: account_name}}, {{name: folder}}, {{name: together}}, {{name: key, sensitive: true}}]
  loaders:
  - name: target-state
    namespace: target_state
    executable: {target}
    settings: [{{name: default_target_schema}}]
"""
ACCOUNTS = ("acme", "fest")

pytestmark = pytest.mark.meltano
whole = pytest.mark.skipif(
    "RELIABILITY_FULL" not in os.environ, reason="more of Meltano: in `make reliability`"
)


def script(folder, name):
    """A program that runs one of the stubs."""
    path = folder / name
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {HERE / name}.py "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def stubs(project, monkeypatch):
    """A project of a tap and a target that Meltano really runs."""
    monkeypatch.setattr(MeltanoProject, "command", [str(MELTANO)])
    programs = {"tap": script(project, "stub_tap"), "target": script(project, "stub_target")}
    (project / "meltano.yml").write_text(STUBS.format(**programs), encoding="utf-8")
    return project


def whose_state(folder, run):
    """Of each account, whose STATE its tap was given in a run."""
    return {name: json.loads((folder / f"{name}.{run}.seen").read_text()).get("of") for name in ACCOUNTS}


def test_accounts_side_by_side_have_each_its_own_state(stubs, accounts, suite):
    config = {"folder": str(stubs), "together": 2}
    accounts(
        *(
            {
                "account": name,
                "tap": "tap-state",
                "config": {**config, "account_name": name},
                "secrets": {"key": f"KEY_{name.upper()}"},
            }
            for name in ACCOUNTS
        ),
        target="target-state",
    )
    for run in range(2):
        code, out, err = suite("all", "--jobs", "2")
        assert code == 0, out + err
        expected = dict.fromkeys(ACCOUNTS) if run == 0 else {name: name for name in ACCOUNTS}
        assert whose_state(stubs, run) == expected


@whole
def test_meltano_alone_swaps_the_states_of_accounts_side_by_side(stubs):
    """Why each unit has a system folder of its own: the control of the test above."""
    for run in range(2):
        processes = [
            subprocess.Popen(
                [MELTANO, "run", "--no-install", f"--state-id-suffix={name}", "tap-state", "target-state"],
                env={
                    **os.environ,
                    "TAP_STATE_ACCOUNT_NAME": name,
                    "TAP_STATE_FOLDER": str(stubs),
                    "TAP_STATE_TOGETHER": "2",
                    "MELTANO_DATABASE_URI": f"sqlite:///{stubs}/{name}.db",
                },
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name in ACCOUNTS
        ]
        assert [process.wait(120) for process in processes] == [0, 0]
        if run:
            assert len({*whose_state(stubs, run).values()}) == 1, "both were given one account's"


def line(account, api, **more):
    """An account of a few rows, at the sandbox; its key is right."""
    config = {"api_url": f"{api.url}/rewards", "max_retries": 0}
    return {"account": account, "tap": "tap-tremendous", "select": ["campaigns"], **more, "config": config}


@whole
def test_a_revoked_key_and_a_dead_address_cost_themselves_alone(api, real, accounts, suite, monkeypatch):
    accounts(
        line("acme", api, secrets={"api_key": "GOOD"}),
        line("gone", api),
        {**line("dead", api), "config": {"api_url": "http://127.0.0.1:9", "max_retries": 0}},
        target="target-duckdb",
    )
    monkeypatch.setenv("GOOD", KEY)
    code, out, err = suite("all", "--jobs", "2", "--retry-after", "0")
    assert code == 2
    told = {text.split()[0]: text for text in out.splitlines()}
    campaigns = api.data["rewards"]["campaigns"]
    assert told["acme"].split()[2:4] == ["read", str(len(campaigns))]
    assert "api_key was refused (401)" in told["gone"]
    assert "127.0.0.1:9" in told["dead"]
    assert err.count("gone tap-tremendous: failed") == 1, "a key that was refused is not tried again"
    assert err.count("dead tap-tremendous: failed") == 2
    with duckdb.connect(str(real / "output" / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT id FROM tap_tremendous_acme.campaigns").fetchall()
    assert {key for (key,) in rows} == {row["id"] for row in campaigns}
    logs = [path.read_text() for path in real.glob(".meltano/units/*/run.log")]
    assert not any(KEY in text or "key-of-" in text for text in [out, err, *logs])


@whole
def test_accounts_in_one_table_lose_rows_each_by_itself(api, real, accounts, suite, monkeypatch):
    monkeypatch.setenv("GOOD", KEY)
    with Sandbox() as other:
        del other.data["rewards"]["campaigns"][::2]
        servers = {"acme": api, "fest": other}
        accounts(
            *(line(name, server, secrets={"api_key": "GOOD"}) for name, server in servers.items()),
            target="target-duckdb",
            tables="account_column",
        )
        assert suite("all", "--jobs", "2")[0] == 0
        gone = other.data["rewards"]["campaigns"].pop()
        assert suite("all", "--jobs", "2")[0] == 0
        expected = {
            (name, row["id"])
            for name, server in servers.items()
            for row in server.data["rewards"]["campaigns"]
        }
    with duckdb.connect(str(real / "output" / "warehouse.duckdb"), read_only=True) as connection:
        rows = "SELECT account, id FROM tap_tremendous.campaigns WHERE _sdc_deleted_at IS"
        assert {*connection.execute(f"{rows} NULL").fetchall()} == expected
        assert connection.execute(f"{rows} NOT NULL").fetchall() == [("fest", gone["id"])]
