"""tap-billing from a bookmark: nothing twice, nothing missed, on the site's clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from api_sandbox.billing import answers
from api_sandbox.billing.api import _PARTS
from api_sandbox.billing.data import stamp
from billing.truth import STREAMS, expected, key_of, requests_of, run, settings
from tap_billing.tap import TapBilling

INCREMENTAL = {
    "customers": "updated_at",
    "subscriptions": "updated_at",
    "invoices": "updated_at",
    "transactions": "created_at",
}
NEW = {
    "customers": {"id": 99_000_001, "email": "neu@mail.example"},
    "subscriptions": {"id": 99_000_002, "state": "active"},
    "invoices": {"id": 99_000_003, "uid": "inv_new", "sequence_number": 99_000},
    "coupons": {"id": 99_000_004, "code": "NEW", "archived_at": None},
    "transactions": {"id": 999_000_005, "type": "Payment"},
}


def at(row, field):
    return datetime.fromisoformat(row[field]) if row.get(field) else None


def newest(api, stream):
    field = INCREMENTAL[stream]
    return max(moment for row in api.data["billing"][stream] if (moment := at(row, field)))


def since(api, stream, moment):
    """Keys of the sandbox's rows from a moment on; a row without a time comes only where all do."""
    field = INCREMENTAL[stream]
    rows = api.data["billing"][stream]
    return {key_of(stream, row) for row in rows if row.get(field) and at(row, field) >= moment}


def union(api, *outputs):
    for output in outputs:
        output.check()
    for stream in STREAMS:
        rows = {}
        for output in outputs:
            rows |= output.rows(stream)
        assert rows == expected(api, stream), stream


@pytest.fixture
def first(api):
    """A whole first run."""
    output = run(TapBilling, settings(api))
    api.clear()
    return output


def test_nothing_has_changed(api, first):
    second = run(TapBilling, settings(api, concurrency=1), state=first.state)
    # A second request, and a third where rows came, show that the list has ended, before a bookmark moves.
    counts = requests_of(api)
    assert counts.keys() == {*INCREMENTAL, "coupons"}
    assert counts.pop("coupons") == 4  # which come whole, in two pages, and whose end is shown as well
    assert set(counts.values()) <= {2, 3}
    assert second.state == first.state
    for stream in INCREMENTAL:
        back = timedelta(days=7) if stream == "transactions" else timedelta(seconds=300)
        assert set(second.rows(stream)) == since(api, stream, newest(api, stream) - back)


@pytest.mark.parametrize("cap", [None, 60])
def test_changes_between_two_runs(api, cap):
    if cap:
        api.fault("page_cap", size=cap)
    first = run(TapBilling, settings(api))
    tables = api.data["billing"]
    for number, stream in enumerate(STREAMS):
        moment = datetime(2026, 5, 1, 3, tzinfo=timezone.utc) + timedelta(minutes=number)
        new = {**NEW[stream], "created_at": stamp(moment), "updated_at": stamp(moment)}
        if stream == "transactions":
            del new["updated_at"]
        else:
            for row in tables[stream][5:205:8]:
                row["updated_at"] = stamp(moment - timedelta(minutes=30))
        if stream == "invoices":
            new |= {part: [] for part in _PARTS}
        tables[stream].append(new)
    api.requests.clear()
    second = run(TapBilling, settings(api), state=first.state)
    union(api, first, second)
    counts = requests_of(api)
    counts["invoices"] -= 2  # those that were issued since, and that there are no more
    assert all(counts[stream] <= (4 if cap else 3) for stream in INCREMENTAL)
    assert {len(second.rows(stream)) for stream in STREAMS[:3]} <= {26, 27, 28}


def test_A06_a_page_size_that_was_lowered_since(api, first):
    """Pages are half as long as the last run has seen; the first of them is not taken for all."""
    for row in api.data["billing"]["customers"][:150]:
        row["updated_at"] = "2026-05-01T00:00:00-04:00"
    api.fault("page_cap", size=100)
    union(api, first, run(TapBilling, settings(api), state=first.state))


