"""Accounts of two vendors at once: each has its own rows, STATE and deletes, whatever becomes of others."""

import json
import os
import sqlite3

import duckdb
import pytest

from orchestrate.vendors import PRESETS, STREAMS, Account, Vendors

AT_ONCE = 32

pytestmark = [
    pytest.mark.meltano,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        "RELIABILITY_FULL" not in os.environ, reason="minutes of Meltano: in `make reliability`"
    ),
]


@pytest.fixture
def vendors():
    """One account less than are run, of which one has another key now."""
    numbers = range(AT_ONCE - 1)
    with Vendors(Account(number, ("rewards", "events")[number % 2]) for number in numbers) as vendors:
        vendors.accounts["events-1"].key = "revoked"
        yield vendors


def loaded(real, tables):
    """The rows of all accounts: by account and stream, id and value of each, with whether it is gone."""
    found = {}
    with duckdb.connect(str(real / "output" / "warehouse.duckdb"), read_only=True) as connection:
        schemas = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_name IN "
            "('campaigns', 'orders', 'users') AND table_schema NOT LIKE '%\\_sdc%' ESCAPE '\\'"
        ).fetchall()
        for schema, stream in schemas:
            value = {"campaigns": "name", "orders": "external_id", "users": "first_name"}[stream]
            account = "account" if tables == "account_column" else f"'{schema}'"
            for name, *row in connection.execute(
                f"SELECT {account}, id, {value}, _sdc_deleted_at IS NOT NULL FROM {schema}.{stream}"
            ).fetchall():
                found.setdefault((name, stream), set()).add(tuple(row))
    return found


def expected(vendors, tables, gone):
    """What `loaded` is to be."""
    found = {}
    for account in vendors.accounts.values():
        if account.key == "revoked":
            continue
        schema = f"{PRESETS[account.vendor]}_{account.name}".replace("-", "_")
        for stream, rows in account.rows.items():
            value = {"campaigns": "name", "orders": "external_id", "users": "first_name"}[stream]
            here = {(row["id"], row[value], False) for row in rows}
            dead = {(row["id"], row[value], True) for row in gone.get((account.name, stream), ())}
            found[account.name if tables == "account_column" else schema, stream] = here | dead
    return found


def states(real):
    """The newest order that each account's STATE tells of."""
    found = {}
    for path in (real / ".meltano" / "units").glob("tap-tremendous_rewards-*/meltano.db"):
        with sqlite3.connect(path) as database:
            ((state,),) = database.execute("SELECT completed_state FROM state").fetchall()
        database.close()
        bookmark = json.loads(state)["singer_state"]["bookmarks"]["orders"]
        found[path.parent.name.partition("_")[2]] = bookmark["replication_key_value"][:19]
    return found


def newest(vendors):
    return {
        account.name: max(row["created_at"] for row in account.rows["orders"])[:19]
        for account in vendors.accounts.values()
        if account.vendor == "rewards"
    }


@pytest.mark.parametrize("tables", ["schema", "account_column"])
def test_accounts_at_once_are_each_its_own(tables, vendors, real, accounts, suite):
    dead = {
        "account": "dead",
        "tap": "tap-tremendous",
        "config": {"api_url": "http://127.0.0.1:9", "max_retries": 0},
    }
    accounts(*vendors.lines(), dead, target="target-duckdb", tables=tables)
    gone = {}
    for whole_run in (True, False):
        code, out, err = suite("all", "--jobs", str(AT_ONCE), "--retry-after", "0")
        assert code == 2, err
        told = {line.split()[0]: line for line in out.splitlines()[1:]}
        failed = {name for name, line in told.items() if line.split()[2] != "read"}
        assert failed == {"events-1", "dead"}, out
        assert "api_key was refused (401)" in told["events-1"]
        assert "127.0.0.1:9" in told["dead"]
        assert loaded(real, tables) == expected(vendors, tables, gone)
        assert states(real) == newest(vendors)
        if whole_run:
            for account in vendors.accounts.values():
                stream = STREAMS[account.vendor][0]
                gone[account.name, stream] = [account.rows[stream].pop()]
                for order in account.rows.get("orders", ())[-1:]:
                    later = {**order, "id": "O-new", "created_at": order["created_at"].replace("T10", "T11")}
                    account.rows["orders"].append(later)
