from __future__ import annotations

from random import Random

import pytest

from api_sandbox import Sandbox
from api_sandbox.promotions.data import generate

SIZES = (17, 24, 40, 0)
"""Users of the first promotions."""


@pytest.fixture(scope="module")
def _small():
    with Sandbox(data={"promotions": generate(Random(4), promotions=20, brands=12, sizes=SIZES)}) as sandbox:
        yield sandbox


@pytest.fixture
def small(_small):
    """A sandbox with few promotions; no test changes its rows."""
    _small.clear()
    return _small
