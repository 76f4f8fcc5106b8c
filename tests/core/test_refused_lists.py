"""Refusals of lists that an account can lack: what else they say, and what earlier runs have read."""

from __future__ import annotations

import pytest

from json_api import JsonApi, cut, numbered
from lists import QUICK, only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

LISTS = {
    "credit_notes": (TapBilling, 422),
    "transactions": (TapBilling, 422),
    "fraud_rules": (TapRewards, 403),
    "teams": (TapScheduling, 404),
}
CAUSES = [
    "since_date is invalid",
    "Your account has been canceled",
    "per_page is too large",
    "Service temporarily unavailable",
    "Site data clearing is in progress, please try again later",
]


def refusing(status, words, *, times=1000):
    """An API that refuses so many requests, and then has nothing."""
    left = [times]

    def handle(path, query):
        left[0] -= 1
        if left[0] >= 0:
            return status, {"errors": [words], "message": words}
        return [] if path == "/coupons.json" else {"data": [], "fraud_rules": [], "credit_notes": []}

    return JsonApi(handle)


@pytest.mark.parametrize("words", CAUSES)
@pytest.mark.parametrize("stream", LISTS)
def test_H11_a_refusal_that_says_something_else_is_a_failure(stream, words):
    tap, status = LISTS[stream]
    with refusing(status, words) as api, pytest.raises(ApiError, match=stream):
        run(tap, settings(api, max_retries=1), catalog=only(tap, stream))


@pytest.mark.parametrize("words", ["", "Not available for this site", "Forbidden", "This plan has none"])
@pytest.mark.parametrize("stream", LISTS)
def test_H11_other_words_mean_that_there_is_no_such_list(stream, words, caplog):
    tap, status = LISTS[stream]
    with refusing(status, words) as api:
        run(tap, settings(api), catalog=only(tap, stream))
    assert f"{stream}: this account or server has no such list ({status})" in caplog.text


@pytest.mark.parametrize(
    ("stream", "value"), [("transactions", "2026-01-01T00:00:00Z"), ("invoice_events", 7)]
)
def test_H11_a_list_that_was_read_before_is_not_missing(stream, value, caplog):
    entry = {
        "replication_key": {"transactions": "created_at"}.get(stream, "id"),
        "replication_key_value": value,
    }
    state = {"bookmarks": {stream: entry}}
    with refusing(422, "") as api, pytest.raises(ApiError, match=stream):
        run(TapBilling, settings(api), catalog=only(TapBilling, stream), state=state)
    assert "nothing came" not in caplog.text


@pytest.mark.parametrize("status", [409, 422])
@pytest.mark.parametrize("stream", ["credit_notes", "coupons", "fraud_rules"])
def test_H11_what_says_that_it_passes_is_asked_for_again(stream, status):
    tap = TapRewards if stream == "fraud_rules" else TapBilling
    with refusing(status, CAUSES[-1], times=1) as api:
        run(tap, settings(api), catalog=only(tap, stream))
        assert len(api.paths) == 2


PAGED = {
    "coupons": (TapBilling, lambda rows, query: numbered([{"coupon": row} for row in rows], query)),
    "orders": (TapRewards, lambda rows, query: {"orders": cut(rows, query), "total_count": len(rows)}),
    "campaigns": (TapRewards, lambda rows, query: {"campaigns": cut(rows, query)}),
}


@pytest.mark.parametrize(("status", "page"), [(204, 1), (204, 2), (404, 2)])
@pytest.mark.parametrize("stream", PAGED)
def test_C11_a_page_that_is_there_and_is_missing_once_is_asked_for_again(stream, status, page):
    tap, body = PAGED[stream]
    rows = [
        {"id": n if tap is TapBilling else str(n), "created_at": "2026-01-01T00:00:00Z"} for n in range(450)
    ]
    requests = []

    def handle(path, query):
        requests.append(path)
        return (status, {}) if len(requests) == page else body(rows, query)

    with JsonApi(handle) as api:
        output = run(tap, {**settings(api), **QUICK, "max_retries": 0}, catalog=only(tap, stream))
    assert len({row["id"] for row in output.records[stream]}) == 450
