"""How long an answer asks to wait, by any header that servers say it with."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from tap_core.http.retry import named_wait

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
WAITS = {
    "0": 0,
    "0.2": 0.2,
    "120": 120,
    "100000": 100_000,
    format_datetime(NOW + timedelta(seconds=9), usegmt=True): 9,
    format_datetime(NOW - timedelta(seconds=9), usegmt=True): 0,
    str(int(NOW.timestamp()) + 7): 7,
    str((int(NOW.timestamp()) + 7) * 1000): 7,
    "9" * 400: None,
    "9" * 15: None,
    "Fri, 31 Dec 9999 23:59:59 GMT": None,
    "Fri, 31 Dec 2026 23:59:59 +99999999999999999999": None,
    "-5": None,
    "nan": None,
    "soon": None,
    "\u0663": None,
}


@pytest.mark.parametrize("value", WAITS)
def test_D03_what_retry_after_may_hold(value):
    headers = {"Date": format_datetime(NOW, usegmt=True), "Retry-After": value}
    assert named_wait(headers, limited=True) == WAITS[value]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset-Default": "20"}, 20),
        ({"X-RateLimit-Reset-Burst": "1772366430"}, 30),
        ({"X-RateLimit-Reset": "1772366430000"}, 30),
        ({"RateLimit-Reset": "9"}, 9),
        ({"RateLimit": "limit=25, remaining=0, reset=16"}, 16),
        ({"RateLimit": "limit=25, remaining=5, reset=16"}, None),
        ({"RateLimit": '"default";r=0;t=16'}, 16),
        ({"RateLimit": '"minute";r=0;t=16, "day";r=900;t=80000'}, 16),
        ({"RateLimit": '"minute";r=3;t=16, "day"; r=0; t=200'}, 200),
        ({"RateLimit": "limit=25, remaining=0, reset=16", "Retry-After": "4"}, 4),
        ({"RateLimit": "remaining=0, reset=" + "9" * 400}, None),
        ({"Retry-After-Ms": "1500", "Retry-After": "2"}, 1.5),
        ({"x-ms-retry-after-ms": "200"}, 0.2),
        ({"Retry-After-Ms": "soon", "Retry-After": "2"}, 2),
        ({"X-Rate-Limit-Reset": "9", "Retry-After": "4"}, 4),
        ({"X-RateLimit-Reset": "9", "Retry-After": "0"}, 9),
        (
            {
                "X-RateLimit-Reset-Day": "4000",
                "X-RateLimit-Remaining-Day": "10",
                "X-RateLimit-Reset-Burst": "5",
                "X-RateLimit-Remaining-Burst": "0",
            },
            5,
        ),
    ],
)
def test_H05_any_header_of_a_limit_names_the_wait(headers, wait):
    assert named_wait({"Date": format_datetime(NOW, usegmt=True), **headers}, limited=True) == wait
    assert not named_wait({name: headers[name] for name in headers if "Reset" in name}, limited=False)
