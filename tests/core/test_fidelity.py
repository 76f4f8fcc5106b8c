"""What comes out of a tap is what the API sent, digit by digit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from support import KEY, run
from tap_core.records.codec import UNMAPPED
from tap_events.tap import TapEvents

NO_CHILDREN = '{"attendees": [], "tickets": [], "transactions": []}'


VALUES = {
    "64 bits": "9223372036854775807",
    "more than 64 bits": "123456789012345678901234567890",
    "38 digits": "12345678901234567890.123456789012345678",
    "trailing zeros": "1.10",
    "4-byte characters": '"😀 🎟️"',
    "NUL": '"a\\u0000b"',
    "lone surrogate": '"a\\ud800b"',
    "line separators": '"a\u2028b\u0085c"',
    "offset": '"2026-03-14T09:26:53-04:00"',
}


@pytest.mark.parametrize("case", VALUES)
def test_what_comes_out_is_what_the_api_sent(api, reliability, case):
    body = f'{{"events": [{{"id": 1, "extra": {VALUES[case]}}}]}}'
    api.fault("raw_body", path="/events/v1/events$", body=body)
    api.fault("raw_body", path="/events/v1/events/1/", body=NO_CHILDREN)
    output = run(TapEvents, {"api_url": f"{api.url}/events", "api_key": KEY})
    (line,) = (line for line in output.text.split("\n") if '"stream":"events","record"' in line)
    sent = json.loads(VALUES[case], parse_float=str, parse_int=str)
    record = json.loads(line, parse_float=str, parse_int=str)["record"]
    assert record[UNMAPPED] == {"extra": sent}
    reliability("Fidelity", case, "what comes out is what the API sent")


@pytest.mark.parametrize("word", ["NaN", "-Infinity", "sNaN"])
def test_words_for_no_number_are_kept(api, word):
    tickets = f'{{"tickets": [{{"id": 1, "price": 2.50, "title": "NaN"}}, {{"id": 2, "price": "{word}"}}]}}'
    api.fault("raw_body", path="/events/v1/events$", body='{"events": [{"id": 7}]}')
    api.fault("raw_body", path="/events/v1/events/7/tickets", body=tickets)
    api.fault("raw_body", path="/events/v1/events/7/", body=NO_CHILDREN)
    first, second = run(TapEvents, {"api_url": f"{api.url}/events", "api_key": KEY}).records["tickets"]
    assert first == {"event_id": 7, "id": 1, "price": Decimal("2.50"), "title": "NaN"}
    assert second == {"event_id": 7, "id": 2, UNMAPPED: {"price": word}}


def test_unmapped_column_can_be_turned_off(api):
    body = '{"events": [{"id": 1, "extra": 2}]}'
    api.fault("raw_body", path="/events/v1/events$", body=body)
    api.fault("raw_body", path="/events/v1/events/1/", body=NO_CHILDREN)
    config = {"api_url": f"{api.url}/events", "api_key": KEY, "unmapped_column": False}
    output = run(TapEvents, config)
    assert UNMAPPED not in output.schemas["events"][0]["schema"]["properties"]
    assert output.records["events"] == [{"id": 1}]
