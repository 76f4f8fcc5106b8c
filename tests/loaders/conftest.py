from __future__ import annotations

import pytest

from loaders.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path):
    """A place to load into."""
    return Warehouse(tmp_path)
