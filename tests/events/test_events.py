"""tap-events against the sandbox: every row and value, whatever the server does."""

from __future__ import annotations

import re
from decimal import Decimal
from random import Random

import pytest
from singer_sdk.testing import get_tap_test_class

from api_sandbox import Sandbox
from api_sandbox.events.data import generate
from in_process import select
from support import KEY, run
from tap_core.errors import ApiError
from tap_core.paging.evidence import ALIKE
from tap_core.plan import NEEDLESS
from tap_events.tap import TapEvents

CHILDREN = ("attendees", "tickets", "donations", "transactions")


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/events", "api_key": KEY}


@pytest.fixture(scope="module")
def _small():
    with Sandbox(data={"events": generate(Random(4), events=40)}) as sandbox:
        yield sandbox


@pytest.fixture
def small(_small):
    """A sandbox with few events."""
    _small.clear()
    return _small


@pytest.fixture
def few(small):
    """The settings that read it."""
    return {"api_url": f"{small.url}/events", "api_key": KEY}


def expected(api, stream):
    """The sandbox's rows as the tap should emit them: numbers as numbers, parents' ids filled in."""
    tables = api.data["events"]
    rows = {}
    if stream not in CHILDREN:
        return {(row["category" if stream == "categories" else "id"],): row for row in tables[stream]}
    for event_id, children in tables[stream].items():
        for child in children:
            row = dict(child)
            if stream == "transactions":
                row["parent_event_id"] = event_id
            elif row.get("event_id") is None:
                row["event_id"] = event_id
            for answer in row.get("questions") or ():
                if "question" in answer:  # the other name that the API has for it
                    row["questions"] = [
                        {"questions": a["question"], "answer": a["answer"]} for a in row["questions"]
                    ]
                    break
            own = row["donationid" if stream == "donations" else "id"] if stream != "transactions" else None
            rows[(row["refno"],) if own is None else (event_id, own)] = row
    return rows


def assert_all(output, api, streams=("events", "categories", "users", *CHILDREN)):
    output.check()
    for stream in streams:
        fields = output.schemas[stream][0]["schema"]["properties"]
        truth = {
            key: {name: as_typed(value, fields[name]["type"]) for name, value in row.items()}
            for key, row in expected(api, stream).items()
        }
        assert output.rows(stream) == truth


def as_typed(value, types):
    if isinstance(value, str) and "string" not in types:
        return None if value == "" else Decimal(value)
    return value


def test_all_rows_and_values(api, config):
    output = run(TapEvents, config)
    assert_all(output, api)
    assert len(output.records["events"]) == len(api.data["events"]["events"])
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)


def test_state_does_not_grow_with_parents(config):
    states = [m for m in run(TapEvents, config).messages if m["type"] == "STATE"]
    assert all("partitions" not in bookmark for bookmark in states[-1]["value"]["bookmarks"].values())
    assert sum(len(str(state)) for state in states) < 100_000


@pytest.mark.parametrize("size", [1, 7, 40, 99])
def test_page_cap_below_what_is_asked(small, few, size):
    small.fault("page_cap", path="/events/v1", size=size)
    assert_all(run(TapEvents, few), small)


def test_first_attempt_of_every_request_fails(small, few):
    small.fault("status", status=503, first_attempts=True)
    assert_all(run(TapEvents, few), small)


def test_paging_ignored(api, config):
    api.fault("ignore_paging")
    output = run(TapEvents, config)
    assert_all(output, api)
    assert len(output.records["attendees"]) == sum(map(len, api.data["events"]["attendees"].values()))


def test_pagination_as_an_object_or_absent(api, config):
    rows = b'"events": [{"id": 7, "title": "A"}, {"id": 8, "title": null}]'
    for envelope in (b'{"pagination": {"total": 2}, %s}', b"{%s}"):
        api.reset()
        api.fault("raw_body", path="/events/v1/events$", body=(envelope % rows).decode())
        assert [row["id"] for row in run(TapEvents, config).records["events"]] == [7, 8]


