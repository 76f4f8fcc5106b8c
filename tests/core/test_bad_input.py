"""What a user can get wrong: one line that names the setting and says what to do, soon, and no secret."""

from __future__ import annotations

import json

import pytest

from in_process import call, said
from support import KEY, command
from tap_billing.tap import TapBilling
from tap_rewards.tap import TapRewards

CANARY = "canary-key-91735"


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/events", "api_key": KEY, "max_retries": 0}


def fails(config, folder, *arguments, env=None):
    done = command("tap_events", *arguments, config=config, folder=folder, env=env)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line or line.startswith("Error")]
    assert CANARY not in done.stderr + done.stdout
    # What no stream can be read for is said once; what each finds by itself, once for each and at the end.
    assert len(errors) == 1 or "nothing could be read" in errors[-1], done.stderr
    return errors[-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"api_key": None}, ["api_key is missing", "TAP_EVENTS_API_KEY"]),
        ({"api_key": ""}, ["api_key must not be empty"]),
        ({"api_key": 12}, ["api_key must be a text"]),
        ({"api_key": CANARY}, ["api_key was refused (401)", "create a new one"]),
        ({"api_key": f"{CANARY}\n"}, ["api_key holds a blank"]),
        ({"api_url": None}, ["api_url is missing"]),
        ({"api_url": "api.example.com"}, ["api_url must be a whole URL"]),
        ({"api_url": "ftp://api.example.com"}, ["api_url must be a whole URL"]),
        ({"api_url": "http://[::1"}, ["api_url must be a whole URL"]),
        ({"api_url": f"https://me:{CANARY}@api.example.com"}, ["api_url must hold no user"]),
        ({"api_url": "http://api.example.com"}, ["api_url would send the key in the clear"]),
        ({"api_url": "http://127.0.0.1:9"}, ["127.0.0.1:9", "Connection refused", "api_url"]),
        (
            {"api_url": "https://no-such-host.invalid"},
            ["no-such-host.invalid", "connection failed", "api_url"],
        ),
        ({"max_retries": -1}, ["max_retries must be 0 or more"]),
        ({"max_retries": "many"}, ["max_retries must be a whole number"]),
        ({"api_url": f"https://:{CANARY}@api.example.com"}, ["api_url must hold no user"]),
        ({"request_timeout": 0}, ["request_timeout must be more than 0"]),
        ({"request_timeout": float("nan")}, ["request_timeout must be a number"]),
        ({"request_timeout": float("inf")}, ["request_timeout must be"]),
        ({"request_timeout": 1e12}, ["request_timeout must be 86400 or less"]),
        ({"backoff_factor": float("nan")}, ["backoff_factor must be a number"]),
        ({"max_body": 0}, ["max_body must be 1 or more"]),
        ({"user_agent": "a\nb"}, ["user_agent must be one line of plain text"]),
        ({"user_agent": "café ☕"}, ["user_agent must be one line of plain text"]),
        ({"api_key_header": "x:y"}, ["api_key_header must be a header's name"]),
        ({"requests_per_minute": 0}, ["requests_per_minute must be 1 or more"]),
        ({"concurrency": 1000}, ["concurrency must be 64 or less"]),
        ({"start_date": "yesterday"}, ["start_date is no date"]),
        ({"api_version": "v9"}, ["api_url has nothing at", "api_version"]),
    ],
)
def test_settings(config, tmp_path, change, words):
    wanted = {name: value for name, value in {**config, **change}.items() if value is not None}
    line = fails(wanted, tmp_path)
    assert all(word in line for word in words), line


