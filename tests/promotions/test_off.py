"""Lists that a run reads only where they are selected, and lists that a promotion may not have."""

from __future__ import annotations

import pytest

from in_process import select
from promotions.truth import CHILDREN, OFF, V2, assert_all, expected, settings
from support import run
from tap_promotions.tap import TapPromotions


def test_lists_that_are_off_are_not_asked_for(small):
    output = run(TapPromotions, settings(small))
    assert not {*OFF} & output.schemas.keys()
    assert not small.matching(f"{V2}/pos/")
    assert not small.matching(rf"{V2}/promotions/\w+/registration_fields")


@pytest.mark.parametrize("size", [1, 100])
def test_lists_that_are_off_can_be_selected(small, size):
    small.fault("page_cap", size=size)
    output = run(TapPromotions, settings(small), catalog=select(TapPromotions, *OFF))
    output.check()
    for stream in OFF:
        assert output.rows(stream) == expected(small, stream)
        assert len(output.records[stream]) == len(output.rows(stream)) > 10


@pytest.mark.parametrize("status", [403, 404])
def test_promotions_without_coins_and_stock(small, status, caplog):
    lacking = [str(row["id"]) for row in small.data["promotions"]["promotions"][:4]]
    for parent in lacking:
        small.fault("status", path=f"{V2}/(coin_transactions|prizes/inventory)/{parent}$", status=status)
    output = run(TapPromotions, settings(small))
    maybe = {"coin_transactions", "prize_inventory"}
    assert_all(output, small, [stream for stream in CHILDREN if stream not in maybe])
    for stream in maybe:
        truth = {key: row for key, row in expected(small, stream).items() if key[0] not in lacking}
        assert output.rows(stream) == truth
        assert caplog.text.count(f"{stream}: this account or server has no such list ({status})") == 1
