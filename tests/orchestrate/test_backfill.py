"""`tap-suite backfill`: windows, the newest first; it goes on where it was; the daily run takes its turn."""

import itertools
import json
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


BY_THE_DAY = ("--since", "2026-01-01", "--until", "2026-01-04", "--every", "1d")
ANEW = "acme tap-stub: the unfinished backfill had other windows, or the account was another: it begins anew"


@pytest.fixture
def unfinished(scenarios, suite, runs, project):
    """A backfill that failed after the newest of three days; its progress file."""
    scenarios(acme="unreachable once")
    assert suite("backfill", "acme", *BY_THE_DAY)[0] == 1
    path = project / ".meltano" / "units" / "tap-stub_acme" / "backfill.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "done": [suffixes(runs())[0].rpartition(".")[2]]}))
    (project / "runs").unlink()
    return path


def test_the_same_command_goes_on_without_a_word(unfinished, suite, runs):
    code, _, err = suite("backfill", "acme", *BY_THE_DAY)
    assert (code, len(runs())) == (0, 2)
    assert "anew" not in err


def test_another_command_reads_all_of_its_windows_and_says_so(unfinished, suite, runs):
    code, _, err = suite("backfill", "acme", "--since", "2026-01-03", "--until", "2026-01-04")
    assert code == 0
    assert [run["window"] for run in runs()] == [["2026-01-03T00:00:00+00:00", "2026-01-04T00:00:00+00:00"]]
    assert err.count(ANEW) == 1


@pytest.mark.parametrize(
    "change",
    [{"select": ["books"]}, {"config": {"concurrency": 2}}, {"target": "target-files"}],
    ids=["select", "config", "target"],
)
def test_windows_of_an_account_that_is_another_since_are_read_anew(
    change, unfinished, accounts, suite, runs, project
):
    config = {"api_url": "https://example.com", "scenario": "unreachable once", "folder": str(project)}
    accounts({"account": "acme", **change, "config": {**config, **change.get("config", {})}})
    code, _, err = suite("backfill", "acme", *BY_THE_DAY)
    assert (code, len(runs())) == (0, 3)
    assert err.count(ANEW) == 1


def test_a_new_key_or_another_order_is_no_other_account(
    unfinished, accounts, suite, runs, project, monkeypatch
):
    accounts(
        {
            "account": "acme",
            "config": {
                "folder": str(project),
                "scenario": "unreachable once",
                "api_url": "https://example.com",
            },
        }
    )
    monkeypatch.setenv("KEY_ACME", "another key")
    assert suite("backfill", "acme", *BY_THE_DAY)[0] == 0
    assert len(runs()) == 2


def test_progress_of_an_older_form_is_given_up_with_a_word(unfinished, suite, runs):
    kept = json.loads(unfinished.read_text())
    del kept["of"]
    unfinished.write_text(json.dumps(kept))
    code, _, err = suite("backfill", "acme", *BY_THE_DAY)
    assert (code, len(runs())) == (0, 3)
    assert err.count(ANEW) == 1


def test_windows_that_were_all_read_are_read_anew(unfinished, suite, runs):
    kept = json.loads(unfinished.read_text())
    unfinished.write_text(json.dumps({**kept, "done": kept["done"] * 3}))
    assert suite("backfill", "acme", *BY_THE_DAY)[0] == 0
    assert len(runs()) == 3


@pytest.mark.parametrize(
    "change", [{"done": None}, {"done": "x"}, {"done": [1]}, {"windows": "3"}, {"began": 1}]
)
def test_progress_of_another_shape_is_none(change, unfinished, suite, runs):
    unfinished.write_text(json.dumps({**json.loads(unfinished.read_text()), **change}))
    assert "backfill" not in suite("status")[1]
    assert suite("backfill", "acme", *BY_THE_DAY)[0] == 0
    assert len(runs()) == 3


@pytest.mark.parametrize("text", ["{}", "[]", "null", "1", "{"])
def test_progress_that_is_none_at_all(text, unfinished, suite, runs):
    unfinished.write_text(text)
    assert "backfill" not in suite("status")[1]
    assert suite("backfill", "acme", *BY_THE_DAY)[0] == 0
    assert len(runs()) == 3


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_progress_that_can_not_be_written_ends_it_in_a_line(
    before, scenarios, started, project, until, begun
):
    scenarios(acme="hangs")
    part = project / ".meltano" / "units" / "tap-stub_acme" / "backfill.json.part"
    if before:
        part.mkdir(parents=True)
    process = started("backfill", "acme", *BY_THE_DAY)
    if not before:
        until(begun)
        part.mkdir()
        (project / "tap_stub_acme.go").touch()
    told, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"{part.with_suffix('')}: Is a directory" in told
    assert "Traceback" not in told
