"""Cursors, envelopes and values of the promotions API that take some care."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qs

import pytest

from promotions.truth import V2, settings
from support import run
from tap_core.errors import ApiError
from tap_promotions.tap import TapPromotions


@pytest.mark.parametrize("kind", [int, str])
def test_B06_a_cursor_that_repeats_is_a_named_failure(small, kind):
    promotion = small.data["promotions"]["promotions"][1]["id"]
    cursor = small.data["promotions"]["users"][str(promotion)][5]["id"]
    small.fault("wrong_cursor", path=f"{V2}/users/{promotion}", cursor=kind(cursor))
    with pytest.raises(ApiError, match=f"users {promotion}: The API's cursors go round in a circle"):
        run(TapPromotions, settings(small))
    assert len(small.matching(f"{V2}/users/{promotion}")) == 2


def test_cursors_in_a_wider_circle(small):
    for asked, answered in (("^order=created_asc$", 5), ("next_cursor=5", "x"), ("next_cursor=x", "5")):
        body = f'{{"items": [{{"id": 1}}], "paging": {{"next_cursor": {answered!r}}}}}'.replace("'", '"')
        small.fault("raw_body", path=f"{V2}/organizing_brands", query=asked, body=body)
    with pytest.raises(ApiError, match=r"organizing_brands: .* circle"):
        run(TapPromotions, settings(small))


@pytest.mark.parametrize(
    "paging",
    [
        "",
        ', "paging": null',
        ', "paging": []',
        ', "paging": {"items_page": 2}',
        ', "paging": {"next_cursor": ""}',
    ],
)
def test_H07_the_end_of_a_list(small, paging):
    body = f'{{"items": [{{"id": 1}}, {{"id": "2"}}]{paging}}}'
    small.fault("raw_body", path=f"{V2}/organizing_brands", body=body)
    output = run(TapPromotions, settings(small))
    assert output.records["organizing_brands"] == [{"id": "1"}, {"id": "2"}]


@pytest.mark.parametrize("cursor", ['"a+b/c=&é %"', "9223372036854775808"])
def test_cursors_go_back_unchanged(small, cursor):
    first = f'{{"items": [], "paging": {{"next_cursor": {cursor}}}}}'
    small.fault("raw_body", path=f"{V2}/organizing_brands", times=1, body=first)
    small.fault("raw_body", path=f"{V2}/organizing_brands", body='{"items": [{"id": 1}]}')
    assert run(TapPromotions, settings(small)).records["organizing_brands"] == [{"id": "1"}]
    sent = parse_qs(small.matching(f"{V2}/organizing_brands")[1].query)["next_cursor"]
    assert sent == [cursor.strip('"')]


def test_other_envelopes(small):
    promotion = small.data["promotions"]["promotions"][0]["id"]
    rule = small.fault("raw_body", path=f"{V2}/ranking/{promotion}$", body='[{"id": 7, "points": 1}]')
    output = run(TapPromotions, settings(small))
    assert output.rows("rankings")[str(promotion), "7"]["points"] == 1
    for body in ('{"items": null, "paging": {}}', '{"ranking": [{"user_id": 7}]}'):
        rule.body = body
        with pytest.raises(ApiError, match=r"partly read: rankings.*no list at `\$.items`"):
            run(TapPromotions, settings(small))


def one(small, path, record, **more):
    """The only record of a stream."""
    small.fault("raw_body", path=f"{V2}/{path}", body=f'{{"items": [{record}]}}')
    output = run(TapPromotions, settings(small, **more))
    output.check()
    return output


def test_times_without_a_zone_are_utc(small):
    record = (
        '{"id": 1, "created": "2026-02-03 10:20:30", "start_date": "2026-02-03T10:20:30.5", "end_date": ""}'
    )
    row = one(small, "promotions", record).records["promotions"][0]
    assert row == {
        "id": "1",
        "created": "2026-02-03T10:20:30Z",
        "start_date": "2026-02-03T10:20:30.5Z",
        "end_date": None,
    }


def test_offsets_of_times_are_kept(small):
    row = one(small, "promotions", '{"id": 1, "created": "2026-02-03T10:20:30+02:00"}').records["promotions"][
        0
    ]
    assert row["created"] == "2026-02-03T10:20:30+02:00"


def test_what_does_not_fit_is_kept(small):
    record = (
        '{"id": 1, "created": "0000-00-00 00:00:00", "new": {"a": 1}, "organizing_brand": {"id": 2, "x": 3}}'
    )
    assert one(small, "promotions", record).records["promotions"][0] == {
        "id": "1",
        "organizing_brand": {"id": "2"},
        "_sdc_unmapped": {"created": "0000-00-00 00:00:00", "new": {"a": 1}, "organizing_brand.x": 3},
    }


def test_ranking_entries_of_other_shapes(small):
    shapes = {
        '{"user_id": "8", "id": 5, "points": "1520.5"}': {"user_id": "8", "points": Decimal("1520.5")},
        '{"user": {"id": 8}, "position": "3"}': {"user_id": "8", "position": 3, "user": {"id": "8"}},
        '{"user": [], "id": 8, "time": "41.20"}': {"user_id": "8", "time": Decimal("41.20"), "user": {}},
        '{"user": null, "user_id": null, "id": "8"}': {"user_id": "8", "user": None},
        '{"user_id": 8, "score": "7", "points": null}': {"user_id": "8", "points": 7},
    }
    promotions = [str(row["id"]) for row in small.data["promotions"]["promotions"]]
    for promotion, entry in zip(promotions, shapes, strict=False):
        small.fault("raw_body", path=f"{V2}/ranking/{promotion}$", body=f'{{"items": [{entry}]}}')
    output = run(TapPromotions, settings(small))
    output.check()
    found = output.rows("rankings")
    for promotion, row in zip(promotions, shapes.values(), strict=False):
        assert {"promotion_id": promotion, **row} == {
            name: value for name, value in found[promotion, "8"].items() if name != "_sdc_unmapped"
        }
    assert found[promotions[0], "8"]["_sdc_unmapped"] == {"id": 5}


def test_an_entry_without_a_user_cannot_be_loaded(small):
    with pytest.raises(ApiError, match="without its key `user_id`"):
        one(small, "ranking", '{"points": 1}')
