"""`tap-suite run` and `all`: what becomes of accounts, each by itself."""

import json

import pytest


def lines_of(table):
    """The lines of the table by account."""
    return {line.split()[0]: line for line in table.splitlines()[1:]}


def test_all_accounts_are_run_whatever_becomes_of_some(scenarios, suite, runs):
    scenarios(good="", part="partly", gone="refused", full="target fails")
    code, out, err = suite("all", "--jobs", "4", "--retry-after", "0")
    assert code == 2
    told = lines_of(out)
    assert told["good"].split()[2:4] == ["read", "7"]
    assert "partly read" in told["part"]
    assert told["part"].endswith("partly read: loans, readers")
    assert "api_key was refused (401)" in told["gone"]
    assert told["full"].endswith("The disk is full")
    assert len(runs()) == 4, "none of these failures may pass"
    assert "good tap-stub: read, 7 rows" in err


def test_a_variable_that_is_not_set_costs_its_account_alone(scenarios, suite, runs, monkeypatch):
    scenarios(keys={"good": "KEY_GOOD", "late": "NOT_SET"}, good="", late="")
    code, out, _ = suite("all", "--retry-after", "0")
    assert code == 2
    assert lines_of(out)["late"].endswith("the variable NOT_SET is not set, or empty: it is the api_key")
    assert [run["name"] for run in runs()] == ["tap_stub_good"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [({"a": ""}, 0), ({"a": "partly"}, 2), ({"a": "refused"}, 1), ({"a": "refused", "b": ""}, 2)],
)
def test_exit_codes(chosen, expected, scenarios, suite):
    scenarios(**chosen)
    assert suite("all", "--retry-after", "0")[0] == expected
    assert suite("status")[0] == expected


def test_what_may_pass_is_tried_once_more(scenarios, suite, runs):
    scenarios(good="", flaky="unreachable once")
    assert suite("all", "--jobs", "2", "--retry-after", "0.01")[0] == 0
    assert [run["name"] for run in runs()].count("tap_stub_flaky") == 2
    scenarios(dead="unreachable")
    assert suite("all", "--retry-after", "0")[0] == 1
    assert [run["name"] for run in runs()].count("tap_stub_dead") == 2


def test_an_account_is_run_with_all_its_taps_or_one(accounts, suite, runs, project):
    config = {"api_url": "https://a.example.com", "folder": str(project)}
    accounts(
        {"account": "a", "config": config},
        {"account": "a", "tap": "tap-preset", "config": config},
        {"account": "b", "config": config},
    )
    code, _, err = suite("run", "a", "--tap", "tap-stub")
    assert (code, len(runs())) == (0, 1)
    assert "tap-stub_a | 2026-01-01T00:00:00Z info     tap-stub: tap-stub 0.1.0 reads tap_stub_a" in err
    assert suite("run", "a")[0] == 0
    assert [run["name"] for run in runs()] == ["tap_stub_a", "tap_stub_a", "tap_preset_a"]
    code, _, err = suite("run", "c")
    assert code == 1
    assert "no account c; there are: a, b" in err


def test_a_unit_has_folder_state_and_its_own_secrets_alone(scenarios, suite, runs, project):
    scenarios(acme="", fest="")
    assert suite("all", "--jobs", "2")[0] == 0
    for run in runs():
        account = run["name"].removeprefix("tap_stub_")
        given = run["variables"]
        assert given["TAP_STUB_API_KEY"] == f"key-of-{account}"
        assert given["KEY_ACME"] == given["KEY_FEST"] == ""
        assert given["MELTANO_SYS_DIR_ROOT"] == str(project / ".meltano" / "units" / f"tap-stub_{account}")
        assert run["words"] == [
            *("--environment=dev", "run", "--no-install"),
            *(f"--state-id-suffix={account}", "--force", "tap-stub", "target-stub"),
        ]
        folder = project / ".meltano" / "units" / f"tap-stub_{account}"
        assert (folder / "extractors").resolve() == project / ".meltano" / "extractors"


def test_runs_in_a_system_database_that_others_use_are_not_forced(scenarios, suite, runs, monkeypatch):
    monkeypatch.setenv("MELTANO_DATABASE_URI", "postgresql://localhost/meltano")
    scenarios(acme="")
    suite("all")
    assert "--force" not in runs()[0]["words"]


def test_accounts_with_one_key_never_run_at_once_and_others_do(scenarios, suite, runs, monkeypatch):
    monkeypatch.setenv("SHARED", "one key")
    scenarios(keys={"a": "SHARED", "b": "SHARED", "c": "KEY_C"}, a="slow", b="slow", c="slow")
    assert suite("all", "--jobs", "3")[0] == 0
    times = {run["name"][-1]: (run["began"], run["ended"]) for run in runs()}
    first, second = sorted((times["a"], times["b"]))
    assert first[1] <= second[0]
    assert times["c"][0] < first[1]


def test_no_log_shows_a_secret(scenarios, suite, project):
    scenarios(acme="leaks")
    _, out, err = suite("run", "acme")
    log = (project / ".meltano" / "units" / "tap-stub_acme" / "run.log").read_text()
    for text in (out, err, log):
        assert "the key is (secret)" in text
        assert "key-of-acme" not in text
    kept = [path.read_text() for path in (project / ".meltano").rglob("*") if path.is_file()]
    assert not any("key-of-acme" in text for text in kept)
    assert not any("key-of-acme" in path.name for path in (project / ".meltano").rglob("*"))


def test_what_is_allowed_to_be_partly_read_is_no_failure_and_makes_no_data_younger(scenarios, suite):
    scenarios(acme="partly, which is allowed")
    code, out, _ = suite("all")
    assert code == 0
    assert lines_of(out)["acme"].split()[2] == "read"
    assert lines_of(out)["acme"].endswith("unknown  partly read: loans")


def test_status_tells_the_age_of_data_and_what_never_ran(scenarios, suite, project, accounts):
    scenarios(acme="")
    suite("all")
    last = project / ".meltano" / "units" / "tap-stub_acme" / "last.json"
    kept = json.loads(last.read_text())
    last.write_text(json.dumps({**kept, "whole_since": "2026-01-01T00:00:00+00:00"}))
    scenarios(acme="refused", late="")
    suite("run", "acme")
    code, out, _ = suite("status")
    assert code == 1, "nothing was read by the last runs"
    told = lines_of(out)
    assert " d " in told["acme"], "the data is as old as the last run that read all"
    assert "never run" in told["late"]
