"""`tap-suite plan`: what would be run, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ACME = {"account": "acme"}


def test_a_plan_names_units_and_holds_no_secret(accounts, suite):
    config = {"api_url": "https://user:hidden@acme.example.com", "start_date": "2026-01-01"}
    accounts(
        {**ACME, "config": config, "select": ["books", "loans.id"]}, {"account": "fest", "tap": "tap-child"}
    )
    code, out, err = suite("plan")
    assert (code, err) == (0, "")
    plan = json.loads(out)
    assert plan["environment"] == "dev"
    acme, fest = plan["units"]
    assert (acme["schema"], acme["state_id"]) == ("tap_stub_acme", "dev:tap-stub-to-target-stub:acme")
    assert (fest["schema"], fest["target"], fest["secrets"]) == (
        "tap_child_fest",
        "target-stub",
        {"api_key": "KEY_FEST"},
    )
    assert acme["key"] != fest["key"]
    assert acme["select"] == ["books", "loans.id"]
    assert acme["config"] == {"api_url": "https://(secret)@acme.example.com", "start_date": "2026-01-01"}
    assert "key-of" not in out
    assert "hidden" not in out


def test_a_variable_that_is_not_set_is_named(accounts, suite):
    accounts(ACME, {"account": "late", "secrets": {"api_key": "NOT_SET"}})
    code, out, err = suite("plan")
    assert code == 1
    assert err == "tap-suite: late tap-stub: the variable NOT_SET is not set, or empty: it is the api_key\n"
    assert [unit["account"] for unit in json.loads(out)["units"]] == ["acme", "late"]


def test_accounts_share_the_schema_of_their_tap_by_a_column(accounts, suite):
    accounts(ACME, {"account": "fest"}, tables="account_column", target="target-ours")
    code, out, _ = suite("plan")
    assert code == 0
    assert [unit["schema"] for unit in json.loads(out)["units"]] == ["tap_stub", "tap_stub"]


def test_the_example_is_right_for_this_project(project, suite, monkeypatch):
    shutil.copy(ROOT / "meltano.yml", project)
    shutil.copy(ROOT / "accounts.example.yml", project / "accounts.yml")
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "prod")
    for name in ("ACME_MAXIO_KEY", "ACME_TREMENDOUS_KEY", "FEST_EVENTZILLA_KEY"):
        monkeypatch.setenv(name, "a key")
    code, out, err = suite("plan")
    assert code == 0, err
    schemas = [unit["schema"] for unit in json.loads(out)["units"]]
    assert schemas == ["tap_maxio_acme", "tap_tremendous_acme", "tap_eventzilla_fest"]


def test_another_file_and_variables_of_dotenv(accounts, suite, project, monkeypatch):
    accounts(ACME)
    monkeypatch.delenv("KEY_ACME")
    (project / ".env").write_text("KEY_ACME=key-of-acme\n")
    (project / "accounts.yml").rename(project / "others.yml")
    assert suite("plan", "--file", "others.yml")[0] == suite("--file", "others.yml", "plan")[0] == 0
    code, _, err = suite("plan")
    assert code == 1
    assert "accounts.yml is not there" in err


REFUSED = {
    "the same twice": ([ACME, ACME], "acme tap-stub: is there twice"),
    "schemas that differ in a hyphen": (
        [{"account": "a-b"}, {"account": "a_b"}],
        "a_b tap-stub: would share the schema tap_stub_a_b with a-b tap-stub",
    ),
    "schemas that differ in capitals": ([ACME, {"account": "ACME"}], "ACME tap-stub: is there twice"),
    "an unknown tap": ([{**ACME, "tap": "tap-typo"}], "acme tap-typo: the project has no tap tap-typo"),
    "an unknown target": ([{**ACME, "target": "target-x"}], "the project has no target target-x"),
    "an unknown setting": (
        [{**ACME, "config": {"api_url": "x", "acount": 1}}],
        "tap-stub has no setting acount",
    ),
    "an unknown secret": (
        [{**ACME, "secrets": {"api_key": "KEY_ACME", "pin": "KEY_ACME"}}],
        "no setting pin",
    ),
    "no key of its own": ([{**ACME, "secrets": {}}], "acme tap-stub: no api_key of its own"),
    "no key, of a tap that groups no settings": (
        [{**ACME, "tap": "tap-plain", "config": {}, "secrets": {}}],
        "acme tap-plain: no token of its own",
    ),
    "no address, where the tap has none": ([{**ACME, "config": {}}], "acme tap-stub: no api_url of its own"),
    "a key in the file": (
        [{**ACME, "config": {"api_url": "x", "api_key": "shown"}}],
        "api_key is a secret: put the name of its variable under `secrets`",
    ),
    "a key in the place of a name": ([{**ACME, "secrets": {"api_key": "sk-1234"}}], "never the value itself"),
    "a key that would do as a name": ([{**ACME, "secrets": {"api_key": "TEST_shown"}}], "never the value"),
    "an account that is a setting": ([{**ACME, "config": {"api_url": "x", "account": "b"}}], "leave it out"),
    "a target that tells no schemas apart": (
        [{**ACME, "target": "target-heap"}],
        "acme tap-stub: target-heap writes all accounts into one place",
    ),
    "a number": ([{"account": "acme", "tap": 7}], "`tap` is missing"),
    "a tap without a name": ([{**ACME, "tap": ""}], "acme : `tap` is missing"),
    "settings that are none": ([{**ACME, "config": False}], "`config` must be an object of settings"),
    "no stream": ([{**ACME, "select": []}], "`select` must be a list of streams; leave it out for what"),
    "streams that are none": ([{**ACME, "select": None}], "`select` must be a list of streams"),
    "a stream without a name": ([{**ACME, "select": [""]}], "`select` must be a list of streams"),
    "a name of two lines": ([{"account": "acme\nfest"}], "accounts.yml: tap-stub: `account` must be a text"),
    "a name with a slash": ([{"account": "../acme"}], "`account` must be a text"),
    "a member without meaning": ([{**ACME, "shema": "x"}], "acme tap-stub: `shema` has no meaning here"),
    "a text for a number": (
        [{**ACME, "config": {"api_url": "x", "concurrency": "shown"}}],
        "acme tap-stub: concurrency is of the kind integer in meltano.yml, and its value is not",
    ),
    "a part of a number": ([{**ACME, "config": {"api_url": "x", "concurrency": 1.5}}], "of the kind integer"),
    "a list for an object": ([{**ACME, "config": {"api_url": "x", "filters": [1]}}], "of the kind object"),
    "another choice": ([{**ACME, "config": {"api_url": "x", "mode": "shown"}}], "of the kind options"),
    "a setting without a value": ([{**ACME, "config": {"api_url": None}}], "config: api_url has no value"),
}


@pytest.mark.parametrize(("lines", "said"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_meant_is_refused_by_name(lines, said, accounts, suite):
    accounts(*lines)
    code, out, err = suite("plan")
    assert (code, out) == (1, "")
    assert said in err
    assert "shown" not in err
    assert "sk-1234" not in err


COLUMN = {
    "deletes with another loader": (
        "target-stub",
        [ACME],
        "acme tap-stub: target-stub would call other accounts' rows deleted",
    ),
    "two taps in one schema": (
        "target-ours",
        [{**ACME, "tap": "tap-preset"}, {"account": "fest", "tap": "tap_preset"}],
        "fest tap_preset: would share the schema tap_preset with tap-preset",
    ),
    "a tap that knows no accounts": (
        "target-ours",
        [{**ACME, "tap": "tap-plain", "config": {}, "secrets": {"token": "KEY_ACME"}}],
        "tap-plain has no setting account",
    ),
}


@pytest.mark.parametrize(("target", "lines", "said"), COLUMN.values(), ids=COLUMN)
def test_a_column_for_accounts_is_refused_where_it_would_harm(target, lines, said, accounts, suite):
    accounts(*lines, target=target, tables="account_column")
    code, _, err = suite("plan")
    assert code == 1
    assert said in err


def test_a_column_for_accounts_without_deletes_goes_with_any_loader(accounts, suite):
    config = {"api_url": "https://acme.example.com", "emit_activate_version_messages": False}
    accounts({**ACME, "config": config}, tables="account_column")
    assert suite("plan")[0] == 0


def test_what_the_environment_lends_is_no_address_of_its_own(accounts, suite, monkeypatch):
    accounts({**ACME, "config": {}})
    monkeypatch.setenv("TAP_STUB_API_URL", "https://another.example.com")
    monkeypatch.setenv("TAP_STUB_API_KEY", "another's")
    code, _, err = suite("plan")
    assert code == 1
    assert "no api_url of its own" in err


@pytest.mark.parametrize("day", ["2026-02-30", "2026-99-01", "2026-02-01T25:00:00Z"])
def test_a_day_that_no_calendar_has_is_for_the_tap_to_judge(day, project, suite, monkeypatch):
    """It costs its own account; the whole file was called no YAML."""
    monkeypatch.setenv("KEY_A", "a")
    config = f"{{api_url: https://example.com, start_date: {day}}}"
    line = f"{{account: a, tap: tap-stub, secrets: {{api_key: KEY_A}}, config: {config}}}"
    (project / "accounts.yml").write_text(f"target: target-stub\naccounts:\n- {line}\n")
    code, shown, _ = suite("plan")
    assert code == 0
    assert json.loads(shown)["units"][0]["config"]["start_date"] == day


ONE = "target: t\naccounts:\n- {account: a, tap: tap-stub, config: {x: "
GROWING = ", ".join(f"&a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(12))

BROKEN = {
    "no YAML": ("accounts: [", "accounts.yml: line 1"),
    "a member twice": ("accounts: []\naccounts: []", "accounts.yml: line 2"),
    "a list": ("- 1", "a list `accounts` is missing"),
    "no accounts": ("target: x\naccounts: []", "the list `accounts` is empty"),
    "a text for an account": ("target: x\naccounts: [acme]", "account 1 is no object"),
    "another layout": ("target: x\ntables: rows\naccounts: []", "tables: it is neither"),
    "layouts": ("target: x\ntables: [schema]\naccounts: []", "tables: it is neither"),
    "targets": ("target: [x]\naccounts: []", "`target` must be the name of a target"),
    "nothing": ("", "a list `accounts` is missing"),
    "tabs": ("accounts:\n\t- {account: acme}", "accounts.yml: line 2"),
    "no end of brackets": (f"accounts: {'[' * 3000}", "this is no YAML"),
    "a key twice": (
        "accounts: [{account: a, config: {api_key: shown, api_key: shown too}}]",
        'found duplicate key "api_key"',
    ),
    "no target": ("accounts: [{account: a, tap: tap-stub}]", "a tap-stub: `target` is missing"),
    "bytes": (
        "target: t\naccounts:\n- {account: a, tap: tap-stub, config: {x: {y: [!!binary c2hvd24=]}}}",
        "a tap-stub: config: x must be made of texts",
    ),
    "a set": (
        "target: t\naccounts:\n- {account: a, tap: tap-stub, config: {x: !!set {shown, b}}}",
        "a tap-stub: config: x must be made of texts",
    ),
    "an alias to itself": (
        "target: t\naccounts:\n- {account: a, tap: tap-stub, config: {x: &y [*y], z: .nan}}",
        "a tap-stub: config: x is too deep, too large or an alias to itself",
    ),
    "an account in itself": (
        "target: t\naccounts:\n- &a {account: a, tap: tap-stub, config: {x: {shown: *a}}}",
        "a tap-stub: config: x is too deep, too large or an alias to itself",
    ),
    "aliases that grow": (f"{ONE}[&a0 [x], {GROWING}]}}}}", "config: x is too deep, too large or"),
    "a deep value": (f"{ONE}{'{y: ' * 300}1{'}' * 300}}}}}", "config: x is too deep, too large or"),
    "no number": (f"{ONE}.nan}}}}", "a tap-stub: config: x has a number that JSON can't say, such as .nan"),
    "no end of a number": (
        f"{ONE}{{y: [-.inf]}}}}}}",
        "a tap-stub: config: x has a number that JSON can't say",
    ),
    "a number of 4,816 digits": (f"{ONE}0x{'f' * 4000}}}}}", "config: x has a number that JSON can't say"),
    "a NUL": (f'{ONE}"a\\0"}}}}', "a tap-stub: config: x has a character that no variable can have"),
    "half a character": (f'{ONE}"\\ud800"}}}}', "config: x has a character that no variable can have"),
    "a tag that is wrong": (f"{ONE}!!bool shown}}}}", "accounts.yml: this is no YAML"),
    "a tag without a value": (f"{ONE}!!int ''}}}}", "accounts.yml: this is no YAML"),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_none(text, said, project, suite):
    (project / "accounts.yml").write_text(text)
    code, _, err = suite("plan")
    assert code == 1
    assert said in err
    assert "shown" not in err
    assert all(line.startswith("tap-suite: ") for line in err.splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("plan --nonsense", "--nonsense"),
        ("all --jobs 0", "argument --jobs: it must be a whole number from 1 on"),
        ("all --jobs many", "argument --jobs: it must be a whole number from 1 on"),
        ("all --retry-after -5", "argument --retry-after: it must be a number of seconds from 0 on"),
        ("all --retry-after nan", "argument --retry-after: it must be a number of seconds from 0 on"),
        ("all --retry-after inf", "argument --retry-after: it must be a number of seconds from 0 on"),
        ("all --retry-after soon", "argument --retry-after: it must be a number of seconds from 0 on"),
        ("backfill acme --since yesterday", "argument --since: invalid moment value: 'yesterday'"),
        ("backfill acme --since 0001-01-01T00:00:00+14:00", "argument --since: invalid moment value"),
        (
            "backfill acme --since 2026-01-01 --until 9999-12-31T23:00:00-14:00",
            "argument --until: invalid moment",
        ),
        (
            "backfill acme --since 2026-01-01 --until 2026-01-02 --every 100000w",
            "argument --every: invalid length",
        ),
    ],
)
def test_options_that_are_wrong_end_with_1(words, said, suite, capsys):
    with pytest.raises(SystemExit) as end:
        suite(*words.split())
    assert end.value.code == 1
    assert said in capsys.readouterr().err.splitlines()[-1]
