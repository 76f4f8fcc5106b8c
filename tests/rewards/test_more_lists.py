"""Lists that come whole, without a page size, as one object, or only where they are selected."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut
from rewards.truth import OFF, PATH, assert_all, expected
from support import KEY, run
from tap_core.errors import ApiError
from tap_rewards.tap import TapRewards

WHOLE = ("forex", "fraud_rules", "fields", "roles", "webhooks")


def only(config, *streams, **more):
    return run(TapRewards, {**config, **more}, catalog=select(TapRewards, *streams))


def test_lists_that_come_whole_cost_one_request_without_paging(api, config):
    assert_all(only(config, *WHOLE), api, WHOLE)
    asked = sorted((entry.path.removeprefix(f"{PATH}/"), entry.query) for entry in api.requests)
    assert asked == sorted((name, "base=USD" if name == "forex" else "") for name in WHOLE)


def test_rates_are_rows_with_all_their_digits(api, config):
    rates = '{"EUR": 0.85310000000000000001, "XTS": null}'
    api.fault("raw_body", path=f"{PATH}/forex", body=f'{{"forex": {rates}}}')
    assert only(config, "forex").records["forex"] == [
        {"base": "USD", "currency_code": "EUR", "rate": Decimal("0.85310000000000000001")},
        {"base": "USD", "currency_code": "XTS", "rate": None},
    ]


def test_no_rates_are_an_empty_list_and_an_answer_without_them_a_failure(api, config):
    for empty in ("{}", "[]"):
        api.reset()
        api.fault("raw_body", path=f"{PATH}/forex", body=f'{{"forex": {empty}}}')
        assert "forex" not in only(config, "forex").records
    api.reset()
    api.fault("raw_body", path=f"{PATH}/forex", body='{"rates": {"EUR": 1}}')
    with pytest.raises(ApiError, match=r"no list at `\$.forex`"):
        only(config, "forex", max_retries=0)
    for rates in ('[{"currency_code": "EUR", "rate": 1}]', '[{"EUR": 1}]', "[7]", "[null]"):
        api.reset()
        api.fault("raw_body", path=f"{PATH}/forex", body=f'{{"forex": {rates}}}')
        with pytest.raises(ApiError, match=r"a list at `\$.forex`|no list at|rates"):
            only(config, "forex", max_retries=0)


@pytest.mark.parametrize("page", [1, 3, 10, 25, 100])
@pytest.mark.parametrize("has_total", [False, True])
def test_topups_are_read_by_the_rows_that_come(page, has_total):
    rows = [{"id": f"T{number}", "amount": number} for number in range(50)]
    asked = []

    def handle(path, query):
        asked.append(query)
        return {
            "topups": cut(rows, {"offset": query.get("offset", 0), "limit": page}),
            **({"total_count": len(rows)} if has_total else {}),
        }

    with JsonApi(handle) as server:
        config = {"api_url": server.url, "api_key": KEY}
        output = run(TapRewards, config, catalog=select(TapRewards, "topups"))
    assert [row["id"] for row in output.records["topups"]] == [row["id"] for row in rows]
    assert all(query.keys() == {"offset"} for query in asked)


def test_lists_that_are_off_are_not_asked_for(api, config):
    output = run(TapRewards, config)
    assert not {*OFF} & output.schemas.keys()
    assert not api.matching(f"{PATH}/connected")


@pytest.mark.parametrize("size", [1, 7, 100])
def test_lists_that_are_off_can_be_selected(api, config, size):
    api.fault("page_cap", size=size)
    api.fault("status", status=503, first_attempts=True)
    output = only(config, *OFF)
    assert_all(output, api, OFF)
    asked = [entry.query for entry in api.matching(f"{PATH}/connected_organization_members")]
    assert all("connected_organization_id=" in query for query in asked)


def test_members_alone_need_the_organizations(api, config):
    output = only(config, OFF[1])
    assert_all(output, api, OFF[1:])
    assert OFF[0] not in output.records


@pytest.mark.parametrize("status", [403, 404])
def test_lists_that_an_account_can_lack(api, config, status, caplog):
    lists = ("fraud_reviews", "fraud_rules", "connected_organizations")
    for name in lists:
        api.fault("status", path=f"{PATH}/{name}$", status=status)
    whole = {"emit_activate_version_messages": True}
    output = only(config, *lists, "roles", **whole)
    assert output.records["roles"] == expected(api, "roles")
    for name in lists:
        assert caplog.text.count(f"{name}: this account or server has no such list ({status})") == 1
    assert {m["stream"] for m in output.messages if m["type"] == "ACTIVATE_VERSION"} == {"roles"}


def test_lists_that_every_account_has(api, config):
    api.fault("status", path=f"{PATH}/roles", status=404)
    with pytest.raises(ApiError, match="partly read: roles"):
        only(config, "roles", "fields")


def test_secrets_of_a_review_s_reward_are_dropped(api, config):
    review = api.data["rewards"]["fraud_reviews"][0]
    review["reward"] = {
        **review["reward"],
        "delivery": {"method": "LINK", "link": "https://x.example/CANARY"},
    }
    api.data["rewards"]["webhooks"][0]["private_key"] = "CANARY"
    output = only(config, "fraud_reviews", "webhooks")
    assert "CANARY" not in output.text
    assert output.records["fraud_reviews"][0]["reward"]["delivery"] == {"method": "LINK"}


@pytest.mark.parametrize("reward", [None, {}, {"id": "OTHER"}])
def test_a_review_that_names_its_reward_itself_keeps_that(api, config, reward):
    review = {"status": "flagged", "reward_id": "OWN", "reward": reward}
    body = json.dumps({"fraud_reviews": [review], "total_count": 1})
    api.fault("raw_body", path=f"{PATH}/fraud_reviews", body=body)
    assert only(config, "fraud_reviews").records["fraud_reviews"] == [review]


def test_half_a_character_in_an_id_costs_its_own_members_alone(tmp_path):
    def answer(path, query):
        if path.endswith("/connected_organizations"):
            return {"connected_organizations": cut([{"id": "a\ud800"}, {"id": "b"}], query)}
        members = [{"id": f"of {query['connected_organization_id']}"}]
        return {"connected_organization_members": cut(members, query)}

    streams = ("connected_organizations", "connected_organization_members")
    with JsonApi(answer) as api:
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, *streams))
    assert output.code == 2
    assert said(output)[0].startswith(
        "connected_organization_members a\\ud800: a value of its query has half"
    )
    assert {stream: len(output.records[stream]) for stream in streams} == {streams[0]: 2, streams[1]: 1}


def test_a_review_without_its_reward_cannot_be_loaded(api, config):
    body = json.dumps({"fraud_reviews": [{"status": "flagged", "reward": None}], "total_count": 1})
    api.fault("raw_body", path=f"{PATH}/fraud_reviews", body=body)
    with pytest.raises(ApiError, match="without its key `reward_id`"):
        only(config, "fraud_reviews")
