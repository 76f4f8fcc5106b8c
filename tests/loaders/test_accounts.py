"""Two accounts in one table: each read speaks for its own rows only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from loaders.warehouse import ID, activate, records, schema
from target_duckdb_exact.errors import LoadError

NAME = {"type": ["string", "null"]}


def declared(account, keys=("account", "id")):
    return schema({**ID, "account": {"type": "string", "const": account}, "name": NAME}, keys=keys)


def sent(account, keys, version, *, name="a"):
    return records([{"id": key, "account": account, "name": name} for key in keys], version=version)


def load(warehouse, account, keys, version, *, whole=True, name="a", **settings):
    """One read of an account."""
    found = sent(account, keys, version, name=name)
    warehouse.load(declared(account), *found, *[activate(version)] * whole, **settings)


def alive(warehouse, account):
    query = "SELECT id FROM s.t WHERE _sdc_deleted_at IS NULL AND account = ? ORDER BY id"
    return [key for (key,) in warehouse.ask(query, account)]


@pytest.mark.parametrize("hard", [False, True])
def test_in_turn(warehouse, hard):
    settings = {"hard_delete": hard, "history": ["t"]}
    load(warehouse, "acme", [1, 2, 3], 10, **settings)
    load(warehouse, "fest", [1, 2, 3], 11, **settings)
    load(warehouse, "acme", [1, 2], 20, whole=False, **settings)  # interrupted; the other is read whole
    load(warehouse, "fest", [1], 21, **settings)
    assert (alive(warehouse, "acme"), alive(warehouse, "fest")) == ([1, 2, 3], [1])
    load(warehouse, "acme", [], 20, **settings)
    assert (alive(warehouse, "acme"), alive(warehouse, "fest")) == ([1, 2], [1])
    load(warehouse, "fest", [], 22, **settings)
    assert (alive(warehouse, "acme"), alive(warehouse, "fest")) == ([1, 2], [])
    load(warehouse, "fest", [3], 5, **settings)  # a clock that went back: its version deletes nothing
    assert (alive(warehouse, "acme"), alive(warehouse, "fest")) == ([1, 2], [3])
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(3 if hard else 6,)]
    assert warehouse.ask(
        "SELECT account, id, count(*) FROM s.t_history WHERE NOT _sdc_is_current GROUP BY ALL ORDER BY ALL"
    ) == [("acme", 3, 1), ("fest", 1, 1), ("fest", 2, 1), ("fest", 3, 1)]
    assert warehouse.ask("SELECT account, id FROM s.t_history WHERE _sdc_is_current ORDER BY ALL") == [
        ("acme", 1),
        ("acme", 2),
        ("fest", 3),
    ]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_in_one_input(warehouse, batch):
    """As from two taps into one loader: each SCHEMA says whose the messages after it are."""
    acme, fest = declared("acme"), declared("fest")
    load(warehouse, "acme", range(8), 10)
    load(warehouse, "fest", range(8), 30)
    warehouse.load(
        *(acme, *sent("acme", [0, 1], 20), fest, *sent("fest", [5], 40), acme, *sent("acme", [2], 20)),
        *(fest, *sent("fest", [6], 40), activate(40), acme, *sent("acme", [3], 20, name="b")),
        activate(20),
        batch_size_rows=batch,
    )
    assert (alive(warehouse, "acme"), alive(warehouse, "fest")) == ([0, 1, 2, 3], [5, 6])
    assert warehouse.ask("SELECT account, id FROM s.t WHERE name = 'b'") == [("acme", 3)]


def test_side_by_side(warehouse):
    """Two processes, batch by batch in turn."""
    for account in ("acme", "fest"):
        load(warehouse, account, range(600), 10)

    def run(account, keys):
        messages = [declared(account), *sent(account, keys, 20), activate(20)]
        return warehouse.run(*messages, batch_size_rows=50, history=["t"])

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(run, ("acme", "fest"), (range(300), range(300, 700))))
    assert [code for code, *_ in runs] == [0, 0], runs
    assert alive(warehouse, "acme") == [*range(300)]
    assert alive(warehouse, "fest") == [*range(300, 700)]
    assert warehouse.ask(
        "SELECT account, count(*) FILTER (_sdc_is_current), count(*) FROM s.t_history GROUP BY 1 ORDER BY 1"
    ) == [("acme", 300, 600), ("fest", 400, 700)]


def test_rows_of_another_account_are_refused(warehouse):
    with pytest.raises(LoadError) as failure:
        warehouse.load(declared("acme"), *sent("acme", [1], 10), *sent("secret", [2], 10))
    assert str(failure.value) == "t, line 3 of the input: the row is not of its SCHEMA's account"


def test_rows_from_before_there_were_accounts_are_put_aside(warehouse):
    """Whose they are is not known."""
    warehouse.load(schema({**ID, "name": NAME}), *records([{"id": 1, "name": "a"}], version=5), activate(5))
    load(warehouse, "acme", [1], 10)
    assert warehouse.ask("SELECT account, id FROM s.t") == [("acme", 1)]
    assert warehouse.ask("SELECT id, _sdc_deleted_at FROM s.t__v1") == [(1, None)]