def test_D08_a_setting_that_is_null_is_not_set(config, tmp_path):
    names = ("max_retries", "backoff_factor", "request_timeout", "max_wait", "api_key_header", "user_agent")
    done = command("tap_events", "--test", config={**config, **dict.fromkeys(names)}, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_missing_setting_is_named():
    done = command("tap_events", "--config", "ENV")
    assert done.returncode == 1
    assert "api_url is missing" in done.stderr
    assert "api_key is missing" in done.stderr
    assert done.stderr.count("is missing") == 2


def test_settings_that_do_nothing(config, tmp_path):
    """They are told, and the run goes on."""
    more = {"concurency": 3, "start_date": "2026-01-01"}
    done = command("tap_events", "--test", config={**config, **more}, folder=tmp_path)
    assert done.returncode == 0
    assert "concurency is no setting of this tap and is ignored; is concurrency meant?" in done.stderr
    assert "start_date is ignored: tap-events reads all of its streams whole" in done.stderr


def test_forbidden(api, config, tmp_path):
    api.fault("status", status=403)
    assert "api_key may not read" in fails(config, tmp_path)


def test_forbidden_for_one_stream(api, config, tmp_path):
    api.fault("status", status=403, path="/events/v1/users")
    done = command("tap_events", config=config, folder=tmp_path)
    assert done.returncode == 2
    assert "partly read: users" in done.stderr
    assert '"stream":"attendees"' in done.stdout
    done = command("tap_events", config={**config, "allow_skipped_streams": True}, folder=tmp_path)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("option", "content", "words"),
    [
        ("--catalog", "{", "catalog is no JSON"),
        ("--catalog", "[]", "catalog: the file has no list `streams`"),
        ("--catalog", '{"streams": [{}]}', "catalog: a stream has no `tap_stream_id`"),
        ("--state", "{", "state is no JSON"),
        ("--state", "[]", "state: the file holds no JSON object"),
        ("--state", '{"bookmarks": {"events": 3}}', "state: `bookmarks` must be"),
    ],
)
def test_files(config, tmp_path, option, content, words):
    path = tmp_path / "input.json"
    path.write_text(content)
    assert words in fails(config, tmp_path, option, path)


def test_missing_files(config, tmp_path):
    for option in ("--catalog", "--state"):
        assert "No such file" in fails(config, tmp_path, option, tmp_path / "none.json")
    done = command("tap_events", "--config", tmp_path / "none.json")
    assert done.returncode == 1
    assert "none.json can't be read" in done.stderr


def test_environment(api, config, tmp_path):
    env = {"TAP_EVENTS_API_URL": config["api_url"], "TAP_EVENTS_API_KEY": KEY, "TAP_EVENTS_MAX_RETRIES": "0"}
    assert command("tap_events", env=env).returncode == 0
    assert (
        command("tap_events", config={"api_url": config["api_url"]}, folder=tmp_path, env=env).returncode == 0
    )
    line = fails({}, tmp_path, env={**env, "TAP_EVENTS_MAX_RETRIES": "three"})
    assert "TAP_EVENTS_MAX_RETRIES can't be read" in line


def test_the_variable_of_a_preset_is_named(config, tmp_path):
    """Meltano tells the tap which of its plugins it is."""
    config = {name: value for name, value in config.items() if name != "api_key"}
    line = fails(config, tmp_path, env={"MELTANO_EXTRACTOR_NAME": "tap-eventzilla"})
    assert "api_key is missing: set it in the config file, or as TAP_EVENTZILLA_API_KEY in the" in line


def test_about_and_discover_need_no_settings():
    about = json.loads(command("tap_events", "--about", "--format", "json").stdout)
    assert {"api_url", "api_key", "concurrency"} <= about["settings"]["properties"].keys()
    catalog = json.loads(command("tap_events", "--discover").stdout)
    assert len(catalog["streams"]) == 7


@pytest.mark.parametrize("word", ["nope", "ALL", "yes"])
def test_a_kind_of_test_that_there_is_not(api, config, tmp_path, word):
    line = fails(config, tmp_path, f"--test={word}")
    assert "'--test'" in line
    assert "is not one of 'all', 'schema'" in line
    assert not api.requests


@pytest.mark.parametrize(
    ("tap", "stream", "key"),
    [(TapBilling, "customers", "updated_at"), (TapRewards, "orders", "created_at")],
)
def test_a_long_bookmark_is_cut_in_its_line(tmp_path, tap, stream, key):
    entry = {"replication_key": key, "replication_key_value": "x" * 3000}
    output = call(tap, tmp_path, state={"bookmarks": {stream: entry}})
    assert output.code == 1
    (line,) = said(output)
    assert line.startswith(f"state: {stream}: the bookmark 'xxx")
    assert "no date and time; correct or remove it" in line
    assert len(line) < 200
