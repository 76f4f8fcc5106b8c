"""Fixtures that all tests share, and the page about reliability that they can write."""

from __future__ import annotations

from pathlib import Path

import pytest

import reliability as page
from api_sandbox import Sandbox

FIGURES: list[tuple[str, str, str]] = []


def pytest_addoption(parser):
    parser.addoption("--reliability", type=Path, help="write the figures of the tests to this page")


def pytest_collection_modifyitems(items):
    """The slowest first, so that at the end no worker waits for another."""
    items.sort(key=lambda item: item.get_closest_marker("meltano") is None)


def pytest_sessionfinish(session):
    if session.config.option.reliability:
        page.write(session.config.option.reliability, FIGURES)


@pytest.fixture
def reliability():
    """Notes a figure for docs/reliability.md."""

    def note(topic, case, outcome):
        FIGURES.append((topic, case, outcome))

    return note


@pytest.fixture(scope="session")
def running_sandbox():
    """One sandbox for the whole session."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def api(running_sandbox):
    """The sandbox with its own rows, no faults and an empty log of requests."""
    running_sandbox.reset()
    return running_sandbox
