"""`tap-suite backfill`: windows, the newest first; it goes on where it was; the daily run takes its turn."""

import itertools
import signal
from datetime import timedelta

import pytest

from tap_suite.backfill import length, moment, windows

PAST = ("--since", "2026-01-01", "--until", "2026-03-15", "--every", "30d")
NEWEST_FIRST = [
    ["2026-02-13T00:00:00+00:00", "2026-03-15T00:00:00+00:00"],
    ["2026-01-14T00:00:00+00:00", "2026-02-13T00:00:00+00:00"],
    ["2026-01-01T00:00:00+00:00", "2026-01-14T00:00:00+00:00"],
]


def suffixes(runs):
    """What the states of the runs are called by."""
    return [word.split("=")[1] for run in runs for word in run["words"] if word.startswith("--state-id")]


def test_windows_leave_no_gap_and_meet_in_one_moment():
    spans = list(windows(moment("2026-01-01"), moment("2026-01-03T12:00:00+02:00"), length("24h")))
    assert spans[0][1] == moment("2026-01-03T10:00:00Z")
    assert spans[-1][0] == moment("2026-01-01")
    assert all(later[0] == earlier[1] for later, earlier in itertools.pairwise(spans))
    assert length("2w") == timedelta(days=14)


@pytest.mark.parametrize("every", ["99999w", "99999h"])
@pytest.mark.parametrize("since", ["0001-01-01", "9990-01-01T00:00:00-12:00"])
def test_windows_at_the_edges_of_the_calendar(since, every):
    spans = list(windows(moment(since), moment("9999-12-31T23:59:59"), length(every)))
    assert spans[-1][0] == moment(since)
    assert all(later[0] == earlier[1] for later, earlier in itertools.pairwise(spans))


@pytest.mark.parametrize("text", ["0d", "30", "d", "-1d", "1m"])
def test_a_length_without_meaning(text):
    with pytest.raises(ValueError, match=text):
        length(text)


def test_windows_are_read_newest_first_each_with_a_state_of_its_own(scenarios, suite, runs):
    scenarios(acme="")
    code, _, err = suite("backfill", "acme", *PAST)
    assert code == 0
    assert [run["window"] for run in runs()] == NEWEST_FIRST
    named = suffixes(runs())
    assert len({*named}) == 3
    assert all(name.startswith("acme.backfill.") for name in named)
    assert "acme tap-stub 20260213T000000Z_20260315T000000Z: read, 7 rows" in err


def test_a_backfill_that_was_stopped_goes_on_and_a_finished_one_begins_anew(
    scenarios, suite, started, runs, project, until, begun
):
    scenarios(acme="hangs")
    (project / "tap_stub_acme.go").touch()
    process = started("backfill", "acme", *PAST)
    until(lambda: len(runs()) == 1)
    (project / "tap_stub_acme.go").unlink()
    until(lambda: len(begun()) == len(runs()) + 1)
    done = len(runs())
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    said = f"acme tap-stub: backfill: {done} of 3 windows were read, back to 20260213T000000Z"
    assert said in suite("status")[1]
    (project / "tap_stub_acme.go").touch()
    assert suite("backfill", "acme", *PAST)[0] == 0
    read = [run for run in runs() if run["code"] == 0]
    assert [run["window"] for run in read] == NEWEST_FIRST, "no window is read twice, and none is left out"
    named = suffixes(runs())
    assert named[done] == named[done + 1], "the one that was stopped goes on from its state"
    assert "backfill" not in suite("status")[1]
    assert suite("backfill", "acme", *PAST)[0] == 0
    assert len({*suffixes(runs())}) == 6


def test_a_window_that_was_partly_read_is_read_again_and_a_failure_ends_it(scenarios, suite, runs):
    scenarios(acme="partly")
    assert suite("backfill", "acme", *PAST)[0] == 2
    assert len(runs()) == 3
    scenarios(acme="")
    assert suite("backfill", "acme", *PAST)[0] == 0
    assert len(runs()) == 6
    scenarios(acme="refused")
    assert suite("backfill", "acme", *PAST)[0] == 1
    assert len(runs()) == 7


def test_the_daily_run_takes_its_turn_between_two_windows(
    scenarios, started, runs, project, until, begun, is_waited_for
):
    scenarios(acme="hangs")
    backfill = started("backfill", "acme", *PAST)
    until(begun)
    daily = started("run", "acme")
    until(is_waited_for)
    (project / "tap_stub_acme.go").touch()
    assert daily.wait(20) == backfill.wait(20) == 0
    kinds = ["backfill" if run["window"][0] else "daily" for run in runs()]
    assert kinds == ["backfill", "daily", "backfill", "backfill"]


def test_a_tap_that_knows_no_windows_is_refused(accounts, suite):
    accounts({"account": "acme", "tap": "tap-plain", "config": {}, "secrets": {"token": "KEY_ACME"}})
    code, _, err = suite("backfill", "acme", *PAST)
    assert code == 1
    assert "tap-plain has no settings start_date and end_date" in err
    code, _, err = suite("backfill", "acme", "--since", "2026-02-01", "--until", "2026-01-01")
    assert code == 1
    assert "--until must be later than --since" in err


def test_a_backfill_from_the_first_year_on_goes_by_its_windows(scenarios, suite, runs):
    scenarios(acme="")
    code, _, err = suite(
        "backfill", "acme", "--since", "0001-01-01", "--until", "0001-01-02", "--every", "99999w"
    )
    assert code == 0
    assert [run["window"] for run in runs()] == [["0001-01-01T00:00:00+00:00", "0001-01-02T00:00:00+00:00"]]
    assert "acme tap-stub 00010101T000000Z_00010102T000000Z: read" in err


def test_more_windows_than_can_be_read_are_refused(scenarios, suite, runs):
    scenarios(acme="")
    code, _, err = suite(
        "backfill", "acme", "--since", "0001-01-01", "--until", "9999-12-31", "--every", "1h"
    )
    assert code == 1
    assert (
        err
        == "tap-suite: --every: these are 87,649,392 windows, and at most 100,000 are read: make it longer\n"
    )
    assert not runs()
