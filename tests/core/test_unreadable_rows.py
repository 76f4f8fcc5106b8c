"""Rows that a server can't send, alone or only together: each costs itself, and every other one comes."""

from __future__ import annotations

import random
import re

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from lists import moment
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

COUNT = 230
LISTS = {
    "customers": TapBilling,
    "products": TapBilling,
    "users": TapEvents,
    "campaigns": TapRewards,
    "balance_transactions": TapRewards,
}


def row_of(stream, number):
    if stream == "balance_transactions":
        return {"created_at": moment(COUNT - number), "amount": number, "action": "Order"}
    dates = {"created_at": moment(number), "updated_at": moment(number)}
    return {
        "id": str(number) if stream == "campaigns" else number,
        **(dates if stream == "customers" else {}),
    }


def read(folder, stream, fails, **config):
    """What a run says, the rows that came, and how many requests it took."""

    def handle(_, query):
        page = (numbered if LISTS[stream] is TapBilling else cut)(range(COUNT), query)
        rows = [row_of(stream, number) for number in page]
        if fails({*page}):
            return 500, {}
        if LISTS[stream] is TapBilling:
            return [{stream[:-1]: row} for row in rows]
        return {"transactions" if stream == "balance_transactions" else stream: rows}

    with JsonApi(handle) as api:
        catalog = select(LISTS[stream], stream)
        output = call(LISTS[stream], folder, url=api.url, catalog=catalog, concurrency=1, **config)
        field = "amount" if stream == "balance_transactions" else "id"
        return output, {int(row[field]) for row in output.records.get(stream, [])}, len(api.paths)


@pytest.mark.parametrize("heavy", [{0, 1}, {41, 42}, {98, 99}, {99, 100}, {59, 60, 61}])
@pytest.mark.parametrize("stream", LISTS)
def test_rows_that_are_too_heavy_only_together_all_come(tmp_path, stream, heavy):
    output, came, requests = read(tmp_path, stream, lambda page: len(page & heavy) > 1)
    assert output.code == 0
    assert came == {*range(COUNT)}
    assert requests < 60


@pytest.mark.parametrize("most", [1, 2, 3, 12])
@pytest.mark.parametrize("stream", LISTS)
def test_the_number_of_rows_that_passes_is_gone_on_with(tmp_path, stream, most):
    output, came, requests = read(tmp_path, stream, lambda page: len(page) > most)
    assert output.code == 0
    assert came == {*range(COUNT)}
    assert requests < COUNT * 2.2 + 30  # pages of two rows overlap in one of them


def some_rows(seed):
    """Rows side by side: in the middle, at the edges of pages, and the list's first ones."""
    chance = random.Random(seed)
    begins = [chance.choice([0, 1, 98, 99, 100, 198, chance.randrange(COUNT)]) for _ in range(2)]
    return {row for begin in begins for row in range(begin, begin + chance.randint(1, 3)) if row < COUNT}


@pytest.mark.parametrize("size", [10, 37, 100])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("stream", LISTS)
def test_rows_side_by_side_that_a_server_can_t_send_cost_themselves(tmp_path, stream, seed, size):
    bad = some_rows(seed)
    output, came, requests = read(tmp_path, stream, lambda page: page & bad, page_size=size)
    assert output.code == 2
    assert came == {*range(COUNT)} - bad
    named = [int(number) - 1 for line in said(output) for number in re.findall(r"can't send row (\d+)", line)]
    assert len(named) == len({*named}) == min(len(bad), 5)
    assert {*named} <= bad
    assert requests < 2 * COUNT // size + 60 * len(bad)


@pytest.mark.parametrize("stream", LISTS)
def test_a_list_of_which_no_row_can_be_had_fails_at_once(tmp_path, stream):
    output, came, requests = read(tmp_path, stream, bool)
    assert output.code == 1
    assert not came
    assert requests < 6
