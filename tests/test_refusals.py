"""What a tap says when it is refused: what that mostly means with this API, and what to do."""

from __future__ import annotations

import pytest

from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

CASES = [
    (TapBilling, KEY, 401, "each site has keys of its own"),
    (TapBilling, KEY, 403, "api_key may not read /billing/[a-z_/]+.json .* check the key's rights"),
    (TapBilling, KEY, 404, "https://<site>.ebilling.maxio.com"),
    (TapEvents, KEY, 401, "create a new one"),
    (TapEvents, KEY, 403, "may be wrong or revoked"),
    (TapEvents, KEY, 404, "check api_url, and api_version"),
    (TapPromotions, KEY, 401, "tokens expire"),
    (TapPromotions, KEY, 403, "the token may have expired, .* White Label"),
    (TapRewards, KEY, 401, "have keys of their own"),
    (TapRewards, "TEST_1234", 401, "begins with TEST_ is for https://testflight.tremendous.com/api"),
    (TapRewards, "PROD_1234", 401, "begins with PROD_ is for https://api.tremendous.com/api"),
    (TapScheduling, KEY, 401, "a server of one's own has other keys than https://api.cal.com"),
    (TapScheduling, KEY, 403, "lacks the role or the plan"),
]


@pytest.mark.parametrize(("tap", "key", "status", "words"), CASES)
def test_refusals(api, tap, key, status, words):
    name = tap.name.removeprefix("tap-")
    api.fault("status", path=f"/{name}/", status=status)
    config = {"api_url": f"{api.url}/{name}", tap.key_setting: key}
    with pytest.raises(ApiError, match=words):
        run(tap, config)


@pytest.mark.parametrize("tap", [TapEvents, TapRewards])
def test_the_rate_limit(api, tap):
    name = tap.name.removeprefix("tap-")
    api.fault("status", path=f"/{name}/", status=429)
    config = {"api_url": f"{api.url}/{name}", tap.key_setting: KEY, "max_retries": 1}
    with pytest.raises(ApiError, match=r"429 Too Many Requests\. Ask for less at a time"):
        run(tap, config)


@pytest.mark.parametrize(
    ("tap", "path"),
    [(TapBilling, "customers"), (TapRewards, "orders"), (TapScheduling, "bookings"), (TapEvents, "users")],
)
@pytest.mark.parametrize("status", [403, 404])
def test_what_the_api_says_of_a_refusal_is_quoted_without_the_key(api, tap, path, status, caplog):
    name = tap.name.removeprefix("tap-")
    body = f'{{"message": "Key {KEY} of kim@example.com lacks the scope"}}'
    api.fault("raw_body", path=f"/{name}/.*{path}", status=status, body=body)
    config = {"api_url": f"{api.url}/{name}", tap.key_setting: KEY, "requests_per_minute": 100_000}
    with pytest.raises(ApiError, match=r"The API says: Key \S+ of \S+ lacks the scope\."):
        run(tap, config)
    assert KEY not in caplog.text
    assert "kim@" not in caplog.text
