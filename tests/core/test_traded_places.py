"""Lists whose rows of one moment come in another order with every request, without an order that is known."""

from __future__ import annotations

import random

import pytest

from json_api import cut, numbered
from lists import read
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

ROWS, TIED, PAGE = 600, 12, 60


class Shuffled:
    """A list of groups of tied rows."""

    def __init__(self, stream, seed, *, tied=TIED):
        self.stream, self.random, self.tied = stream, random.Random(seed), tied
        self.rows = [{"id": number if stream != "campaigns" else str(number)} for number in range(ROWS)]
        self.requests = 0

    def __call__(self, path, query):
        self.requests += 1
        order = {number: (number // self.tied, self.random.random()) for number in range(ROWS)}
        rows = sorted(self.rows, key=lambda row: order[int(row["id"])])
        if self.stream == "payment_profiles":
            return [{"payment_profile": row} for row in numbered(rows, query, cap=PAGE)]
        return {self.stream: cut(rows, query, cap=PAGE)}


TAPS = {"users": TapEvents, "campaigns": TapRewards, "payment_profiles": TapBilling}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("tied", [TIED, PAGE // 3])
@pytest.mark.parametrize("stream", TAPS)
def test_tied_rows_that_trade_places_over_the_end_of_a_page_all_come(stream, tied, seed):
    server = Shuffled(stream, seed, tied=tied)
    output = read(TAPS[stream], [stream], server)
    assert {int(row["id"]) for row in output.records[stream]} == set(range(ROWS))
    assert server.requests < 3 * ROWS / PAGE
