"""Lists of tap-billing that an account may lack, and the two kinds of billing that decide on most of them."""

from __future__ import annotations

import pytest

from billing.truth import PATHS, expected, only, run, settings
from json_api import JsonApi, numbered
from lists import QUICK
from support import KEY
from support import run as run_all
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_core.selftest import try_out

MISSING = {
    "offers": (403, 404),
    **dict.fromkeys(("invoice_events", "credit_notes", "statements", "legacy_invoices"), (403, 404, 422)),
}


@pytest.mark.parametrize("status", [403, 404, 422])
@pytest.mark.parametrize("stream", [*MISSING, "products", "events"])
def test_lists_that_an_account_may_lack_are_empty_and_others_fail(api, caplog, stream, status):
    api.fault("status", path=f"/billing/{PATHS[stream]}", status=status)
    config = settings(api, emit_activate_version_messages=True, max_retries=0)
    catalog = only(stream, "reason_codes" if stream != "reason_codes" else "site")
    if status not in MISSING.get(stream, ()):
        with pytest.raises(ApiError, match=f"partly read: {stream}"):
            run(TapBilling, config, catalog=catalog)
        return
    output = run(TapBilling, config, catalog=catalog)
    assert output.rows(stream) == {}
    assert f"{stream}: this account or server has no such list ({status})" in caplog.text
    assert caplog.text.count("no such list") == 1
    assert [found["stream"] for found in output.messages if found["type"] == "ACTIVATE_VERSION"] == [
        "reason_codes"
    ]


@pytest.mark.parametrize(
    ("stream", "status", "told"),
    [
        ("proforma_invoices", 403, "this account or server has no such list (403)"),
        ("proforma_invoices", 404, "this account or server has no such list (404)"),
        *((stream, 404, "1 of") for stream in ("usages", "allocations")),
        *((stream, 403, None) for stream in ("usages", "allocations")),
    ],
)
def test_a_list_below_a_subscription_that_is_missing(small, caplog, stream, status, told):
    path = next(_paths_below(small, stream))
    small.fault("status", path=f"/billing{path}", status=status)
    config = settings(small, emit_activate_version_messages=True, max_retries=0)
    if told is None:
        with pytest.raises(ApiError, match=f"partly read: {stream}"):
            run(TapBilling, config, catalog=only(stream, "site"))
        return
    output = run(TapBilling, config, catalog=only(stream))
    assert f"{stream}: {told}" in caplog.text
    assert len(output.rows(stream)) < len(expected(small, stream))
    assert not any(found["type"] == "ACTIVATE_VERSION" for found in output.messages)


def _paths_below(api, name):
    for place, rows in api.data["billing"][name].items():
        below = place if name == "proforma_invoices" else str(place).replace("/", "/components/")
        if rows:
            yield f"/subscriptions/{below}/{name}.json"


def test_a_legacy_site(api, caplog):
    """Its invoices and statements are read; what it does not have is empty, with a line each."""
    api.data["billing"]["site"]["relationship_invoicing_enabled"] = False
    config = settings(api, emit_activate_version_messages=True)
    output = run_all(TapBilling, config)
    output.check()
    missing = ("invoices", "invoice_events", "credit_notes")
    for stream in PATHS:
        assert output.rows(stream) == ({} if stream in missing else expected(api, stream)), stream
    assert len(output.records["legacy_invoices"]) == 210
    assert "invoices: this site has legacy statement billing: its invoices are in `legacy_inv" in caplog.text
    for stream in missing[1:]:
        line = f"{stream}: this account or server has no such list (422): sites with legacy statement billing"
        assert line in caplog.text
    versions = {found["stream"] for found in output.messages if found["type"] == "ACTIVATE_VERSION"}
    assert versions == set(PATHS) - set(missing)
    again = run_all(TapBilling, config, state=output.state)
    assert again.state["bookmarks"]["invoices"]["replication_key_value"] is None


def test_a_site_with_invoices_has_no_legacy_ones(api, caplog):
    output = run(
        TapBilling, settings(api, emit_activate_version_messages=True), catalog=only("legacy_invoices")
    )
    assert output.records == {}
    assert "legacy_invoices: this site has no legacy statement billing" in caplog.text
    assert not any(found["type"] == "ACTIVATE_VERSION" for found in output.messages)
    assert len(api.requests) == 1


def test_trying_out_a_legacy_site(api, capsys):
    api.data["billing"]["site"]["relationship_invoicing_enabled"] = False
    streams = ("invoices", "legacy_invoices", "credit_notes", "site")
    assert try_out(TapBilling(config=settings(api), catalog=only(*streams)))
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "ok      this site has legacy statement billing" in lines["invoices"]
    assert "ok      this account has no such list (422)" in lines["credit_notes"]
    assert all("ok      a record was read" in lines[stream] for stream in ("legacy_invoices", "site"))


def test_C12_invoices_that_come_as_an_array_and_none_that_is_new():
    """An empty array says nothing of a site's kind where only new invoices, or some, were asked for."""
    rows = [{"uid": f"inv_{n}", "updated_at": f"2026-01-0{n}T00:00:00Z", "status": "open"} for n in (1, 2, 3)]

    def handle(path, query):
        found = [] if {"start_date", "status"} & {*query} else rows
        found = [row for row in found if row["updated_at"] >= query.get("start_datetime", "")]
        return numbered([{"invoice": row} for row in found], query)

    with JsonApi(handle) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        state = run(TapBilling, config, catalog=only("invoices")).state
        rows.pop()
        run(TapBilling, config, catalog=only("invoices"), state=state)
        filters = {"invoices": {"status": "paid"}}
        run(TapBilling, {**config, "filters": filters}, catalog=only("invoices"), state=state)