def test_A02_a_list_that_ignored_paging_once(api):
    """Its one page was longer than any page can be, and says nothing of the size of pages."""
    customers = api.data["billing"]["customers"]
    customers += [{**row, "id": row["id"] + 10**6} for row in customers[:200]]
    api.fault("ignore_paging")
    first = run(TapBilling, settings(api))
    api.clear()
    for row in customers:
        row["updated_at"] = "2026-05-01T00:00:00-04:00"
    union(api, first, run(TapBilling, settings(api), state=first.state))


@pytest.mark.parametrize("stream", ["subscriptions", "invoices", "customers"])
def test_a_row_that_changes_while_the_list_is_read(api, stream):
    """It keeps its place, so that no other row slips to a page that was read before."""
    soon = (datetime.now(timezone.utc) + timedelta(seconds=1)).isoformat(timespec="seconds")
    path = f"/billing/{stream}.json"
    for number, row in ((1, 0), (2, 209)):
        api.change(
            api="billing",
            resource=stream,
            op="update",
            at=row,
            set={"updated_at": soon},
            after=number,
            path=path,
        )
    first = run(TapBilling, settings(api, concurrency=1))
    second = run(TapBilling, settings(api), state=first.state)
    assert len(first.rows(stream)) == len(expected(api, stream))
    union(api, first, second)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("rows", [[0], [150, 30, 7]])
def test_rows_deleted_while_the_list_is_read(api, stream, rows):
    """Those behind them move up past the page's edge; pages overlap, so that it is seen."""
    stay = {key_of(stream, row) for row in api.data["billing"][stream]}
    for at in rows:
        stay.discard(key_of(stream, api.data["billing"][stream][at]))
        path = f"/billing/{stream}.json"
        api.change(api="billing", resource=stream, op="delete", at=at, after=1, path=path)
    assert stay <= set(run(TapBilling, settings(api)).rows(stream))


ONE = datetime(2025, 11, 2, 5, tzinfo=timezone.utc)
"""01:00 on the site's clock, for the first time of that night; an hour later it is 01:00 again."""


@pytest.mark.parametrize("reached", [10, 55, 70, 115])
@pytest.mark.parametrize("later", [0, 40])
@pytest.mark.parametrize("lookback", [0, 100_000])
@pytest.mark.parametrize("fold", [0, 1])
def test_the_night_when_clocks_are_set_back(night, monkeypatch, reached, later, lookback, fold):
    """A time of that hour names two moments; the API can take it for the first or the second."""
    api, rows = night
    read = answers.moment
    monkeypatch.setattr(answers, "moment", lambda *of: read(*of).replace(fold=fold))
    rows[0]["updated_at"] = stamp(ONE + timedelta(minutes=reached))
    rows[1]["updated_at"] = stamp(ONE - timedelta(days=3))
    first = run(TapBilling, settings(api, lookback=lookback))
    rows[1]["updated_at"] = stamp(ONE + timedelta(minutes=reached + later))
    second = run(TapBilling, settings(api, lookback=lookback), state=first.state)
    assert second.rows("customers")[(rows[1]["id"],)]["updated_at"] == rows[1]["updated_at"]


@pytest.mark.parametrize("reached", ["2025-11-02T12:00:00-05:00", "2026-03-08T12:00:00-04:00"])
def test_a_look_back_over_a_change_of_clocks(night, reached):
    api, rows = night
    rows[0]["updated_at"] = reached
    moment = datetime.fromisoformat(reached) - timedelta(days=2)
    rows[1]["updated_at"] = stamp(moment)
    config = settings(api, lookback=2 * 24 * 3600)
    first = run(TapBilling, config)
    second = run(TapBilling, config, state=first.state)
    assert set(second.rows("customers")) == {(row["id"],) for row in rows}


