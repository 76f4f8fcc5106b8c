"""Fixtures that all tests share, and the page about reliability that they can write."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from zlib import crc32

import pytest

import reliability as page
from api_sandbox import APIS, Sandbox
from tap_core.http import readahead

FIGURES: list[tuple[str, str, str]] = []
SLOW = ("tests/targets/", "tests/oracle/")
"""Where a variant starts other programs, and fewer of them have to do."""

pytest_plugins = ["meltano_project"]


def pytest_addoption(parser):
    parser.addoption("--reliability", type=Path, help="write the figures of the tests to this page")
    parser.addoption(
        "--some",
        action="store_true",
        help="of a test's variants one of 24, and one at least; and no long ones",
    )


def pytest_collection_modifyitems(config, items):
    """The slowest first, so that at the end no worker waits for another; or only some of them all."""
    items.sort(key=lambda item: item.get_closest_marker("meltano") is None)
    if config.option.some:
        variants = defaultdict(list)
        for item in items:
            variants[item.nodeid.partition("[")[0]].append(item)
        left_out = {item for item in items if item.get_closest_marker("long")}
        for test, some in variants.items():
            every = min(10, len(some)) if test.startswith(SLOW) else 12
            if len(some) > 1:  # which of them stand for the others, the test's name says
                stands = crc32(test.encode()) % min(every, len(some))
                left_out.update(item for at, item in enumerate(some) if (at - stands) % (2 * every))
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session):
    gc.unfreeze()  # what a command froze in this process; else DuckDB complains that it is not collected
    if session.config.option.reliability:
        page.write(session.config.option.reliability, FIGURES)


@pytest.fixture(scope="session", autouse=True)
def _logs_of_meltano(tmp_path_factory):
    """Meltano logs in its user's home, whichever the project; here in a folder that goes."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(autouse=True)
def distant(monkeypatch):
    """Servers here answer at once, and requests are sent ahead all the same, as to real ones."""
    monkeypatch.setattr(readahead, "QUICK", -1)


@pytest.fixture
def reliability():
    """Notes a figure for docs/reliability.md."""

    def note(topic, case, outcome):
        FIGURES.append((topic, case, outcome))

    return note


@pytest.fixture(scope="session")
def running_sandbox():
    """One sandbox for the session; with a page of events and a bit, as each has four lists of its own."""
    few = [
        replace(api, generate=partial(api.generate, events=130)) if api.name == "events" else api
        for api in APIS
    ]
    with Sandbox(few) as sandbox:
        yield sandbox


@pytest.fixture
def api(running_sandbox):
    """The sandbox with its own rows, no faults and an empty log of requests."""
    running_sandbox.reset()
    return running_sandbox
