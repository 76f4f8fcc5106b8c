"""Rights of a key that differ from one promotion to the next."""

from __future__ import annotations

from json_api import JsonApi
from lists import only, settings
from support import KEY, run
from tap_promotions.tap import TapPromotions


def test_C04_parents_whose_lists_the_key_may_not_read_take_no_retry_from_others():
    """Rights can differ from one promotion to the next, and say nothing of its neighbour's server."""
    seen = []

    def handle(path, query):
        if path.endswith("/promotions"):
            return {"items": [{"id": number} for number in range(1, 7)], "paging": {"next_cursor": None}}
        parent = int(path.split("/")[-1])
        seen.append(parent)
        if parent <= 4:
            return 403, {}
        if seen.count(parent) == 1:
            return 503, {}
        return {"items": [{"id": 10 * parent}], "paging": {"next_cursor": None}}

    with JsonApi(handle) as api:
        config = {**settings(api, concurrency=1, allow_partial=True), "bearer_token": KEY}
        output = run(TapPromotions, config, catalog=only(TapPromotions, "promotions", "users"))
    assert [row["promotion_id"] for row in output.records["users"]] == ["5", "6"]