@pytest.fixture
def night(api):
    """The sandbox with two customers and nothing else."""
    tables = api.data["billing"]
    rows = tables["customers"][:2]
    tables |= {stream: [] for stream in STREAMS}
    tables["customers"] = rows
    return api, rows


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Pacific/Pago_Pago", "Pacific/Auckland", "Asia/Kolkata"]
)
@pytest.mark.parametrize("start", ["2025-08-01", "2025-08-01T07:30:00+09:00"])
def test_start_date_bounds_the_first_run(api, monkeypatch, zone, start):
    """Whatever the site's zone, which nothing says: the bound is asked for early, older rows dropped."""
    monkeypatch.setattr(answers, "SITE_ZONE", ZoneInfo(zone))
    moment = datetime.fromisoformat(start.replace("Z", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    for stream, field in INCREMENTAL.items():
        api.data["billing"][stream][0][field] = moment.isoformat()  # the bound is included
    output = run(TapBilling, settings(api, start_date=start))
    output.check()
    for stream in INCREMENTAL:
        assert set(output.rows(stream)) == since(api, stream, moment)
        assert len(output.rows(stream)) < len(api.data["billing"][stream])
    assert output.rows("coupons") == expected(api, "coupons")


def test_start_date_in_the_future(api):
    output = run(TapBilling, settings(api, start_date="2099-01-01"))
    assert set(output.records) == {"coupons"}
    assert set(output.schemas) == set(STREAMS)


def test_bounds_are_written_as_the_site_reads_them(api, first):
    run(TapBilling, settings(api, lookback=0), state=first.state)
    entry = api.matching("/billing/customers.json")[0]
    day_before = newest(api, "customers").astimezone(timezone.utc) - timedelta(days=1)
    assert f"start_datetime={day_before:%Y-%m-%d+%H%%3A%M%%3A%S}&" in entry.query
    entry = api.matching("/billing/transactions.json")[0]
    day_before = newest(api, "transactions").astimezone(timezone.utc) - timedelta(days=1)
    assert f"since_date={day_before:%Y-%m-%d}&" in f"{entry.query}&"


@pytest.mark.parametrize("stream", ["customers", "transactions"])
@pytest.mark.parametrize("zones", [("Pacific/Auckland", "America/Los_Angeles"), ("Asia/Kolkata", "UTC")])
def test_A11_a_site_that_is_moved_to_another_zone(api, monkeypatch, stream, zones):
    """The bound is read on the new clock, whatever zone the bookmark was made in."""
    before, after = map(ZoneInfo, zones)
    field, tables = INCREMENTAL[stream], api.data["billing"]
    row = tables[stream][0]
    tables |= {name: [] for name in STREAMS}
    made = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
    monkeypatch.setattr(answers, "SITE_ZONE", before)
    tables[stream] = [{**row, field: made.astimezone(before).isoformat()}]
    first = run(TapBilling, settings(api))
    monkeypatch.setattr(answers, "SITE_ZONE", after)
    moments = [made + timedelta(hours=hours) for hours in range(20)]
    tables[stream] = [
        {**row, "id": number, field: moment.astimezone(after).isoformat()}
        for number, moment in enumerate(moments, start=1)
    ]
    second = run(TapBilling, settings(api), state=first.state)
    assert second.rows(stream).keys() == {(number,) for number in range(1, 21)}


def test_a_bookmark_in_utc_says_nothing_of_the_site(night):
    """Some answers are in UTC; the site can be anywhere all the same."""
    api, rows = night
    rows[0]["updated_at"] = "2026-03-01T12:00:00Z"
    rows[1]["updated_at"] = "2026-02-01T12:00:00Z"
    first = run(TapBilling, settings(api))
    rows[1]["updated_at"] = "2026-03-01T12:00:01Z"
    second = run(TapBilling, settings(api), state=first.state)
    assert (rows[1]["id"],) in second.rows("customers")


def test_an_interrupted_run_goes_on(api):
    """Transactions come in order: what was written of them is not read again."""
    fault = api.fault("status", path="/billing/transactions.json", query="page=4", status=400)
    tap = TapBilling(config=settings(api, backoff_factor=0))
    with pytest.raises(Exception, match="refused"):
        tap.run()
    assert fault.hits == 1
    state = tap.state
    assert state["bookmarks"]["transactions"]["replication_key_value"]
    api.clear()
    output = run(TapBilling, settings(api), state=state)
    rows = [row["id"] for row in api.data["billing"]["transactions"]][600:]
    assert {(row,) for row in rows} <= set(output.rows("transactions"))
    assert len(output.rows("transactions")) < len(api.data["billing"]["transactions"]) - 500
