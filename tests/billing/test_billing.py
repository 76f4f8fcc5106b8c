"""tap-billing against the sandbox: every row and value, whatever the server does."""

from __future__ import annotations

import json
import re

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from api_sandbox import Sandbox
from billing.truth import (
    LEGACY,
    OFF,
    PATHS,
    STREAMS,
    assert_all,
    expected,
    only,
    requests_of,
    run,
    settings,
)
from json_api import JsonApi, numbered
from support import command
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError

CUSTOMER = {"id": 7, "email": "maja@mail.example", "updated_at": "2026-03-14T09:26:53-04:00"}


def answer(api, stream, body, **fault):
    """Let the API answer so where a stream is asked for, and an empty list past the first page."""
    text = body if isinstance(body, str) else json.dumps(body)
    path = f"/billing/{stream}.json"
    api.fault("raw_body", path=path, query=r"\bpage=1\b", body=text, **fault)
    api.fault("empty_page", path=path)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_row_and_value(api, concurrency):
    output = run(TapBilling, settings(api, concurrency=concurrency))
    assert_all(output, api)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        pytest.param("page_cap", {"size": 73}, id="pages smaller than asked for"),
        pytest.param("ignore_paging", {}, id="paging ignored"),
        pytest.param("status", {"status": 503, "first_attempts": True}, id="first attempts fail"),
        pytest.param("status", {"status": 429, "times": 2}, id="too many at once"),
        pytest.param("cut", {"first_attempts": True}, id="first bodies cut"),
        pytest.param("html", {"first_attempts": True}, id="first bodies no JSON"),
    ],
)
def test_every_row_in_spite_of(api, kind, rule):
    api.fault(kind, **rule)
    assert_all(run(TapBilling, settings(api)), api)


def test_the_first_page_for_ever_is_an_error(api):
    api.fault("ignore_paging", path="/billing/customers.json", limit_honoured=True)
    with pytest.raises(ApiError, match="customers: The API ignores `page` but not `per_page`"):
        run(TapBilling, settings(api))


def test_what_is_asked_for(api):
    """Parts of invoices, archived coupons and their other prices come only if asked for."""
    run(TapBilling, settings(api))
    for entry in api.matching("/billing/invoices.json"):
        for part in ("line_items", "discounts", "taxes", "credits", "payments", "refunds", "custom_fields"):
            assert f"{part}=true" in entry.query
        assert "date_field=updated_at" in entry.query
        assert "include" not in entry.query
    for entry in api.matching("/billing/coupons.json"):
        assert "filter%5Binclude_archived%5D=true&currency_prices=true" in entry.query
    sizes = {stream: [] for stream in STREAMS}
    for entry in sorted(api.requests, key=lambda entry: entry.time):
        size = int(re.search(r"\bper_page=(\d+)", entry.query)[1])
        sizes[entry.path.removeprefix("/billing/").removesuffix(".json")].append(size)
    assert all(asked[0] == 200 for asked in sizes.values())
    assert any(row["archived_at"] for row in expected(api, "coupons").values())


def test_an_element_without_its_wrapper_is_read(api):
    bare = {**CUSTOMER, "id": 8}
    answer(api, "customers", [{"customer": CUSTOMER}, bare])
    output = run(TapBilling, settings(api), catalog=only("customers"))
    assert list(output.rows("customers").values()) == [CUSTOMER, bare]


@pytest.mark.parametrize("body", [[{"customer": CUSTOMER}, {"error": "?"}], {"errors": ["?"]}, ["?"]])
def test_an_element_that_is_no_record_is_an_error(api, body):
    answer(api, "customers", body)
    with pytest.raises(ApiError, match=r"customers: .*(the API sent (a record|text|a text)|no list at)"):
        run(TapBilling, settings(api), catalog=only("customers"))


def test_invoices_in_the_older_envelope_are_read(api):
    rows = list(expected(api, "invoices").values())[:3]
    answer(api, "invoices", json.dumps([{"invoice": row} for row in rows], default=float))
    output = run(TapBilling, settings(api), catalog=only("invoices"))
    assert list(output.rows("invoices").values()) == rows


def test_a_subscription_with_half_a_character_has_the_ids_of_what_it_belongs_to(api):
    """Only the slow parser can read it."""
    half = '{"id": 1, "customer": {"id": 7, "first_name": "\\ud83d"}, "product": {"id": 8}}'
    answer(api, "subscriptions", f'[{{"subscription": {half}}}, {{"subscription": {half[:8]}2{half[8:]}}}]')
    rows = run(TapBilling, settings(api), catalog=only("subscriptions")).records["subscriptions"]
    assert [(row["customer_id"], row["product_id"]) for row in rows] == [(7, 8), (7, 8)]


