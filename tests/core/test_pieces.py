"""Pages that come in pieces, as the server can't send them at once: the pieces join as pages do."""

from __future__ import annotations

import pytest

from json_api import JsonApi, cut, numbered
from lists import BY_OFFSET, moment, only, rows_of, settings
from support import run
from tap_billing.tap import TapBilling
from tap_scheduling.tap import TapScheduling


def customers(rows, query):
    return [{"customer": row} for row in numbered(rows, query)], int(query["per_page"])


def bookings(rows, query):
    rows = [] if "afterStart" in query else [{**row, "uid": f"u{row['id']}"} for row in rows]
    return {"status": "success", "data": cut(rows, query, start="skip", size="take")}, int(query["take"])


def of(stream):
    return lambda rows, query: ({stream: cut(rows, query)}, int(query["limit"]))


LISTS = {
    "customers": (TapBilling, customers, "updated_at"),
    "bookings": (TapScheduling, bookings, "updatedAt"),
    **{stream: (tap, of(stream), None) for stream, tap in BY_OFFSET.items()},
}


def dated(rows, key):
    return [{**row, key: moment(int(row["id"]))} if key else row for row in rows]


@pytest.mark.parametrize("when", [2, 3, 4, 6, 9])
@pytest.mark.parametrize("most", [12, 25, 50])
@pytest.mark.parametrize("stream", LISTS)
def test_H04_rows_deleted_while_a_page_comes_in_pieces_take_no_other_with_them(stream, most, when):
    tap, answer, key = LISTS[stream]
    rows = dated(rows_of(stream, 150), key)
    came = {"pieces": 0}

    def handle(_, query):
        body, asked = answer(rows, query)
        if asked > most:
            return 504, {}
        came["pieces"] += 1
        if came["pieces"] == when:
            del rows[3]
        return body

    with JsonApi(handle) as api:
        output = run(tap, settings(api, max_retries=0), catalog=only(tap, stream))
    assert {str(row["id"]) for row in output.records[stream]} >= {str(n) for n in range(150)} - {"3"}


@pytest.mark.parametrize("stream", LISTS)
def test_H04_a_passing_outage_of_one_page_while_rows_are_deleted(stream):
    tap, answer, key = LISTS[stream]
    rows = dated(rows_of(stream, 450), key)
    requests = {"count": 0}

    def handle(_, query):
        requests["count"] += 1
        if requests["count"] in {2, 3}:
            return 503, {}
        if requests["count"] in {5, 6, 7}:
            del rows[0]
        return answer(rows, query)[0]

    with JsonApi(handle) as api:
        output = run(tap, settings(api, max_retries=1, concurrency=1), catalog=only(tap, stream))
    assert {str(row["id"]) for row in output.records[stream]} >= {str(n) for n in range(3, 450)}
