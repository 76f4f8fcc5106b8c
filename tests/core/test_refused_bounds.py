"""Settings that say which rows are read: what makes no sense ends in a line, what has no effect is told."""

from __future__ import annotations

import pytest

from in_process import call, said
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards

NO_WINDOWS = [
    ({"end_date": "soon"}, "end_date is no date: write it as 2026-01-31 or 2026-01-31T00:00:00Z"),
    ({"end_date": "2026-02-30"}, "end_date is no date"),
    ({"end_date": "0001-01-01"}, "end_date is no date"),
    ({"end_date": 20260101}, "end_date must be a text in quotes"),
    ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "end_date must be later than start_date"),
    (
        {"start_date": "2026-03-01T01:00:00+01:00", "end_date": "2026-03-01"},
        "end_date must be later than",
    ),
]
NO_PARENTS = [
    (
        TapEvents,
        {"children_since": {"event": 7}},
        "children_since: `event` is no stream with rows that end; is",
    ),
    (
        TapPromotions,
        {"children_since": {"users": 7}},
        "children_since: `users` is no stream with rows that end",
    ),
    (TapEvents, {"children_since": "soon"}, "children_since must be a whole number or an object"),
    (TapEvents, {"children_since": {"events": "7"}}, "children_since.events must be a whole number"),
    (TapEvents, {"children_since": -1}, "children_since must be 0 or more"),
]


@pytest.mark.parametrize(
    ("tap", "given", "words"),
    [*((tap, *case) for tap in (TapBilling, TapRewards) for case in NO_WINDOWS), *NO_PARENTS],
)
def test_what_makes_no_sense_is_refused_in_a_line(tmp_path, tap, given, words):
    output = call(tap, tmp_path, **given)
    assert output.code == 1
    (line,) = said(output)
    assert line.startswith(words)


def test_a_tap_without_incremental_streams_says_that_it_pays_no_heed(tmp_path):
    output = call(TapEvents, tmp_path, end_date="2026-01-01")
    assert "end_date is ignored: tap-events reads all of its streams whole" in said(output, "WARNING")


def test_who_never_reads_all_again_is_warned(tmp_path):
    output = call(TapEvents, tmp_path, children_since=7)
    line = "children_since without full_read_every: what changes in older lists is never seen"
    assert line in said(output, "WARNING")