@pytest.mark.parametrize("count", [3, 250])
def test_H07_an_empty_array_behind_invoices_is_their_end(count):
    rows = [
        {"uid": f"inv_{number}", "number": str(number), "updated_at": "2026-01-01T00:00:00Z"}
        for number in range(count)
    ]
    with JsonApi(lambda _, query: numbered([{"invoice": row} for row in rows], query)) as server:
        config = {**settings(server), "api_url": server.url}
        output = run(TapBilling, config, catalog=only("invoices"))
    assert [row["uid"] for row in output.records["invoices"]] == [row["uid"] for row in rows]
    bookmark = output.state["bookmarks"]["invoices"]
    assert bookmark["replication_key_value"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("beside", [{"note": 1}, {"id": 8, "errors": ["?"]}])
def test_what_stands_beside_a_wrapped_record_is_kept(api, beside):
    answer(api, "customers", [{"customer": CUSTOMER, **beside}, {"customer": {**CUSTOMER, "id": 9}}])
    output = run(TapBilling, settings(api), catalog=only("customers"))
    kept = {**CUSTOMER, "_sdc_unmapped": {"beside_customer": beside}}
    assert output.records["customers"] == [kept, {**CUSTOMER, "id": 9}]


@pytest.mark.parametrize("body", ['{"invoices": []}', "[]"])
def test_no_invoices_in_any_envelope(api, body):
    answer(api, "invoices", body)
    output = run(TapBilling, settings(api), catalog=only("invoices"))
    assert output.records == {}
    assert "invoices" in output.schemas


def test_an_invoice_without_times_is_read_and_leaves_the_bookmark(api):
    invoices = api.data["billing"]["invoices"]
    assert any("updated_at" not in row for row in invoices)
    output = run(TapBilling, settings(api))
    assert output.rows("invoices") == expected(api, "invoices")
    for row in invoices:
        row.pop("updated_at", None)
    output = run(TapBilling, settings(api))
    assert output.rows("invoices") == expected(api, "invoices")
    assert output.state["bookmarks"]["invoices"]["replication_key_value"] is None


@pytest.mark.parametrize("status", [404, 422])
def test_a_site_without_transactions_has_none(api, caplog, status):
    api.fault("status", path="/billing/transactions.json", status=status)
    output = run(TapBilling, settings(api))
    assert_all(output, api, STREAMS[:-1])
    assert output.rows("transactions") == {}
    assert f"this account or server has no such list ({status}): sites without legacy" in caplog.text


def test_transactions_that_vanish_while_they_are_read_are_a_failure(api):
    api.fault("status", path="/billing/transactions.json", query=r"\bpage=2\b", status=404)
    with pytest.raises(ApiError, match=re.escape("nothing at /billing/transactions.json (404)")):
        run(TapBilling, settings(api))


def test_an_unknown_path_elsewhere_is_a_failure(api):
    api.fault("status", path="/billing/coupons.json", status=404)
    with pytest.raises(ApiError, match="check that api_url is your site's address"):
        run(TapBilling, settings(api))


def test_a_wrong_key_is_named_and_not_shown(api, tmp_path):
    config = settings(api, api_key="canary-key")
    done = command("tap_billing", config=config, folder=tmp_path, env={"PYTHONPATH": "taps"})
    assert done.returncode == 1
    assert "api_key was refused (401)" in done.stderr
    assert "canary" not in done.stdout + done.stderr
    assert "Y2FuYXJ5" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_never_more_than_four_requests_at_once(api):
    """The vendor's limit, whatever the setting; a fifth request would be refused and noticed."""
    api.fault("latency", seconds=0.01)
    limit = api.fault(max_concurrent=4)
    assert_all(run(TapBilling, settings(api, concurrency=32)), api)
    assert limit.hits == 0
    assert TapBilling(config=settings(api, concurrency=32)).client.limits.concurrency == 4


def test_a_refusal_for_too_many_requests_means_a_long_wait(api, caplog):
    """No Retry-After comes with it, and the vendor's advice is to stop for some minutes."""
    api.fault("status", status=429, times=1)
    run(TapBilling, settings(api, concurrency=1), catalog=only("coupons"))
    (seconds,) = re.findall(r"429 .*trying again in (\d+\.\d+) s", caplog.text)
    assert float(seconds) == pytest.approx(15 * 0.01, abs=0.06)


def test_tokens_of_customers_pages_are_not_emitted(api):
    rows = api.data["billing"]["subscriptions"]
    rows[3]["self_service_page_token"] = "canary"
    output = run(TapBilling, settings(api))
    assert "canary" not in output.text
    del rows[3]["self_service_page_token"]
    assert output.rows("subscriptions") == expected(api, "subscriptions")


def test_a_403_skips_the_stream_and_reads_the_others(api):
    api.fault("status", path="/billing/invoices.json", status=403)
    with pytest.raises(ApiError, match=r"partly read: invoices.*api_key may not read"):
        run(TapBilling, settings(api))
    output = run(TapBilling, settings(api, allow_skipped_streams=True))
    assert_all(output, api, [stream for stream in STREAMS if stream != "invoices"])
    assert requests_of(api)["transactions"] > 0


_suite_sandbox = Sandbox()
_suite_sandbox.__enter__()


@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestSuite(
    get_tap_test_class(
        TapBilling,
        config=settings(_suite_sandbox),
        catalog=only(*PATHS, *OFF),
        suite_config=SuiteConfig(ignore_no_records_for_streams=list(LEGACY)),
    )
):
    """The SDK's own tests of a tap."""

    @classmethod
    def teardown_class(cls):
        _suite_sandbox.__exit__(None, None, None)