def test_empty_account(api, config):
    for status in (400, 404):
        api.reset()
        api.fault("raw_body", path="/events", body='{"message": "No events found"}', status=status)
        output = run(TapEvents, config)
        assert output.records == {}
        assert len(output.schemas) == 7
    api.reset()
    api.fault("raw_body", path="/events/v1/events$", body='{"events": null}')
    assert run(TapEvents, config).records.keys() == {"categories", "users"}


def test_events_deleted_while_their_children_are_read(small, few):
    gone = {event["id"] for event in small.data["events"]["events"][5:8]}
    for event_id in gone:
        body = '{"message": "Event does not exist"}'
        small.fault("raw_body", path=f"/events/v1/events/{event_id}/", body=body, status=404)
    output = run(TapEvents, few)
    output.check()
    assert len(output.records["events"]) == len(small.data["events"]["events"])
    assert {row["event_id"] for row in output.records["attendees"]}.isdisjoint(gone)
    truth = {key: row for key, row in expected(small, "attendees").items() if row["event_id"] not in gone}
    assert output.rows("attendees").keys() == truth.keys()


REPEATED = 10
"""Lengths from ten rows on that more than one list of a stream has, about."""


@pytest.fixture
def large():
    """The account that the sandbox's command serves."""
    with Sandbox() as sandbox:
        yield sandbox


def test_one_request_per_short_list(large):
    config = {"api_url": f"{large.url}/events", "api_key": KEY}
    run(TapEvents, {**config, "concurrency": 1})
    alone = len(large.requests)
    lists = 3 * len(large.data["events"]["events"])
    # Ends that are shown at first; and one of each length that comes twice, which can be a limit.
    assert alone < 1.1 * lists + 3 * ALIKE + 3 * REPEATED
    large.requests.clear()
    run(TapEvents, config)
    assert len(large.requests) <= alone + NEEDLESS, "a few are sent for nothing"


def test_same_bytes_whatever_the_concurrency(small, few):
    small.fault("latency", seconds=0.002, rate=0.5)
    small.fault("status", status=500, rate=0.05)

    def lines(concurrency):
        output = run(TapEvents, {**few, "concurrency": concurrency, "max_retries": 9})
        text = re.sub(
            r'("(began|time_extracted|whole_pass_at|last_pass_at)":)"[^"]*"', r"\1null", output.text
        )
        return text.splitlines()

    assert lines(1) == lines(16)


def test_other_names_for_the_same_fields(small, few):
    event_id = small.data["events"]["events"][0]["id"]
    orders = '{"transactions": [{"transaction_ref": "R-1", "event_id": 5, "transaction_amount": "12.50"}]}'
    people = (
        '{"attendees": [{"id": "77", "questions": [{"question": "Size?", "answer": "M"}]},'
        ' {"id": 78, "refno": "", "transaction_ref": "R-1"}]}'
    )
    small.fault("raw_body", path=f"/events/v1/events/{event_id}/transactions", body=orders)
    small.fault("raw_body", path=f"/events/v1/events/{event_id}/attendees", body=people)
    output = run(TapEvents, few)
    output.check()
    assert output.rows("transactions")["R-1",] == {
        "refno": "R-1",
        "transaction_ref": "R-1",
        "event_id": 5,
        "parent_event_id": event_id,
        "transaction_amount": Decimal("12.50"),
    }
    row = {"id": 77, "event_id": event_id, "questions": [{"questions": "Size?", "answer": "M"}]}
    assert output.rows("attendees")[event_id, 77] == row
    order = {"refno": "R-1", "transaction_ref": "R-1"}
    assert output.rows("attendees")[event_id, 78] == {"id": 78, "event_id": event_id, **order}


