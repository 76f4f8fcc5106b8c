"""An answer without the list that it must hold is no empty list, and calls nothing gone."""

from __future__ import annotations

import pytest

from json_api import JsonApi
from lists import only, settings
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

NO_LIST = [
    {},
    None,
    "maintenance",
    True,
    {"message": "try again later"},
    {"status": "error", "error": {"message": "x"}},
    {"results": [{"id": 1}]},
]
ROOTS = [
    (TapEvents, "events"),
    (TapEvents, "categories"),
    (TapScheduling, "bookings"),
    (TapScheduling, "event_types"),
    (TapScheduling, "my_profile"),
    (TapScheduling, "calendars"),
    (TapPromotions, "promotions"),
    (TapBilling, "customers"),
    (TapBilling, "invoices"),
    (TapBilling, "coupons"),
    (TapRewards, "orders"),
    (TapRewards, "balance_transactions"),
    (TapRewards, "members"),
]


@pytest.mark.parametrize("body", NO_LIST, ids=repr)
@pytest.mark.parametrize(("tap", "stream"), ROOTS, ids=[stream for _, stream in ROOTS])
def test_A01_an_answer_without_the_list_is_no_empty_list(tap, stream, body):
    key = {"bearer_token": KEY} if tap is TapPromotions else {}
    with (
        JsonApi(lambda path, query: body) as api,
        pytest.raises(ApiError, match=rf"read: {stream}"),
    ):
        run(tap, settings(api, max_retries=0, **key), catalog=only(tap, stream))


@pytest.mark.parametrize("group", [None, "x", {"teamId": 1}, {"error": "no access"}, {}], ids=repr)
@pytest.mark.parametrize("wrong", [None, "x", {"slug": "x"}], ids=repr)
@pytest.mark.parametrize(
    ("stream", "groups", "rows"),
    [("event_types", "eventTypeGroups", "eventTypes"), ("calendars", "connectedCalendars", "calendars")],
)
def test_A01_a_place_within_a_place_must_hold_a_list_too(stream, groups, rows, wrong, group):
    if stream == "calendars" and isinstance(group, dict) and "error" in group:
        group = {"credentialId": 1}
    good = {rows: [{"id": 3, "credentialId": 3, "externalId": "c3"}]}
    odd = {**group, rows: wrong} if group == {} else group
    with (
        JsonApi(lambda *_: {"status": "success", "data": {groups: [good, odd]}}) as api,
        pytest.raises(ApiError, match=rf"read: {stream}"),
    ):
        run(TapScheduling, settings(api, max_retries=0), catalog=only(TapScheduling, stream))


@pytest.mark.parametrize("error", [{"message": "revoked"}, "revoked"], ids=repr)
def test_calendars_of_an_account_that_cannot_be_reached_are_not_called_gone(error):
    accounts = [
        {"credentialId": 3, "calendars": [{"credentialId": 3, "externalId": "c3"}]},
        {"credentialId": 4, "error": error},
    ]
    versions = {"emit_activate_version_messages": True}
    for found, claims in ((accounts, 0), (accounts[:1], 1)):
        with JsonApi(lambda *_, found=found: {"data": {"connectedCalendars": found}}) as api:
            output = run(TapScheduling, settings(api, **versions), catalog=only(TapScheduling, "calendars"))
        assert len(output.records["calendars"]) == 1
        assert [message["type"] for message in output.messages].count("ACTIVATE_VERSION") == claims
