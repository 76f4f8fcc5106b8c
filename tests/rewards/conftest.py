from __future__ import annotations

import pytest

from support import KEY


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/rewards", "api_key": KEY}
