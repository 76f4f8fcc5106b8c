"""Refusals of lists that an account can lack: what else they say, and what earlier runs have read."""

from __future__ import annotations

import pytest

from in_process import select
from json_api import JsonApi, cut, numbered
from lists import QUICK, only, settings
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_core.selftest import try_out
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

LISTS = {
    "credit_notes": (TapBilling, 422),
    "transactions": (TapBilling, 422),
    "fraud_rules": (TapRewards, 403),
    "teams": (TapScheduling, 404),
}
PASSING = ["Service temporarily unavailable", "Site data clearing is in progress, please try again later"]
FAULTS = [
    "since_date is invalid",
    "since_date: must be a valid date",
    "Your account has been canceled",
    "per_page is too large",
    "Per page: must be less than or equal to 200",
]


def refusing(status, words, *, times=1000):
    """An API that refuses so many requests, and then has nothing."""
    left = [times]

    def handle(path, query):
        left[0] -= 1
        if left[0] >= 0:
            return status, {"errors": words} if isinstance(words, dict) else {
                "errors": [words],
                "message": words,
            }
        return [] if path == "/coupons.json" else {"data": [], "fraud_rules": [], "credit_notes": []}

    return JsonApi(handle)


@pytest.mark.parametrize("words", PASSING)
@pytest.mark.parametrize("stream", LISTS)
def test_H11_a_refusal_that_passes_is_a_failure(stream, words, capsys):
    tap, status = LISTS[stream]
    with refusing(status, words) as api:
        with pytest.raises(ApiError, match=stream):
            run(tap, settings(api, max_retries=1), catalog=only(tap, stream))
        assert not try_out(tap(config=settings(api, max_retries=1), catalog=only(tap, stream)))
    assert "no such list" not in capsys.readouterr().out


@pytest.mark.parametrize("words", [*FAULTS, {"since_date": ["is invalid"]}])
@pytest.mark.parametrize("stream", ["credit_notes", "transactions"])
def test_H11_a_refusal_of_a_parameter_or_an_account_is_a_failure(stream, words):
    with refusing(422, words) as api, pytest.raises(ApiError, match=stream):
        run(TapBilling, settings(api), catalog=only(TapBilling, stream))


@pytest.mark.parametrize(
    "words",
    [
        *("", "Not available for this site", "Forbidden", "This plan has none"),
        *("Not available in trial organizations", "Please enable Relationship Invoicing and try again"),
    ],
)
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


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("stream", ["organization_bookings", "organization_teams", "routing_forms"])
def test_H11_the_one_list_of_an_organization_that_had_rows_is_not_missing(stream, status):
    state = None

    def handle(path, query):
        if path.endswith("/me"):
            return {"status": "success", "data": {"id": 1, "organizationId": 7}}
        if state:
            return status, {"message": ""}
        return {"status": "success", "data": [{"id": 1, "uid": "1", "updatedAt": "2026-01-01T00:00:00.000Z"}]}

    catalog = select(TapScheduling, stream)
    with JsonApi(handle) as api:
        state = run(TapScheduling, settings(api), catalog=catalog).state
        with pytest.raises(ApiError, match=rf"{stream} 7: .*earlier runs have read it: deselect it"):
            run(TapScheduling, settings(api), catalog=catalog, state=state)
        run(TapScheduling, settings(api, account="another"), catalog=catalog, state=state)


@pytest.mark.parametrize("status", [401, 500])
@pytest.mark.parametrize("stream", ["fraud_reviews", "connected_organizations"])
def test_H11_a_list_of_which_rows_came_in_a_run_that_failed_is_not_missing(stream, status):
    time = "2026-01-01T00:00:00Z"
    rows = [{"id": f"{n}", "reward_id": f"{n}", "redeemed_at": time} for n in range(300)]
    state, asked = None, []

    def handle(path, query):
        asked.append(path)
        found = cut(rows, query)
        return (403, {}) if state else {stream: found} if len(asked) == 1 else (status, {})

    catalog = select(TapRewards, stream)
    with JsonApi(handle) as api:
        tap = TapRewards(config=settings(api, max_retries=0, concurrency=1), catalog=catalog)
        with pytest.raises(ApiError):
            tap.run()
        state = tap.state
        with pytest.raises(ApiError, match="earlier runs have read it: deselect it"):
            run(TapRewards, settings(api), catalog=catalog, state=state)


