from __future__ import annotations

import pytest
import requests

from api_sandbox import SANDBOX_KEY, Sandbox


@pytest.fixture(scope="session")
def _running():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running):
    """A sandbox as it is at the start."""
    _running.reset()
    return _running


@pytest.fixture
def get(sandbox):
    """GET below the sandbox's URL with the key."""
    with requests.Session() as session:
        session.headers["x-api-key"] = SANDBOX_KEY

        def get(path, **params):
            return session.get(sandbox.url + path, params=params, timeout=5)

        yield get


@pytest.fixture
def control(sandbox):
    """A request to a control endpoint, its JSON answer checked for success."""

    def control(method, path, **options):
        response = requests.request(method, f"{sandbox.url}/_sandbox{path}", timeout=5, **options)
        response.raise_for_status()
        return response.json()

    return control
