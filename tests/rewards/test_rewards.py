"""tap-rewards against the sandbox: every row and value, whatever the server does."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest
from singer_sdk.testing import get_tap_test_class

from api_sandbox import Sandbox
from in_process import select
from rewards.truth import OFF, PATH, STREAMS, assert_all, expected, without_key
from support import KEY, command, discovered, run
from tap_core.errors import ApiError
from tap_rewards.tap import TapRewards


def only(*streams, tap=TapRewards):
    """A catalog of some streams."""
    catalog = discovered(tap)
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] in streams]
    return catalog


def test_all_rows_and_values(api, config):
    output = run(TapRewards, config)
    assert_all(output, api)
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)
    assert list(output.schemas) == sorted(STREAMS)


def test_A16_lists_that_do_not_page_cost_one_request_more(api, config):
    run(TapRewards, config)
    for path in ("products", "funding_sources", "members", "campaigns", "organizations"):
        assert len(api.matching(f"{PATH}/{path}")) == 2, path


@pytest.mark.parametrize("streams", [("members",), ("account_members",), ("account_members", "members")])
def test_members_are_fetched_once(api, config, streams):
    output = run(TapRewards, config, catalog=only(*streams))
    assert len(api.requests) == 2  # the list, and that it has ended
    for stream in streams:
        assert output.records[stream] == expected(api, stream)


def test_members_fetched_once_though_the_first_attempt_fails(api, config):
    api.fault("status", status=503, first_attempts=True)
    run(TapRewards, config, catalog=only("account_members", "members"))
    assert [entry.status for entry in api.requests] == [503, 200, 503, 200]


def test_each_list_has_its_page_size(api, config):
    run(TapRewards, config)
    limits = {"orders": 100, "rewards": 100, "invoices": 10}
    limits |= {"balance_transactions": 100, "fraud_reviews": 100}
    for path, limit in limits.items():
        queries = [entry.query for entry in api.matching(f"{PATH}/{path}")]
        assert len(queries) > 1
        assert f"limit={limit}" in queries[0].split("&")


KEPT = {"orders": 90, "transactions": 120, "rewards": 110, "invoices": 60, "fraud_reviews": 101}
"""Rows of the long lists: enough for more than a page, where a page has up to 99 rows."""


@pytest.mark.parametrize("size", [1, 2, 7, 40, 99])
def test_page_cap_below_what_is_asked(api, config, size):
    for name, keep in KEPT.items():
        del api.data["rewards"][name][keep:]
    api.fault("page_cap", path=PATH, size=size)
    assert_all(run(TapRewards, config), api)


def test_first_attempt_of_every_request_fails(api, config):
    api.fault("status", status=503, first_attempts=True)
    assert_all(run(TapRewards, config), api)


def test_too_many_requests(api, config):
    api.fault("status", status=429, rate=0.1)
    assert_all(run(TapRewards, {**config, "max_retries": 9}), api)


def test_paging_ignored(api, config):
    api.fault("ignore_paging")
    assert_all(run(TapRewards, config), api)


@pytest.mark.parametrize("stream", ["orders", "balance_transactions", "rewards", "invoices"])
def test_only_the_offset_ignored_is_an_error(api, config, stream):
    api.fault("ignore_paging", path=f"{PATH}/{stream}", limit_honoured=True)
    with pytest.raises(ApiError, match=r"same (pages?|rows)|ignores `offset` but not `limit`"):
        run(TapRewards, config, catalog=only(stream))


@pytest.mark.parametrize("error", [-50, 10])
def test_wrong_total(api, config, error):
    api.fault("wrong_total", size=error)
    assert_all(run(TapRewards, config), api)


def test_E04_a_total_that_is_far_from_reached_fails(api, config):
    api.fault("wrong_total", size=50)
    said = r"partly read: fraud_reviews, invoices, orders.*read 134 records .* there are 184"
    with pytest.raises(ApiError, match=said):
        run(TapRewards, config)


def test_totals_absent(api, config):
    for stream in ("orders", "rewards", "invoices"):
        rows = expected(api, stream)[:7]
        body = json.dumps({stream: rows}, default=float)
        api.fault("raw_body", path=f"{PATH}/{stream}", query="offset=0&|offset=0$", body=body)
        api.fault("raw_body", path=f"{PATH}/{stream}", body=json.dumps({stream: rows[-1:]}, default=float))
    output = run(TapRewards, config)
    assert {stream: len(output.records[stream]) for stream in ("orders", "rewards", "invoices")} == {
        "orders": 7,
        "rewards": 7,
        "invoices": 7,
    }


@pytest.mark.parametrize("stream", ["orders", "rewards", "invoices"])
def test_rows_that_come_and_go_during_the_read(api, config, stream):
    truth = expected(api, stream)
    new = {**api.data["rewards"][stream][0], "id": "NEW0000000001", "status": "OPEN"}
    api.change(
        api="rewards", resource=stream, op="insert", at=0, rows=[new], after=2, path=f"{PATH}/{stream}"
    )
    api.change(api="rewards", resource=stream, op="delete", at=5, count=3, after=3, path=f"{PATH}/{stream}")
    rows = run(TapRewards, {**config, "concurrency": 1}, catalog=only(stream)).rows(stream)
    gone = {row["id"] for row in truth} - {row["id"] for row in expected(api, stream)}
    assert {row["id"] for row in truth} - gone <= {key for (key,) in rows}


def test_same_bytes_whatever_the_concurrency(api, config):
    api.fault("latency", seconds=0.002, rate=0.5)

    def lines(concurrency):
        messages = run(TapRewards, {**config, "concurrency": concurrency}).messages
        return [{**message, "time_extracted": None} for message in messages if message["type"] == "RECORD"]

    assert lines(1) == lines(16)


SECRETS = {
    "private_key": "CANARY-1",
    "access_token": "CANARY-2",
    "apiKey": "CANARY-3",
    "client_secret": {"value": "CANARY-4"},
}


def test_no_secret_leaves_the_tap(api, config, caplog):
    tables = api.data["rewards"]
    for rows in tables.values():
        rows[0].update(SECRETS)
        rows[0]["nested"] = [{"deep": SECRETS, "harmless": 1}]
    tables["orders"][1]["payment"]["private_key"] = "CANARY-5"
    tables["funding_sources"][1]["meta"]["access_token"] = "CANARY-6"
    caplog.set_level("INFO")
    output = run(TapRewards, config)
    assert "CANARY" not in output.text + caplog.text
    assert output.records["products"][0]["_sdc_unmapped"] == {"nested": [{"deep": {}, "harmless": 1}]}
    assert "Field `private_key` holds a secret" in caplog.text


def test_secrets_are_in_no_schema(config):
    schemas = json.dumps(TapRewards(config=config).catalog_dict)
    assert "token" not in schemas
    assert "private" not in schemas


def test_values_of_other_types_are_put_right(api, config):
    api.data["rewards"]["orders"][0]["payment"]["total"] = "51.50"
    api.data["rewards"]["funding_sources"][0]["meta"]["year"] = 2027
    api.data["rewards"]["invoices"][0]["status"] = "A_NEW_STATUS"
    output = run(TapRewards, config)
    output.check()
    assert output.records["orders"][0]["payment"]["total"] == Decimal("51.50")
    assert output.records["funding_sources"][0]["meta"]["year"] == "2027"
    assert output.records["invoices"][0]["status"] == "A_NEW_STATUS"


def test_unknown_fields_are_kept(api, config):
    api.data["rewards"]["rewards"][0]["tax_form"] = "W-9"
    api.data["rewards"]["transactions"][0]["fx"] = {"rate": 2}
    output = run(TapRewards, config)
    assert output.records["rewards"][0]["_sdc_unmapped"] == {"tax_form": "W-9"}
    assert output.records["balance_transactions"][0]["_sdc_unmapped"] == {"fx": {"rate": 2}}
    assert output.records["balance_transactions"][0]["_sdc_key"]


def test_days_of_old_invoices_become_times(api, config):
    lengths = Counter(len(row["created_at"]) for row in api.data["rewards"]["invoices"])
    assert lengths.keys() == {10, 24}
    output = run(TapRewards, config, catalog=only("invoices"))
    output.check()
    assert output.records["invoices"][-1]["created_at"] == "2025-02-03T00:00:00Z"


def test_another_version(api, config):
    with pytest.raises(ApiError, match="api_version"):
        run(TapRewards, {**config, "api_version": "v3"})
    assert all(entry.path.startswith("/rewards/v3/") for entry in api.requests)


def test_empty_account(api, config):
    for rows in api.data["rewards"].values():
        rows.clear()
    output = run(TapRewards, config)
    assert output.records == {}
    assert len(output.schemas) == len(STREAMS)


def test_wrong_key(api, config, tmp_path):
    result = command("tap_rewards", config={**config, "api_key": "wrong-key-31"}, folder=tmp_path)
    assert result.returncode == 1
    assert "api_key was refused (401)" in result.stderr
    assert "wrong-key-31" not in result.stderr


def test_a_stream_that_the_key_may_not_read(api, config):
    api.fault("status", path=f"{PATH}/invoices", status=403)
    with pytest.raises(ApiError, match="invoices"):
        run(TapRewards, config)
    output = run(TapRewards, {**config, "allow_skipped_streams": True})
    assert_all(output, api, [stream for stream in STREAMS if stream != "invoices"])


def test_field_selection(api, config):
    catalog = only("balance_transactions")
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"][-1:] == ["balance"]:
            entry["metadata"]["selected"] = False
    rows = run(TapRewards, config, catalog=catalog).records["balance_transactions"]
    truth = [
        {name: value for name, value in row.items() if name != "balance"}
        for row in expected(api, "balance_transactions")
    ]
    assert without_key(rows) == truth


_suite_sandbox = Sandbox()
_suite_sandbox.__enter__()


@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestSuite(
    get_tap_test_class(
        TapRewards,
        config={"api_url": f"{_suite_sandbox.url}/rewards", "api_key": KEY},
        catalog=select(TapRewards, *STREAMS, *OFF),
    )
):
    """The SDK's own tests of a tap."""

    @classmethod
    def teardown_class(cls):
        _suite_sandbox.__exit__(None, None, None)
