"""Several accounts of one vendor in a Meltano project: plugins by `inherit_from`, each with its own rows."""

import os
import re
from pathlib import Path

import duckdb
import pytest

from api_sandbox import Sandbox
from meltano_project import run_meltano
from support import KEY

ROOT = Path(__file__).parents[1]

ACCOUNTS = """
  - name: tap-maxio-eu
    inherit_from: tap-maxio
    select: [customers.id, customers.first_name]
  - name: tap-maxio-us
    inherit_from: tap-maxio
    select: [customers.id, customers.first_name]
  - name: tap-rewards-eu
    inherit_from: tap-rewards
    select: [campaigns.id, campaigns.name]
  - name: tap-rewards-us
    inherit_from: tap-rewards
    select: [campaigns.id, campaigns.name]
"""

pytestmark = pytest.mark.meltano


@pytest.fixture
def other_api():
    """A second server: half of the first one's customers and campaigns, with the same ids and other names."""
    with Sandbox() as other:
        for api, stream, field in (("billing", "customers", "first_name"), ("rewards", "campaigns", "name")):
            rows = other.data[api][stream]
            del rows[::2]
            for row in rows:
                row[field] = "Somebody else"
        yield other


@pytest.fixture
def project(tmp_path):
    """The project with accounts added; its plugins are those that are installed."""
    head = "\n  extractors:"
    before, after = (ROOT / "meltano.yml").read_text(encoding="utf-8").split(head, 1)
    (tmp_path / "meltano.yml").write_text(f"{before}{head}{ACCOUNTS.rstrip()}{after}", encoding="utf-8")
    (tmp_path / ".meltano").mkdir()
    for kind in ("extractors", "loaders"):
        (tmp_path / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
    (tmp_path / "output").mkdir()
    return tmp_path


@pytest.fixture
def meltano(project):
    """Meltano, run as a command in that project."""

    def meltano(command, *arguments, **settings):
        theirs = ("MELTANO_", "TAP_", "TARGET_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        words = ("--environment=prod", command, "--no-install", *arguments)
        return run_meltano(*words, folder=project, env={**kept, **settings})

    return meltano


def rows(folder, table, field):
    with duckdb.connect(str(folder / "output" / "warehouse.duckdb"), read_only=True) as connection:
        return dict(connection.execute(f"SELECT id, {field} FROM {table}").fetchall())


def schemas(folder):
    with duckdb.connect(str(folder / "output" / "warehouse.duckdb"), read_only=True) as connection:
        return {
            name
            for (name,) in connection.execute(
                "SELECT schema_name FROM duckdb_tables() WHERE schema_name <> '_sdc_loader'"
            ).fetchall()
        }


def account(name, url):
    """The variables of an account."""
    prefix = name.upper().replace("-", "_")
    return {f"{prefix}_API_URL": url, f"{prefix}_API_KEY": KEY}


@pytest.mark.parametrize(
    ("tap", "name", "stream", "field"),
    [("maxio", "billing", "customers", "first_name"), ("rewards", "rewards", "campaigns", "name")],
    ids=["preset", "tap"],
)
def test_G01_two_accounts_of_a_tap_or_preset_stay_apart(
    api, other_api, meltano, project, tap, name, stream, field
):
    servers = {f"tap-{tap}-eu": api, f"tap-{tap}-us": other_api}
    settings = {}
    for plugin, server in servers.items():
        settings |= account(plugin, f"{server.url}/{name}")
    run = meltano("run", *(block for plugin in servers for block in (plugin, "target-duckdb")), **settings)
    assert run.returncode == 0, run.stderr

    assert schemas(project) == {plugin.replace("-", "_") for plugin in servers}
    for plugin, server in servers.items():
        there = {row["id"]: row[field] for row in server.data[name][stream]}
        assert rows(project, f"{plugin.replace('-', '_')}.{stream}", field) == there


@pytest.mark.long
def test_G01_files_of_two_accounts_stay_apart(api, meltano, project):
    names = ("tap-maxio-eu", "tap-maxio-us")
    settings = account(names[0], f"{api.url}/billing") | account(names[1], f"{api.url}/billing")
    blocks = [block for name in names for block in (name, "target-jsonl")]
    run = meltano("run", *blocks, TARGET_JSONL_DO_TIMESTAMP_FILE="false", **settings)
    assert run.returncode == 0, run.stderr
    assert {path.parent.name for path in project.glob("output/*/customers.jsonl")} == set(names)


@pytest.mark.long
def test_G02_a_child_without_settings_says_whose_account_it_reads(api, meltano):
    settings = account("tap-rewards", f"{api.url}/rewards")
    run = meltano("invoke", "tap-rewards-eu", **settings)
    assert run.returncode == 0, run.stderr
    first = next(line for line in run.stderr.splitlines() if "tap-rewards " in line)
    assert re.search(rf"tap-rewards \d+\.\d+\.\d+\S* reads {re.escape(api.url)}/rewards$", first), run.stderr
