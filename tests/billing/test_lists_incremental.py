"""The further lists of tap-billing from a bookmark: ids that are held back, and usages of all components."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from api_sandbox.billing.data import stamp
from billing.truth import expected, only, run, settings
from tap_billing.tap import TapBilling

BY_ID = {"events": "created_at", "invoice_events": "timestamp"}


def ago(seconds):
    return stamp(datetime.now(timezone.utc) - timedelta(seconds=seconds))


def bookmark(output, stream):
    return output.state["bookmarks"][stream]["replication_key_value"]


def ids(output, stream):
    return [row["id"] for row in output.records.get(stream, [])]


def queries(api, part):
    return [entry.query for entry in api.requests if part in entry.path]


@pytest.mark.parametrize("stream", BY_ID)
def test_two_runs_by_id(api, stream):
    """The rows of the last minutes come again, and one between them that was seen later."""
    rows, time = api.data["billing"][stream], BY_ID[stream]
    last = rows[-1]["id"]
    rows += [{**rows[-1], "id": last + more, time: ago(60)} for more in (10, 30)]
    first = run(TapBilling, settings(api), catalog=only(stream))
    assert first.rows(stream) == expected(api, stream)
    assert bookmark(first, stream) == last
    rows.append({**rows[-1], "id": last + 20, time: ago(90)})
    api.clear()
    second = run(TapBilling, settings(api), catalog=only(stream), state=first.state)
    assert ids(second, stream) == [last, last + 10, last + 20, last + 30]
    assert bookmark(second, stream) == last
    assert first.rows(stream) | second.rows(stream) == expected(api, stream)
    sent = queries(api, "events")
    since = last if stream == "events" else last - 1  # the API leaves the id out
    assert all(f"since_id={since}&" in query and "since_date" not in query for query in sent)
    assert all("start_datetime" not in query for query in sent)


@pytest.mark.parametrize("stream", BY_ID)
def test_E06_a_bookmark_beyond_all_ids_is_told(api, stream, caplog):
    """As after a reset of the site; a quiet run, in which its own row comes again, says nothing."""
    first = run(TapBilling, settings(api), catalog=only(stream))
    quiet = run(TapBilling, settings(api), catalog=only(stream), state=first.state)
    assert len(ids(quiet, stream)) >= 1
    for window in ({"end_date": "2025-02-01"}, {"start_date": "2030-01-01"}):  # it is in none of them
        run(TapBilling, settings(api, **window), catalog=only(stream), state=first.state)
    assert "nothing came" not in caplog.text
    state = first.state
    state["bookmarks"][stream]["replication_key_value"] = beyond = 10**12
    output = run(TapBilling, settings(api), catalog=only(stream), state=state)
    assert not ids(output, stream)
    assert f"{stream}: nothing came, not even the row of the bookmark ({beyond})" in caplog.text


@pytest.mark.parametrize("stream", BY_ID)
def test_start_date_bounds_the_first_run_by_id(api, stream):
    """It is asked for a day early, on the site's clock, and compared with the time of each row."""
    start = datetime(2025, 2, 5, 7, tzinfo=timezone.utc)
    config = settings(api, start_date=start.isoformat())
    output = run(TapBilling, config, catalog=only(stream))
    truth = {
        key: row
        for key, row in expected(api, stream).items()
        if datetime.fromisoformat(row[BY_ID[stream]].replace("Z", "+00:00")) >= start
    }
    assert output.rows(stream) == truth
    assert 0 < len(truth) < len(expected(api, stream))
    sent = queries(api, "events")
    if stream == "events":
        assert all("date_field=created_at&start_datetime=2025-02-04+07%3A00%3A00&" in query for query in sent)
    else:
        assert all("since_date=2025-02-04&" in query for query in sent)
    assert not any("since_id" in query for query in sent)


@pytest.mark.parametrize("stream", BY_ID)
def test_a_catalog_can_ask_for_all_events_again(api, stream):
    first = run(TapBilling, settings(api), catalog=only(stream))
    catalog = only(stream)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"] and entry["tap_stream_id"] == stream:
                item["metadata"]["replication-method"] = "FULL_TABLE"
    second = run(TapBilling, settings(api), catalog=catalog, state=first.state)
    assert second.rows(stream) == expected(api, stream)