WHOLE_LISTS = {
    "credit_notes": (TapBilling, "uid", (404, 422)),
    "fraud_rules": (TapRewards, "rule_type", (403, 404)),
    "teams": (TapScheduling, "id", (403, 404)),
}


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    ("stream", "status"), [(name, status) for name, of in WHOLE_LISTS.items() for status in of[2]]
)
def test_H11_a_whole_list_that_had_rows_before_is_not_missing(stream, status, there):
    tap, key, _ = WHOLE_LISTS[stream]
    rows, answers = [{key: "1"}] if there else [], []

    def handle(path, query):
        answers.append(path)
        first = {"data": rows, "status": "success", stream: rows}
        return first if state is None else (status, {"message": ""})

    state = None
    with JsonApi(handle) as api:
        state = run(tap, settings(api), catalog=only(tap, stream)).state
        if there:
            with pytest.raises(ApiError, match=rf"{stream}: .*earlier runs have read it: deselect it"):
                run(tap, settings(api), catalog=only(tap, stream), state=state)
        else:
            state = run(tap, settings(api), catalog=only(tap, stream), state=state).state
        config = {**settings(api), "account": "another"}  # of which nothing is known
        run(tap, config, catalog=only(tap, stream), state=state)


@pytest.mark.parametrize("first", ["incremental", "filtered", "parent alone"])
def test_H11_a_list_of_which_rows_came_is_not_missing_however_they_came(first):
    """In a run with a bookmark before one without, filtered by a stream map, or for the lists below alone."""
    stream = {"incremental": "fraud_reviews"}.get(first, "connected_organizations")
    rows = [{"id": "1", "reward_id": "1", "redeemed_at": "2026-01-01T00:00:00Z"}]
    state = None

    def handle(path, query):
        return (403, {}) if state else {stream: rows, "connected_organization_members": []}

    whole = select(TapRewards, stream, replication_method="FULL_TABLE")
    catalog = {
        "incremental": select(TapRewards, stream),
        "filtered": whole,
        "parent alone": select(TapRewards, "connected_organization_members"),
    }[first]
    maps = {"stream_maps": {stream: {"__filter__": "False"}}} if first == "filtered" else {}
    with JsonApi(handle) as api:
        state = run(TapRewards, settings(api, **maps), catalog=catalog).state
        with pytest.raises(ApiError, match=rf"{stream}: .*earlier runs have read it: deselect it"):
            run(TapRewards, settings(api), catalog=whole, state=state)


@pytest.mark.parametrize("status", [409, 422])
@pytest.mark.parametrize("stream", ["credit_notes", "coupons", "fraud_rules"])
def test_H11_what_says_that_it_passes_is_asked_for_again(stream, status):
    tap = TapRewards if stream == "fraud_rules" else TapBilling
    with refusing(status, PASSING[-1], times=1) as api:
        run(tap, settings(api), catalog=only(tap, stream))
        assert len(api.paths) == 2


@pytest.mark.parametrize(
    ("words", "fails"), [("Rankings are temporarily unavailable", True), ("Ranking expired", False)]
)
def test_H11_a_parent_whose_list_does_not_come_for_a_moment_is_not_gone(words, fails):
    def handle(path, query):
        if path.endswith("/promotions"):
            return {"items": [{"id": str(n), "title": "x"} for n in range(4)]}
        return (404, {"message": words}) if path.endswith("/2") else {"items": [{"id": "1", "user_id": "1"}]}

    with JsonApi(handle) as api:
        config = {"api_url": api.url, "bearer_token": KEY, **QUICK}
        catalog = only(TapPromotions, "promotions", "stages")
        if fails:
            with pytest.raises(ApiError, match="partly read: stages"):
                run(TapPromotions, config, catalog=catalog)
        else:
            run(TapPromotions, config, catalog=catalog)


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
