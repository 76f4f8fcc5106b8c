"""Pages that come in pieces, as the server can't send them at once: the pieces join as pages do."""

from __future__ import annotations

import json

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from lists import BY_OFFSET, moment, only, rows_of, settings
from support import run
from tap_billing.tap import TapBilling
from tap_rewards.tap import TapRewards
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
def test_H04_a_page_that_is_too_large_for_the_server_comes_in_pieces(stream):
    """413, as some gateways say."""
    tap, answer, key = LISTS[stream]
    rows = dated(rows_of(stream, 150), key)

    def handle(_, query):
        body, asked = answer(rows, query)
        return (413, {}) if asked > 25 else body

    with JsonApi(handle) as api:
        output = run(tap, settings(api, max_retries=0), catalog=only(tap, stream))
    assert {str(row["id"]) for row in output.records[stream]} == {str(n) for n in range(150)}


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


@pytest.mark.parametrize("bad", [99, 198, 199])
@pytest.mark.parametrize("stream", LISTS)
def test_H04_a_bad_row_at_the_end_of_a_page_is_named_once(tmp_path, stream, bad):
    """The next page begins with the last row that came, and would hold the bad one too."""
    tap, answer, key = LISTS[stream]
    rows = dated(rows_of(stream, 250), key)

    def handle(_, query):
        body, _ = answer(rows, query)
        return (500, {}) if f'"id": {json.dumps(rows[bad]["id"])}' in json.dumps(body) else body

    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream))
    assert {str(row["id"]) for row in output.records[stream]} == {str(n) for n in range(250)} - {str(bad)}
    (line, _) = said(output)
    assert f"the server can't send row {bad + 1} of the list" in line


NO_UTF_8 = b'{"topups": [{"id": "Caf\xe9"}]}'


def topups(rows, query, bad, page=10, answer=(500, {})):
    """A page whose size is the server's own; it can't be had if it holds a bad row."""
    found = cut(rows, {"offset": query.get("offset", 0), "limit": page})
    return answer if {int(row["id"]) for row in found} & {*bad} else {"topups": found}


@pytest.mark.parametrize("answer", [NO_UTF_8, (500, {})])
@pytest.mark.parametrize("page", [3, 10, 25])
@pytest.mark.parametrize("bad", [50, 99, 118, 297, 299])
def test_H04_a_bad_row_of_a_list_without_a_page_size_costs_itself(tmp_path, bad, page, answer):
    rows = rows_of("topups", 300)
    with JsonApi(lambda _, query: topups(rows, query, [bad], page, answer)) as api:
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, "topups"))
        assert len(api.paths) < 300 / (page - 1) + 50
    assert output.code == 2
    assert {row["id"] for row in output.records["topups"]} == {str(n) for n in range(300)} - {str(bad)}
    *losses, _ = said(output)
    assert {line.partition(";")[0] for line in losses} == {
        f"topups: the server can't send row {bad + 1} of the list"
    }


@pytest.mark.parametrize("bad", [(0,), (3,), (9,), (12, 15), (12, 25), (100, 101, 102)])
def test_H04_of_a_list_without_a_page_size_all_comes_that_a_page_without_a_bad_row_holds(tmp_path, bad):
    """Those before a bad row of the first page, and those between two of one page, are named with them."""
    rows, had = rows_of("topups", 300), set()
    for begin in range(300):
        page = {*range(begin, min(begin + 10, 300))}
        had |= set() if page & {*bad} else page
    with JsonApi(lambda _, query: topups(rows, query, bad)) as api:
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, "topups"))
    assert {int(row["id"]) for row in output.records["topups"]} == had
    *losses, _ = said(output)
    first, *_ = sorted(set(range(300)) - had)
    assert f"can't send row {first + 1} of the list" in losses[0]


@pytest.mark.parametrize("when", range(8, 26))
@pytest.mark.parametrize("change", ["deleted", "inserted"])
def test_H04_rows_that_move_around_a_bad_row_without_a_page_size_are_read(tmp_path, change, when):
    rows = rows_of("topups", 60)

    def handle(_, query):
        if len(api.paths) == when:
            rows[3:4] = [] if change == "deleted" else [rows[3], {"id": "1000"}]
        return topups(rows, query, [46])

    with JsonApi(handle) as api:
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, "topups"))
    assert output.code == 2
    assert {row["id"] for row in output.records["topups"]} >= {row["id"] for row in rows} - {"46", "1000"}


def test_H04_a_list_without_a_page_size_that_fails_from_a_place_on_has_failed(tmp_path):
    rows = rows_of("topups", 60)
    with JsonApi(lambda _, query: topups(rows, query, range(20, 60))) as api:
        output = call(TapRewards, tmp_path, url=api.url, catalog=select(TapRewards, "topups"))
        assert len(api.paths) < 90
    assert output.code == 2
    assert len(output.records["topups"]) == 20
