"""Links and tokens that act for whoever has them never leave a tap, wherever they stand in a row."""

from __future__ import annotations

import json
import logging

import msgspec
import pytest

from json_api import JsonApi, cut, numbered
from support import KEY, discovered, run
from tap_billing.tap import TapBilling
from tap_core.records.secrets import Secrets
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

CANARY = "https://example.com/CANARY"
CARD = {"id": 7, "vault_token": "CANARY", "customer_vault_token": None, "chargify_token": "CANARY-2"}


found_as_json = msgspec.json.Encoder(decimal_format="number").encode


def settings(tap, url="http://localhost", **more):
    return {"api_url": url, tap.key_setting: KEY, "requests_per_minute": 100_000, **more}


def read(tap, stream, rows, *, catalog=None, **more):
    """What a tap writes of a stream's rows."""

    def handle(path, query):
        if tap is TapPromotions:
            return {"items": rows, "paging": {}}
        if path.endswith(".json"):
            return [{stream.removesuffix("s"): row} for row in numbered(rows, query)]
        return {stream: (page := cut(rows, query, default=10**6)), "data": page}

    if catalog is None:
        catalog = discovered(tap)
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] == stream]
    with JsonApi(handle) as api:
        return run(tap, settings(tap, api.url, **more), catalog=catalog)


PLACES = [
    (TapRewards, "members", {"invite_url": CANARY}),
    (TapRewards, "members", {"Invite_URL": [CANARY]}),
    (TapRewards, "members", {"invitation": {"invite_url": CANARY, "sent": 1}}),
    (TapRewards, "members", {"name": {"invite_url": CANARY}}),
    (TapRewards, "members", {"events": [{"type": "created", "invite_url": CANARY}]}),
    (TapRewards, "rewards", {"delivery": {"method": "LINK", "link": CANARY}}),
    (TapRewards, "rewards", {"delivery": [{"method": "LINK", "link": CANARY}]}),
    (TapRewards, "rewards", {"delivery.link": CANARY}),
    (TapRewards, "rewards", {"copy": {"of": [[{"delivery": {"link": CANARY}}]]}}),
    (TapRewards, "orders", {"rewards": [{"id": "R", "delivery": {"link": CANARY}}]}),
    (TapRewards, "orders", {"rewards": {"id": "R", "delivery": {"link": CANARY}}}),
    (TapBilling, "subscriptions", {"credit_card": CARD}),
    (TapBilling, "subscriptions", {"bank_account": CARD, "self_service_page_token": "CANARY"}),
    (TapBilling, "subscriptions", {"credit_card": [CARD]}),
    (TapBilling, "subscriptions", {"payment_profile": {"cards": [CARD]}}),
    (TapBilling, "customers", {"payment_profile": CARD}),
    (TapBilling, "transactions", {"taxations": [{"id": 1, "card": CARD}]}),
    (TapScheduling, "conferencing", {"key": {"access_token": "CANARY"}}),
    (TapScheduling, "conferencing", {"key": "CANARY"}),
    (TapScheduling, "schedules", {"metadata": {"stripe": {"access_token": "CANARY"}}}),
    (TapScheduling, "teams", {"metadata": {"apps": [{"credential": {"accessToken": "CANARY"}}]}}),
    (TapScheduling, "teams", {"webhooks": [{"secret": "CANARY"}], "inviteUrl": "CANARY"}),
    (TapRewards, "orders", {"invite-url": CANARY, "x": {"Access-Token": CANARY}}),
    (TapBilling, "customers", {"access token": CANARY, "access__token ": CANARY, "secret_key": CANARY}),
    (TapPromotions, "promotions", {"Invite URL": CANARY, "session token": CANARY, "authToken": CANARY}),
    (TapScheduling, "teams", {"inviteToken": {"token": "CANARY", "expires": None}}),
    (TapBilling, "customers", {"integration": {"private_key": "CANARY", "apiKey": "CANARY"}}),
    (TapEvents, "users", {"login": [{"password": "CANARY", "refresh_token": "CANARY"}]}),
    (TapPromotions, "promotions", {"redeem_url": CANARY, "prize": {"downloadUrl": [CANARY]}}),
    (TapPromotions, "promotions", {"client_secret": "CANARY", "theme": {"webhookSecret": "CANARY"}}),
    (
        TapScheduling,
        "conferencing",
        {"encryptedKey": "CANARY", "credential": {"key": "CANARY", "token": "CANARY"}},
    ),
    (TapScheduling, "teams", {"delegationCredential": {"serviceAccountKey": {"private": "CANARY"}}}),
    (TapRewards, "rewards", {"deliveries": [], "delivery": {"links": [CANARY], "url": CANARY}}),
]


@pytest.mark.parametrize(("tap", "stream", "row"), PLACES)
def test_I04_J06_no_secret_leaves_the_tap(tap, stream, row, caplog):
    """The first rows go the careful way, and those after them the typed way that has learned from them."""
    caplog.set_level(logging.INFO)
    rows = [{"id": number, "at": number, **row} for number in range(1, 40)]
    for more in (
        {},
        {"unmapped_column": False},
        {"flattening_enabled": True, "flattening_max_depth": 3},
        {"stream_maps": {stream: {"more": "'x'"}}},
    ):
        output = read(tap, stream, rows, **more)
        output.check()
        assert "CANARY" not in output.text + caplog.text
        assert len(output.records[stream]) == 39
    assert "holds a secret and is dropped" in caplog.text


