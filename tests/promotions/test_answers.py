"""Cursors, envelopes and values of the promotions API that take some care."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qs

import pytest

from json_api import JsonApi
from lists import QUICK, activated, only
from promotions.truth import V2, settings
from support import KEY, run
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


def pages(stream, answer):
    """What a run makes of a list whose pages, numbered by their cursors, a function answers."""

    def handle(path, query):
        if path.endswith("/promotions"):
            return {"items": [{"id": 1, "title": "One"}]}
        return answer(int(query.get("next_cursor", 0)))

    with JsonApi(handle) as api:
        config = {"api_url": api.url, "bearer_token": KEY, **QUICK}
        with pytest.raises(ApiError) as failure:
            run(TapPromotions, config, catalog=only(TapPromotions, "promotions", stream))
        return str(failure.value), len(api.paths)


def rows(numbers):
    return [{"id": str(number), "user_id": str(number)} for number in numbers]


@pytest.mark.parametrize("stream", ["users", "organizing_brands"])
@pytest.mark.parametrize("later", [1, 5])
def test_A01_a_page_of_another_kind_ends_no_list(stream, later):
    """A bare list behind pages that name the next one was taken for the last of them."""

    def answer(number):
        found = rows(range(100 * number, 100 * number + 100))
        return found if number == later else {"items": found, "paging": {"next_cursor": number + 1}}

    said, _ = pages(stream, answer)
    assert "The API sends another kind of page than before" in said


@pytest.mark.parametrize("stream", ["users", "organizing_brands"])
@pytest.mark.parametrize("count", [1009, 2003])
def test_B06_rows_that_come_round_on_other_pages_are_noticed(stream, count):
    """Cursors that are new each time, and pages that begin elsewhere in each round: 3,004 requests before."""

    def answer(number):
        found = rows((100 * number + at) % count for at in range(100))
        return {"items": found, "paging": {"next_cursor": number + 1}}

    said, requests = pages(stream, answer)
    assert "The API sends the same rows again and again" in said
    assert requests < 8 * count / 100


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
        '{"user_id": "8", "id": 5, "points": "1520.5"}': {"id": "5", "points": Decimal("1520.5")},
        '{"user": {"id": 8}, "position": "3"}': {"position": 3, "user": {"id": "8"}},
        '{"user": [], "id": 8, "time": "41.20"}': {"id": "8", "time": Decimal("41.20"), "user": {}},
        '{"user": null, "user_id": null, "id": "8"}': {"id": "8", "user": None},
        '{"user_id": 8, "score": "7", "points": null, "position": ""}': {"points": 7},
    }
    promotions = [str(row["id"]) for row in small.data["promotions"]["promotions"]]
    for promotion, entry in zip(promotions, shapes, strict=False):
        small.fault("raw_body", path=f"{V2}/ranking/{promotion}$", body=f'{{"items": [{entry}]}}')
    output = run(TapPromotions, settings(small))
    output.check()
    found = output.rows("rankings")
    for promotion, row in zip(promotions, shapes.values(), strict=False):
        assert found[promotion, "8"] == {"promotion_id": promotion, "user_id": "8", "position": 1, **row}


def test_a_position_is_the_place_in_the_whole_list(small):
    promotion = str(small.data["promotions"]["promotions"][0]["id"])
    for asked, start, cursor in (("^$", 1, 5), ("next_cursor=5", 3, "null")):
        entries = ", ".join(f'{{"user_id": {start + number}}}' for number in range(2))
        body = f'{{"items": [{entries}], "paging": {{"next_cursor": {cursor}}}}}'
        small.fault("raw_body", path=f"{V2}/ranking/{promotion}$", query=asked, body=body)
    rows = run(TapPromotions, settings(small)).records["rankings"]
    places = [(row["user_id"], row["position"]) for row in rows if row["promotion_id"] == promotion]
    assert places == [("1", 1), ("2", 2), ("3", 3), ("4", 4)]


@pytest.mark.parametrize("odd", ['"nickname": "\\ud83d"', '"position": "\\ud83d", "nickname": "x"'])
def test_an_entry_with_half_a_character_has_its_place_and_user(small, odd):
    """Only the slow parser can read it."""
    promotion = str(small.data["promotions"]["promotions"][0]["id"])
    entries = f'{{"user_id": 1}}, {{"user": {{"id": 7}}, "score": "5", {odd}}}'
    small.fault("raw_body", path=f"{V2}/ranking/{promotion}$", body=f'{{"items": [{entries}]}}')
    found = run(TapPromotions, settings(small)).rows("rankings")[promotion, "7"]
    assert found["points"] == 5
    if "position" not in odd:
        assert found["position"] == 2


def test_a_change_of_a_balance_that_is_no_pair(small):
    promotion = str(small.data["promotions"]["promotions"][0]["id"])
    flat = '{"id": 7, "amount": "-5", "created": "2026-02-03 10:22:43", "user": {"id": 8}}'
    small.fault("raw_body", path=f"{V2}/coin_transactions/{promotion}$", body=f'{{"items": [{flat}, null]}}')
    with pytest.raises(ApiError, match="partly read: coin_transactions"):
        run(TapPromotions, settings(small))
    output = run(TapPromotions, settings(small, allow_partial=True))
    assert output.rows("coin_transactions")[promotion, "7"] == {
        "promotion_id": promotion,
        "id": "7",
        "amount": -5,
        "created": "2026-02-03T10:22:43Z",
        "user": {"id": "8"},
    }


@pytest.mark.parametrize(
    ("pair", "row"),
    [
        (
            '{"transaction": {"id": 7, "user": {"id": 1}}, "user": {"id": 8}}',
            {"user": {"id": "8"}, "_sdc_unmapped": {"in_transaction": {"user": {"id": 1}}}},
        ),
        ('{"transaction": {"id": 7, "user": {"id": 8}}, "user": null}', {"user": {"id": "8"}}),
        (
            '{"id": 77, "amount": 5, "transaction": {"id": 7, "amount": 5}}',
            {"amount": 5, "_sdc_unmapped": {"beside_transaction": {"id": 77}}},
        ),
        ('{"id": 7, "transaction": {"id": null, "reason": "x"}}', {"reason": "x"}),
    ],
)
def test_what_a_pair_says_twice_is_kept(small, pair, row):
    promotion = str(small.data["promotions"]["promotions"][0]["id"])
    small.fault("raw_body", path=f"{V2}/coin_transactions/{promotion}$", body=f'{{"items": [{pair}]}}')
    found = run(TapPromotions, settings(small)).rows("coin_transactions")[promotion, "7"]
    assert found == {"promotion_id": promotion, "id": "7", **row}


@pytest.mark.parametrize("own", ["", '"promotion_id": "", ', '"promotion_id": null, '])
def test_a_row_without_its_promotion_has_that_of_the_path(small, own):
    promotion = str(small.data["promotions"]["promotions"][0]["id"])
    small.fault("raw_body", path=f"{V2}/users/{promotion}$", body=f'{{"items": [{{{own}"id": 7}}]}}')
    assert run(TapPromotions, settings(small)).rows("users")[promotion, "7"]


def test_an_entry_without_a_user_cannot_be_loaded(small):
    with pytest.raises(ApiError, match="without its key `user_id`"):
        one(small, "ranking", '{"points": 1}')


def counting(shown, count, *, once=False):
    """Lists of rows of which the first page holds less than it says, ever again or once."""
    asked = set()

    def handle(path, query):
        items, is_first = rows(range(count)), path not in asked
        asked.add(path)
        shown_now = items[:shown] if is_first or not once else items
        return {"items": shown_now, "paging": {"items_page": str(count), "next_cursor": None}}

    return JsonApi(handle)


@pytest.mark.parametrize("stream", ["promotions", "organizing_brands"])
def test_A01_a_page_that_counts_rows_and_has_none_is_no_end(stream):
    config = {"bearer_token": KEY, **QUICK, "emit_activate_version_messages": True}
    catalog = only(TapPromotions, stream)
    with counting(0, 12, once=True) as api:
        output = run(TapPromotions, {"api_url": api.url, **config}, catalog=catalog)
        assert len(output.records[stream]) == 12
    with (
        counting(0, 12) as api,
        pytest.raises(ApiError, match="no rows, and says by `items_page` that it has 12"),
    ):
        run(TapPromotions, {"api_url": api.url, **config}, catalog=catalog)


@pytest.mark.parametrize("stream", ["promotions", "organizing_brands"])
def test_H01_of_a_page_with_fewer_rows_than_it_says_nothing_is_called_gone(stream, caplog):
    config = {"bearer_token": KEY, **QUICK, "emit_activate_version_messages": True}
    with counting(6, 12) as api:
        output = run(TapPromotions, {"api_url": api.url, **config}, catalog=only(TapPromotions, stream))
    assert len(output.records[stream]) == 6
    assert not activated(output)
    assert f"{stream}: a page has fewer rows than it says by `items_page`" in caplog.text


@pytest.mark.parametrize("more", [{"has_more": True}, {"next": "https://x/next"}])
def test_what_is_said_to_have_come_is_what_came(more):
    with JsonApi(lambda *_: {"items": rows(range(7)), "paging": more}) as api:
        config = {"api_url": api.url, "bearer_token": KEY, **QUICK}
        with pytest.raises(ApiError, match="only 7 records"):
            run(TapPromotions, config, catalog=only(TapPromotions, "promotions"))
