"""Lists whose rows of one moment come in another order with every request, without an order that is known."""

from __future__ import annotations

import random

import pytest

from json_api import cut, numbered
from lists import read
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

ROWS, TIED, PAGE = 600, 12, 60


class Shuffled:
    """A list of groups of tied rows."""

    def __init__(self, stream, seed, *, tied=TIED, rows=ROWS, page=PAGE):
        self.stream, self.random, self.tied = stream, random.Random(seed), tied
        self.rows = [{"id": number if stream != "campaigns" else str(number)} for number in range(rows)]
        self.requests, self.page = 0, page

    def __call__(self, path, query):
        self.requests += 1
        places = {
            row["id"]: (place // self.tied, self.random.random()) for place, row in enumerate(self.rows)
        }
        rows = sorted(self.rows, key=lambda row: places[row["id"]])
        if self.stream == "payment_profiles":
            return [{"payment_profile": row} for row in numbered(rows, query, cap=self.page)]
        return {self.stream: cut(rows, query, cap=self.page)}


TAPS = {"users": TapEvents, "campaigns": TapRewards, "payment_profiles": TapBilling}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("tied", [3, 4, 5, TIED, PAGE // 3])
@pytest.mark.parametrize("stream", TAPS)
def test_tied_rows_that_trade_places_over_the_end_of_a_page_all_come(stream, tied, seed):
    server = Shuffled(stream, seed, tied=tied)
    output = read(TAPS[stream], [stream], server)
    assert {int(row["id"]) for row in output.records[stream]} == set(range(ROWS))
    assert server.requests < 3 * ROWS / PAGE


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rows", [2 * PAGE + 5, 6 * PAGE + 40, 3 * PAGE + 3])
@pytest.mark.parametrize("stream", TAPS)
def test_tied_rows_all_come_where_the_last_page_is_a_short_one(stream, rows, seed):
    server = Shuffled(stream, seed, tied=10, rows=rows)
    output = read(TAPS[stream], [stream], server)
    assert {int(row["id"]) for row in output.records[stream]} == set(range(rows))
    assert server.requests < 4 * rows / PAGE + 4


@pytest.mark.parametrize("apart", [3, 40, 150])
@pytest.mark.parametrize("stream", TAPS)
def test_rows_that_come_twice_in_a_list_are_no_others_that_moved(stream, apart):
    """As a join makes them; the list stays as it is."""
    server = Shuffled(stream, 0, tied=1, rows=200)
    for at in range(0, 200, 2):
        server.rows.insert(min(len(server.rows), at + apart), server.rows[at])
    order = list(server.rows)

    def handle(path, query):
        server.requests += 1
        if stream == "payment_profiles":
            return [{"payment_profile": row} for row in numbered(order, query, cap=PAGE)]
        return {stream: cut(order, query, cap=PAGE)}

    output = read(TAPS[stream], [stream], handle)
    assert {int(row["id"]) for row in output.records[stream]} == set(range(200))
    assert server.requests < 25


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tied", [PAGE - 10, ROWS])
@pytest.mark.parametrize("stream", TAPS)
def test_more_rows_than_can_be_looked_at_that_trade_places_fail_by_name(stream, tied, seed):
    """All in one group: the list has no order at all."""
    why = "(More rows than half a page has trade places|The API sends rows that don't follow on those before)"
    with pytest.raises(ApiError, match=f"{stream}: {why}"):
        read(TAPS[stream], [stream], Shuffled(stream, seed, tied=tied))


@pytest.mark.parametrize("stream", ["users", "campaigns"])
def test_a_checkpoint_on_a_page_that_was_read_once_more_counts_no_row_behind_it(stream):
    output = read(TAPS[stream], [stream], Shuffled(stream, 0, rows=5 * ROWS))
    states = [message["value"] for message in output.messages if message["type"] == "STATE"]
    entries = [state["bookmarks"][stream]["checkpoint"] for state in states]
    places = [(entry[0]["query"]["offset"], entry[0]["before"]) for entry in entries if entry]
    assert len(places) > 1
    assert all(before <= offset for offset, before in places)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("stream", TAPS)
def test_rows_that_all_change_place_once_are_not_taken_for_no_order_at_all(stream, seed):
    """As where twenty are renamed in a list by name. What goes to where others were read can't be seen."""
    page = 200 if stream == "payment_profiles" else 100
    server, rand = Shuffled(stream, seed, tied=1, rows=3 * page, page=page), random.Random(seed)
    moved = rand.sample(server.rows, 20)

    def renamed(path, query):
        if server.requests == 1:
            for row in moved:
                server.rows.remove(row)
                server.rows.insert(rand.randrange(len(server.rows)), row | {"name": "another"})
        return server(path, query)

    output = read(TAPS[stream], [stream], renamed)
    stayed = {row["id"] for row in server.rows if "name" not in row}
    assert stayed <= {row["id"] for row in output.records[stream]}
    assert server.requests < 15


@pytest.mark.parametrize("stream", TAPS)
def test_where_rows_are_inserted_it_is_looked_for_ties_a_few_times_only(stream):
    """A row on top with each third request."""
    server = Shuffled(stream, 0, tied=1, rows=5 * ROWS)

    def inserting(path, query):
        if server.requests % 3 == 2:
            number = 5 * ROWS + server.requests
            server.rows.insert(0, {"id": number if stream != "campaigns" else str(number)})
        return server(path, query)

    output = read(TAPS[stream], [stream], inserting, config={"concurrency": 1})  # none is sent for nothing
    assert {int(row["id"]) for row in output.records[stream]} >= set(range(5 * ROWS))
    # A look at each end would double them; numbered pages take a fifth more than others without any.
    assert server.requests < 1.5 * len(server.rows) / (PAGE - 1)


@pytest.mark.parametrize("moved", [1, 3])
@pytest.mark.parametrize("stream", TAPS)
def test_a_row_that_is_moved_on_as_it_is_does_not_hide_that_others_moved_up(stream, moved):
    """Rows from the top go to the next page without a change, while as many and five more are gone."""
    page = 200 if stream == "payment_profiles" else 100
    server = Shuffled(stream, 0, tied=1, rows=4 * page, page=page)

    def moving(path, query):
        if server.requests == 1:
            rows = server.rows
            rows[page + page // 2 : page + page // 2] = rows[:moved]
            del rows[:moved], rows[20:25]
        return server(path, query)

    output = read(TAPS[stream], [stream], moving)
    assert {row["id"] for row in server.rows} <= {row["id"] for row in output.records[stream]}
    assert server.requests < 15
