from __future__ import annotations

import sys
from functools import partial
from random import Random

import pytest

from api_sandbox import Sandbox
from api_sandbox.billing import data as billing_data
from api_sandbox.events import data as events_data
from api_sandbox.promotions import data as promotions_data
from api_sandbox.rewards import data as rewards_data
from api_sandbox.scheduling import data as scheduling_data
from billing import truth as billing
from events import test_events as events
from promotions import truth as promotions
from rewards import truth as rewards
from scheduling import test_scheduling as scheduling
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling
from targets.environments import install
from targets.postgres import serve
from targets.targets import Csv, DuckDB, JsonLines, Postgres

TAPS = {
    "billing": (TapBilling, partial(billing.assert_all, streams=billing.PATHS, schemas=billing.PATHS)),
    "events": (TapEvents, events.assert_all),
    "promotions": (TapPromotions, promotions.assert_all),
    "rewards": (TapRewards, rewards.assert_all),
    "scheduling": (TapScheduling, scheduling.assert_all),
}

FAST = {"requests_per_minute": 100_000}


@pytest.fixture(scope="session")
def account():
    """A sandbox with few rows."""
    data = {
        "billing": billing_data.generate(Random(9), customers=40, subscriptions=40, coupons=40),
        "events": events_data.generate(Random(9), events=20),
        "promotions": promotions_data.generate(Random(9), promotions=8, brands=10),
        "rewards": rewards_data.generate(Random(9), orders=60),
        "scheduling": scheduling_data.generate(Random(9), event_types=40, schedules=20, bookings=60),
    }
    with Sandbox(data=data) as sandbox:
        yield sandbox


def output_of(name, account, **config):
    tap, _ = TAPS[name]
    version = "/v2" if name == "promotions" else ""
    return run(tap, {"api_url": f"{account.url}/{name}{version}", tap.key_setting: KEY, **FAST, **config})


@pytest.fixture(scope="session")
def outputs(account):
    """What each tap writes, compared with the sandbox's rows."""
    found = {name: output_of(name, account) for name in TAPS}
    for name, (_, assert_all) in TAPS.items():
        assert_all(found[name], account)
    return found


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Installs the requirements of that name, once; gives the Python of their environment."""
    folder, found = tmp_path_factory.mktemp("environments"), {}

    def environment(name):
        if name not in found:
            found[name] = install(name, folder)
        return found[name]

    return environment


@pytest.fixture(scope="session")
def server(environment):
    """A PostgreSQL server, only if a test wants it."""
    with serve(environment("postgres-server")) as server:
        yield server


@pytest.fixture
def target(request, tmp_path_factory, environment):
    """A loader by its name, with an empty place to write to."""

    def target(name):
        folder = tmp_path_factory.mktemp(name)
        if name == "target-duckdb":
            return DuckDB([sys.executable, "-m", "target_duckdb_exact"], folder)
        command = [environment(name).with_name(name)]
        if name == "target-postgres":
            return Postgres(command, folder, request.getfixturevalue("server"))
        return {"target-csv": Csv, "target-jsonl": JsonLines}[name](command, folder)

    return target