def test_an_interrupted_run_of_events_goes_on(api):
    api.fault("status", path="/billing/events.json", query="page=3", status=400)
    tap = TapBilling(config=settings(api, backoff_factor=0), catalog=only("events"))
    with pytest.raises(Exception, match="refused"):
        tap.run()
    state = tap.state
    assert state["bookmarks"]["events"]["replication_key_value"]
    api.clear()
    rest = run(TapBilling, settings(api), catalog=only("events"), state=state)
    assert 0 < len(rest.records["events"]) < 300
    assert max(ids(rest, "events")) == api.data["billing"]["events"][-1]["id"]


def test_two_runs_of_the_components_of_subscriptions(api):
    stream = "subscription_components"
    first = run(TapBilling, settings(api), catalog=only(stream))
    rows = api.data["billing"][stream]
    for row in rows[3:200:9]:
        row["updated_at"] = "2026-05-01T00:00:00-04:00"
    api.clear()
    second = run(TapBilling, settings(api), catalog=only(stream), state=first.state)
    assert first.rows(stream) | second.rows(stream) == expected(api, stream)
    assert len(second.records[stream]) < 30
    assert all("start_datetime=2025-12-" in query for query in queries(api, "components.json"))


@pytest.fixture
def few(api):
    """The sandbox with twelve subscriptions."""
    tables = api.data["billing"]
    tables["subscription_components"] = tables["subscription_components"][:12]
    kept = {f"{row['subscription_id']}/{row['component_id']}" for row in tables["subscription_components"]}
    tables["usages"] = {place: rows for place, rows in tables["usages"].items() if place in kept}
    return api


def test_two_runs_of_usages(few):
    """New ones of components that did not change, by one bookmark, which is a day on the site's clock."""
    catalog = only("usages", "subscription_components")
    first = run(TapBilling, settings(few), catalog=catalog)
    assert first.rows("usages") == expected(few, "usages")
    usages = few.data["billing"]["usages"]
    newest = max((row["created_at"] for rows in usages.values() for row in rows), key=datetime.fromisoformat)
    assert bookmark(first, "usages") == newest
    rows = next(rows for rows in usages.values() if rows)
    later = stamp(datetime.fromisoformat(newest) + timedelta(days=1))
    rows.append({**rows[0], "id": 1, "created_at": later})
    few.clear()
    second = run(TapBilling, settings(few), catalog=catalog, state=first.state)
    assert first.rows("usages") | second.rows("usages") == expected(few, "usages")
    assert len(second.records["usages"]) < 5
    assert bookmark(second, "usages") == later
    since = datetime.fromisoformat(newest).astimezone(timezone.utc) - timedelta(days=1, seconds=300)
    sent = queries(few, "/usages.json")
    assert all(f"since_date={since:%Y-%m-%d}&" in query for query in sent)
    asked = {entry.path for entry in few.requests if entry.path.endswith("/usages.json")}
    assert len(asked) == len(usages)
    assert not any("start_datetime" in query for query in queries(few, "subscriptions_components"))
    kept = {name for name, value in second.state["bookmarks"]["usages"].items() if value is not None}
    assert kept == {"source", "replication_key", "replication_key_value"}, "one bookmark for all lists"


def test_only_metered_and_prepaid_components_are_asked_for_usages(few):
    run(TapBilling, settings(few), catalog=only("usages", "allocations"))
    kinds = {
        f"/billing/subscriptions/{row['subscription_id']}/components/{row['component_id']}": row["kind"]
        for row in few.data["billing"]["subscription_components"]
    }
    for stream, wanted in (
        ("usages", {"metered_component", "prepaid_usage_component"}),
        ("allocations", {"quantity_based_component", "on_off_component", "prepaid_usage_component"}),
    ):
        asked = {entry.path.removesuffix(f"/{stream}.json") for entry in few.requests if stream in entry.path}
        assert asked == {path for path, kind in kinds.items() if kind in wanted}