@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapRewards, "members")])
def test_K_names_of_secrets_that_differ_in_each_row_are_told_up_to_a_hundred(tap, stream, caplog):
    caplog.set_level(logging.INFO)
    output = read(tap, stream, [{"id": number, f"u{number}_access_token": CANARY} for number in range(150)])
    assert len(output.records[stream]) == 150
    assert "CANARY" not in output.text + caplog.text
    assert caplog.text.count("holds a secret and is dropped") == 100
    assert caplog.text.count("More fields hold secrets and are dropped; they are not named here") == 1


@pytest.mark.parametrize(("tap", "stream", "row"), PLACES)
def test_I04_both_ways_lead_to_the_same_row(tap, stream, row):
    found = tap(config=settings(tap)).streams[stream]
    raws = [msgspec.Raw(json.dumps({"id": 7, "new": [{"x": 1}], **row}).encode()) for _ in range(9)]
    careful = found.decode(raws, None, typed=False)
    typed = found.decode(raws, None)
    assert isinstance(typed[-1], msgspec.Struct)
    assert [json.loads(found_as_json(record)) for record in typed] == [
        json.loads(found_as_json(record)) for record in careful
    ]


@pytest.mark.parametrize(
    ("tap", "stream", "row"),
    [
        (TapRewards, "members", {"with_api_key": True, "is_secret": False}),
        (TapBilling, "subscriptions", {"vault_token": True}),
    ],
)
def test_H09_I04_true_and_false_are_no_secrets(tap, stream, row):
    output = read(tap, stream, [{"id": number, **row} for number in range(1, 20)])
    assert [found["_sdc_unmapped"] for found in output.records[stream]] == [row] * 19


def test_I04_what_stands_beside_a_secret_stays():
    reward = {"id": "R", "delivery": {"method": "LINK", "link": CANARY, "linked": 2}, "link": "kept"}
    (row,) = read(TapRewards, "rewards", [reward]).records["rewards"]
    assert row == {
        "id": "R",
        "delivery": {"method": "LINK"},
        "_sdc_unmapped": {"delivery.linked": 2, "link": "kept"},
    }


@pytest.mark.parametrize(
    ("tap", "stream", "column"),
    [(TapBilling, "subscriptions", "credit_card"), (TapRewards, "members", "profile")],
)
def test_I04_a_catalog_of_an_earlier_version_brings_no_column_back(tap, stream, column):
    catalog = discovered(tap)
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == stream)
    tokens = {name: {"type": ["string", "null"]} for name in ("vault_token", "invite_url", "harmless")}
    properties = entry["schema"]["properties"]
    properties[column] = {"type": ["object", "null"], "properties": tokens}
    properties.update(tokens)
    values = dict.fromkeys(tokens, "CANARY") | {"harmless": "x"}
    output = read(tap, stream, [{"id": 1, **values, column: values}], catalog=catalog)
    schema = output.schemas[stream][0]["schema"]["properties"]
    (row,) = output.records[stream]
    for fields, found in ((schema, row), (schema[column]["properties"], row[column])):
        assert tokens.keys() & fields.keys() == {"harmless"}
        assert found.keys() & tokens.keys() == {"harmless"}


@pytest.mark.parametrize("tap", [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling])
def test_I04_no_schema_has_a_column_of_a_secret(tap):
    for stream in tap(config=settings(tap)).streams.values():
        assert stream.without_secrets(stream.schema) == stream.schema, stream.name


def test_I04_a_value_as_deep_as_can_be_read_is_looked_through():
    value = innermost = {}
    for _ in range(5000):
        innermost["inner"] = [{}]
        (innermost,) = innermost["inner"]
    innermost["invite_url"] = CANARY
    secrets = Secrets(["invite_url"], logging.getLogger("test"))
    assert not secrets.takes(("value",), value)
    assert not innermost


def test_I04_names_can_hold_stars_and_ends_of_paths():
    secrets = Secrets(["*token*", "delivery.link"], logging.getLogger("test"))
    taken = [("a", "myTokens"), ("delivery", "link"), ("x", "delivery", "link"), ("delivery.link",)]
    kept = [("link",), ("delivery", "links"), ("my_delivery", "link"), ("delivery", "link", "x"), ("a\n",)]
    assert all(secrets.takes(path, "x") for path in taken)
    assert not any(secrets.takes(path, "x") for path in kept)
    assert json.dumps(secrets.without({"properties": {"a": {}, "token": {}}})) == '{"properties": {"a": {}}}'


@pytest.mark.parametrize("name", ["vault_token", "vaultToken", "VAULT_TOKEN", "VaultToken"])
def test_I04_a_secret_is_one_however_its_words_are_joined(name):
    secrets = Secrets(["vault_token"], logging.getLogger("test"))
    assert secrets.takes(("credit_card", name), "v-1")


@pytest.mark.parametrize(
    ("tap", "stream", "name"),
    [
        (TapBilling, "customers", "_" * 300_000),
        (TapEvents, "users", "access_" * 50_000),
        (TapRewards, "members", "private" * 50_000),
    ],
)
def test_a_long_name_is_judged_in_its_time(tap, stream, name):
    """What would take the square of its length takes hours."""
    output = read(tap, stream, [{"id": 1, name: 1}])
    assert output.records[stream][0]["_sdc_unmapped"] == {name: 1}
