"""One bad list costs one list, one bad row one row: what is said, what is read, and with which exit code."""

from __future__ import annotations

import json
import re

import pytest

from in_process import call, points, said, select
from json_api import JsonApi, cut, numbered
from lists import only, settings
from support import Output, command, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError, PartlyRead
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling


def events(count, children, *, status=None, bad=()):
    """An events API with some attendees for each event; some events' lists fail."""

    def handle(path, query):
        parts = path.split("/")
        if parts[-1] == "events":
            rows = cut([{"id": number} for number in range(1, count + 1)], query)
            return {"events": rows, "pagination": [{"total": count}]}
        if int(parts[-2]) in bad:
            kinds = status if isinstance(status, tuple) else (status,)
            return kinds[int(parts[-2]) % len(kinds)], {"message": "sorry"}
        rows = [{"id": int(parts[-2]) * 1000 + number} for number in range(children)]
        return {parts[-1]: cut(rows, query)}

    return JsonApi(handle)


def test_C04_a_list_that_fails_costs_itself(tmp_path):
    with events(5, 3, status=500, bad=(2,)) as api:
        config = settings(api)
        catalog = tmp_path / "catalog.json"
        catalog.write_text(json.dumps(only(TapEvents, "events", "attendees", "tickets")))
        result = command("tap_events", "--catalog", catalog, config=config, folder=tmp_path)
        assert result.returncode == 2
        output = Output(result.stdout)
        assert len(output.records["events"]) == 5
        for stream in ("attendees", "tickets"):
            assert {row["id"] // 1000 for row in output.records[stream]} == {1, 3, 4, 5}
        assert result.stderr.rstrip().endswith("partly read: attendees, tickets")
        assert '"partly_read"' in result.stderr
        assert "attendees 2:" in result.stderr
        allowed = command(
            "tap_events", "--catalog", catalog, config={**config, "allow_partial": True}, folder=tmp_path
        )
        assert allowed.returncode == 0
        assert allowed.stderr.rstrip().endswith("partly read: attendees, tickets")


def test_C04_a_stream_that_fails_costs_itself():
    def handle(path, query):
        if path.endswith("customers.json"):
            return 500, {}
        if path.endswith("invoices.json"):
            return {"invoices": []}
        return numbered([], query)

    catalog = only(TapBilling, "customers", "subscriptions", "invoices", "coupons", "transactions")
    with JsonApi(handle) as api, pytest.raises(PartlyRead, match="partly read: customers: ") as failure:
        run(TapBilling, settings(api), catalog=catalog)
    assert failure.value.summary == "partly read: customers"


@pytest.mark.parametrize("others", [(), ("parent",)])
@pytest.mark.parametrize(
    ("tap", "parent", "child", "sound"),
    [
        (TapBilling, "subscription_components", "usages", "customers"),
        (TapEvents, "events", "attendees", "users"),
        (TapScheduling, "teams", "team_memberships", "schedules"),
    ],
)
def test_E_a_parent_that_fails_is_named_with_the_child_that_lacks_rows(
    tmp_path, tap, parent, child, sound, others
):
    def handle(path, query):
        if path.removesuffix(".json").endswith((f"/{parent}", "/subscriptions_components")):
            return 500, {}
        return {"users": []} if tap is TapEvents else {"data": []} if tap is TapScheduling else []

    with JsonApi(handle) as api:
        chosen = select(tap, child, sound, *(parent for _ in others))
        output = call(tap, tmp_path, url=api.url, catalog=chosen)
    assert output.code == 2
    *_, line = said(output)
    assert set(line.removeprefix("partly read: ").split(", ")) == {parent, child}
    (point,) = (point for point in points(output) if point["metric"] == "partly_read")
    assert (point["value"], set(point["tags"]["streams"])) == (2, {parent, child})


@pytest.mark.parametrize("status", [500, 422])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_C04_lists_of_old_parents_that_all_fail_cost_no_other_one(status, concurrency):
    bad = range(1, 41)
    with events(60, 3, status=status, bad=bad) as api:
        config = settings(api, concurrency=concurrency, allow_partial=True)
        output = run(TapEvents, config, catalog=only(TapEvents, "events", "attendees"))
        assert {row["event_id"] for row in output.records["attendees"]} == set(range(41, 61))
        assert sum(api.count(f"/{parent}/attendees") for parent in bad) < 3 * 40  # mostly once each


@pytest.mark.parametrize("status", [500, (500, 502), (503, 500, 504)])
def test_C04_lists_that_all_fail_are_given_up_at_last(status, caplog):
    with events(150, 3, status=status, bad=range(151)) as api:
        config = settings(api, concurrency=1, allow_partial=True)
        run(TapEvents, config, catalog=only(TapEvents, "attendees"))
        assert "attendees: given up, as 100 lists in a row failed alike" in caplog.text
        assert not api.count("/101/attendees")


def test_a_stream_that_the_key_may_not_read_is_given_up(caplog):
    with events(9, 3, status=403, bad=range(10)) as api:
        with pytest.raises(PartlyRead, match="partly read: attendees"):
            run(TapEvents, settings(api), catalog=only(TapEvents, "events", "attendees"))
        assert "attendees: given up, as 3 lists in a row failed alike" in caplog.text
        assert api.count("/4/attendees") <= 20  # the first of those that were sent ahead


def test_E05_more_than_half_of_the_parents_gone_is_a_failure(caplog):
    with events(12, 3, status=404, bad=range(7)) as api:
        with events(12, 3, status=404, bad=range(3)) as few:
            run(TapEvents, settings(few), catalog=only(TapEvents, "events", "attendees"))
        assert "attendees: 2 of 12 parents were gone" in caplog.text
        api.answer = events(12, 3, status=404, bad=range(8)).answer
        with pytest.raises(PartlyRead, match="attendees: 7 of 12 parents were gone"):
            run(TapEvents, settings(api), catalog=only(TapEvents, "events", "attendees"))


def customers(count):
    return [
        {"customer": {"id": number, "updated_at": f"2026-01-01T00:{number // 60:02}:{number % 60:02}-05:00"}}
        for number in range(count)
    ]


def test_H04_a_page_too_heavy_is_read_by_halves():
    def handle(path, query):
        if int(query["per_page"]) > 100:
            return 504, {}
        return numbered(customers(350), query)

    with JsonApi(handle) as api:
        output = run(TapBilling, settings(api), catalog=only(TapBilling, "customers"))
        assert [row["id"] for row in output.records["customers"]] == list(range(350))
        # The size that works is kept: the second page is not tried at full size again.
        assert api.count("per_page=200") + api.count("per_page=199") == 2
    assert output.state["bookmarks"]["customers"]["replication_key_value"].endswith("00:05:49-05:00")


BOOKINGS = [
    {
        "id": number,
        "uid": f"u{number}",
        "createdAt": f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z",
        "updatedAt": f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z",
    }
    for number in range(250)
]


@pytest.mark.parametrize("row", [0, 50, 99, 120, 249])
def test_H04_a_row_that_the_server_cannot_send_is_named_and_the_rest_is_read(row):
    def handle(path, query):
        begin, size = int(query["skip"]), int(query["take"])
        if begin <= row < begin + size:
            return 500, {}
        return {"status": "success", "data": BOOKINGS[begin : begin + size]}

    with JsonApi(handle) as api:
        failure = None
        try:
            output = run(TapScheduling, settings(api), catalog=only(TapScheduling, "bookings"))
        except PartlyRead as error:
            failure = error
        assert f"can't send row {row + 1} of the list" in str(failure)
        output = partly(TapScheduling, api, "bookings")
    assert {found["id"] for found in output.records["bookings"]} == set(range(250)) - {row}
    assert output.state["bookmarks"]["bookings"]["replication_key_value"] is None


def partly(tap, api, *streams, **more):
    """What a run wrote that ended with a part."""
    return run(tap, settings(api, allow_partial=True, **more), catalog=only(tap, *streams))


def test_H04_a_server_that_fails_for_every_row_has_failed():
    with JsonApi(lambda path, query: (500, {})) as api:
        with pytest.raises(ApiError, match=r"bookings.*failed 2 times"):
            run(TapScheduling, settings(api), catalog=only(TapScheduling, "bookings"))
        assert len(api.paths) < 20


@pytest.mark.parametrize("bad", [{"updated_at": "2026-01-01T00:09:00-05:00"}, {"id": ""}, {"id": None}])
def test_I05_I01_a_row_without_its_key_costs_itself(bad, caplog):
    """The bookmark stays, as for all that could not be read: it may have its key when it comes again."""
    rows = customers(30)
    rows[7] = {"customer": bad}
    with JsonApi(lambda path, query: numbered(rows, query)) as api:
        with pytest.raises(PartlyRead, match="customers: the API sent a record without its key `id`"):
            run(TapBilling, settings(api), catalog=only(TapBilling, "customers"))
        output = partly(TapBilling, api, "customers")
    assert len(output.records["customers"]) == 29
    assert output.state["bookmarks"]["customers"]["replication_key_value"] is None


def test_E10_a_null_among_the_records_is_named():
    rows = [{"id": "a"}, None, {"id": "b"}]
    with JsonApi(lambda path, query: {"campaigns": cut(rows, query)}) as api:
        with pytest.raises(PartlyRead, match="campaigns: the API sent"):
            run(TapRewards, settings(api), catalog=only(TapRewards, "campaigns"))
        assert [row["id"] for row in partly(TapRewards, api, "campaigns").records["campaigns"]] == ["a", "b"]


@pytest.mark.parametrize("status", [403, 404, 422])
def test_a_list_that_may_be_missing_is_a_failure_once_it_was_read_and_moves_no_bookmark(status, caplog):
    state = {
        "bookmarks": {
            "transactions": {"replication_key": "created_at", "replication_key_value": "2026-01-01"}
        }
    }

    def handle(path, query):
        return (status, {}) if path.endswith("transactions.json") else numbered([], query)

    catalog = only(TapBilling, "transactions", "coupons")
    with JsonApi(handle) as api:
        run(TapBilling, settings(api), catalog=catalog)
        assert caplog.text.count("has no such list") == 1
        output = run(TapBilling, settings(api, allow_partial=True), state=state, catalog=catalog)
    assert output.state["bookmarks"]["transactions"]["replication_key_value"] == "2026-01-01"
    assert "partly read: transactions" in caplog.text


def test_K03_exit_codes(tmp_path):
    with JsonApi(lambda path, query: (404, {})) as api:
        config = settings(api)
        assert command("tap_rewards", config=config, folder=tmp_path).returncode == 1  # nothing was read
        assert command("tap_rewards", "--nonsense", config=config, folder=tmp_path).returncode == 1
        config["concurrency"] = "many"
        assert command("tap_rewards", config=config, folder=tmp_path).returncode == 1


def test_page_size_only_lowers():
    rows = [{"id": str(number)} for number in range(30)]
    for size, asked in ((10, 10), (5000, 100)):
        with JsonApi(lambda path, query: {"campaigns": cut(rows, query)}) as api:
            output = run(TapRewards, settings(api, page_size=size), catalog=only(TapRewards, "campaigns"))
            assert len(output.records["campaigns"]) == 30
            assert api.count(f"limit={asked}") >= 1
            assert not api.count("limit=5000")


def test_an_answer_of_two_streams_is_fetched_once():
    rows = [{"id": str(number)} for number in range(3)]
    streams = ("account_members", "members")
    with JsonApi(lambda path, query: {"members": cut(rows, query)}) as api:
        output = run(TapRewards, settings(api), catalog=only(TapRewards, *streams))
        both = len(api.paths)
    with JsonApi(lambda path, query: {"members": cut(rows, query)}) as api:
        run(TapRewards, settings(api), catalog=only(TapRewards, "members"))
        assert both == len(api.paths)
    assert len(output.records["members"]) == len(output.records["account_members"]) == 3


def test_C04_a_server_that_no_longer_answers_ends_the_run(tmp_path):
    with events(3, 2) as api:
        lively, dead = api.answer, []

        def dies(path, sock):
            dead.extend([path] if "attendees" in path else [])
            return None if dead else lively(path, sock)

        api.answer = dies
        catalog = tmp_path / "catalog.json"
        catalog.write_text(json.dumps(only(TapEvents, "events", "attendees", "users")))
        config = settings(api, concurrency=1)
        result = command("tap_events", "--catalog", catalog, config=config, folder=tmp_path)
        assert result.returncode == 2
        assert re.search(r"partly read: .*attendees", result.stderr.rstrip().splitlines()[-1])
        assert len({path.partition("?")[0] for path in api.paths}) <= 6
