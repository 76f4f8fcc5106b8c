"""Numbered pages of servers that have their own mind about how long a page is."""

from __future__ import annotations

import pytest

from core.test_paginators import List, items
from json_api import JsonApi
from lists import only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import PartlyRead
from tap_core.paging.pagenumber import PageNumber

MOMENT = "2026-01-31T00:00:00Z"

ALTERED = {
    "rounded down to tens": lambda size: size // 10 * 10 or 10,
    "rounded down to 25s": lambda size: size // 25 * 25 or 25,
    "one of four": lambda size: size if size in {20, 50, 100, 200} else 20,
}


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize("count", [0, 19, 200, 201, 390, 700])
@pytest.mark.parametrize("how", ALTERED)
def test_A15_sizes_that_the_server_alters_lose_no_row(how, count, careful):
    rows = list(range(count))

    def answer(query):
        size = ALTERED[how](min(query["per_page"], 200))
        return items(rows[(query["page"] - 1) * size :][:size])

    paginator = PageNumber(size=200)
    paginator.careful = careful
    assert set(List(answer).read(paginator)) == set(rows)


@pytest.mark.parametrize("cap", [20, 50, 150])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_A06_a_cap_that_is_lowered_while_the_list_is_read(cap, after):
    rows, source = list(range(450)), None

    def answer(query):
        size = min(query["per_page"], 200 if source.requests <= after else cap)
        return items(rows[(query["page"] - 1) * size :][:size])

    source = List(answer)
    assert set(source.read(PageNumber(size=200))) == set(rows)


@pytest.mark.parametrize(("cap", "lowered"), [(50, 20), (200, 50)])
@pytest.mark.parametrize("after", [2, 3, 5])
@pytest.mark.parametrize("later", [1, 2])
@pytest.mark.parametrize("change", ["deleted", "inserted"])
@pytest.mark.parametrize("stream", ["products", "customers"])
def test_A06_a_cap_that_is_lowered_while_a_row_comes_or_goes(stream, change, later, after, cap, lowered):
    """What moved by a row no longer looked like the page of before, and the list ended there."""
    rows, requests = list(range(1, 1001)), []

    def handle(path, query):
        requests.append(query)
        if len(requests) == after + later:
            rows[:1] = [] if change == "deleted" else [9999, *rows[:1]]
        size = min(int(query["per_page"]), cap if len(requests) <= after else lowered)
        start = (int(query["page"]) - 1) * size
        return [{stream[:-1]: {"id": row, "updated_at": MOMENT}} for row in rows[start : start + size]]

    with JsonApi(handle) as api:
        config = settings(api, emit_activate_version_messages=True)
        output = run(TapBilling, config, catalog=only(TapBilling, stream))
    assert {row["id"] for row in output.records[stream]} >= set(range(2, 1001))
    assert len(requests) < 3 * 1000 / lowered


def coupons(count, bad, *, hidden=()):
    """Pages of 50, whatever is asked for."""
    rows = [{"coupon": {"id": number}} for number in range(count)]

    def handle(path, query):
        number = int(query["page"])
        if number in bad:
            return 503, {}
        return [row for row in rows[50 * (number - 1) : 50 * number] if row["coupon"]["id"] not in hidden]

    return handle


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_H04_a_page_of_the_servers_own_size_that_fails_is_not_taken_apart(bad):
    with JsonApi(coupons(500, {bad})) as api:
        with pytest.raises((PartlyRead, Exception), match="coupons"):
            run(TapBilling, settings(api), catalog=only(TapBilling, "coupons"))
        kept = settings(api, allow_partial=True, emit_activate_version_messages=True)
        output = run(TapBilling, kept, catalog=only(TapBilling, "coupons")) if bad > 1 else None
    if output:
        assert [row["id"] for row in output.records["coupons"]] == list(range(50 * (bad - 1)))
        assert "ACTIVATE_VERSION" not in output.text


@pytest.mark.parametrize("hidden", [0, 49, 60, 228])
def test_A09_a_page_of_the_servers_own_size_that_lacks_a_row_is_no_end(hidden):
    with JsonApi(coupons(230, (), hidden={hidden})) as api:
        output = run(TapBilling, settings(api), catalog=only(TapBilling, "coupons"))
    assert {row["id"] for row in output.records["coupons"]} == {*range(230)} - {hidden}
