"""Fixtures that all tests share."""

from __future__ import annotations

import pytest

from api_sandbox import Sandbox


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


@pytest.fixture(scope="session")
def _figures():
    return []


@pytest.fixture
def reliability(_figures):
    """Notes a figure for the table of docs/reliability.md."""

    def note(topic, case, outcome):
        _figures.append((topic, case, outcome))

    return note