def tickets_answered(api, config, body, *streams):
    """A run over the answer of one event's tickets."""
    event_id = api.data["events"]["events"][0]["id"]
    api.data["events"]["events"][1:] = []
    api.fault("raw_body", path=f"/events/v1/events/{event_id}/tickets", body=body)
    return event_id, run(TapEvents, config, catalog=select(TapEvents, "events", *streams))


@pytest.mark.parametrize("streams", [("tickets", "donations"), ("donations",)])
def test_donations_share_the_answer_of_tickets(large, streams):
    config = {"api_url": f"{large.url}/events", "api_key": KEY}
    run(TapEvents, config, catalog=select(TapEvents, *streams))
    asked = [entry for entry in large.requests if entry.path.endswith("/tickets")]
    assert len(asked) < 1.2 * len(large.data["events"]["events"]) + ALIKE  # ends that are shown at first


@pytest.mark.parametrize("donation", ["", *(f', "donation": {none}' for none in ("[]", "null", "{}", '""'))])
def test_no_donations_beside_tickets_are_none(api, config, donation):
    body = f'{{"tickets": [{{"id": 7}}]{donation}}}'
    event_id, output = tickets_answered(api, config, body, "tickets", "donations")
    assert output.rows("tickets").keys() == {(event_id, 7)}
    assert "donations" not in output.records


def test_donations_without_tickets(api, config):
    body = '{"tickets": [], "donation": [{"donationid": 5, "donation_minimum": "7.50"}]}'
    event_id, output = tickets_answered(api, config, body, "donations")
    row = {"event_id": event_id, "donationid": 5, "donation_minimum": Decimal("7.50")}
    assert output.records["donations"] == [row]


def test_an_answer_without_tickets_and_donations_is_a_failure(api, config):
    with pytest.raises(ApiError, match="partly read: donations"):
        tickets_answered(api, {**config, "max_retries": 0}, '{"other": []}', "donations")


@pytest.mark.parametrize("other", ["0", "false", '"none"', '{"message": "none"}', "[[]]", "7.5"])
def test_what_is_no_list_of_donations_fails_them_alone(api, config, other):
    body = f'{{"tickets": [{{"id": 7}}], "donation": {other}}}'
    event_id, output = tickets_answered(
        api, {**config, "max_retries": 0, "allow_partial": True}, body, "tickets", "donations"
    )
    assert output.rows("tickets").keys() == {(event_id, 7)}
    assert "donations" not in output.records


def test_an_answer_is_asked_for_again_that_is_whole_to_one_of_its_streams(api, config):
    donations = api.data["events"]["donations"]
    event_id = next(event for event, rows in donations.items() if rows)
    body = '{"tickets": [], "donation": {"error": "busy"}}'
    api.fault("raw_body", path=f"/events/v1/events/{event_id}/tickets", body=body, times=1)
    output = run(TapEvents, config, catalog=select(TapEvents, "tickets", "donations"))
    assert {row["event_id"] for row in output.records["donations"]} >= {event_id}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_donations_are_read_where_the_tickets_beside_them_fail(api, config, concurrency):
    body = '{"donation": [{"donationid": 5}]}'
    more = {"max_retries": 0, "allow_partial": True, "concurrency": concurrency}
    event_id, output = tickets_answered(api, {**config, **more}, body, "tickets", "donations")
    assert output.rows("donations").keys() == {(event_id, 5)}
    assert "tickets" not in output.records


def test_the_brief_s_header(small, few):
    assert run(TapEvents, {**few, "api_key_header": "api_key"}).records["users"]


_suite_sandbox = Sandbox()
_suite_sandbox.__enter__()


@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestSuite(
    get_tap_test_class(TapEvents, config={"api_url": f"{_suite_sandbox.url}/events", "api_key": KEY})
):
    """The SDK's own tests of a tap."""

    @classmethod
    def teardown_class(cls):
        _suite_sandbox.__exit__(None, None, None)
