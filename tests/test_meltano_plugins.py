"""What Meltano knows of the plugins: presets, settings, where a loader by hand puts its tables."""

import json
import subprocess
from difflib import unified_diff

import duckdb
import pytest

from meltano_project import MELTANO, ROOT, TAPS

PRESETS = {
    "tap-eventzilla": {"api_url": "https://www.eventzillaapi.net/api", "api_version": "v2"},
    "tap-calcom": {"api_url": "https://api.cal.com", "api_version": "v2"},
    "tap-easypromos": {"api_url": "https://api.easypromosapp.com/v2"},
    "tap-maxio": {"api_url": ""},
    "tap-tremendous": {"api_url": "https://api.tremendous.com/api", "api_version": "v2"},
}

pytestmark = pytest.mark.meltano


def test_presets_lack_the_key_alone(answers_of):
    found = answers_of([["--environment=sandbox", "config", "print", preset] for preset in PRESETS])
    for preset, config in zip(PRESETS, map(json.loads, found), strict=True):
        assert PRESETS[preset].items() <= config.items()
        assert not config.get("api_key"), preset
        assert not config.get("bearer_token"), preset
        assert config.get("requests_per_minute", 1) <= 200, preset


def test_preset_without_the_sandbox(answers_of):
    (found,) = answers_of(
        [["--environment=prod", "config", "print", "tap-eventzilla"]],
        TAP_EVENTS_API_KEY="",
        TAP_EVENTS_API_URL="",
    )
    config = json.loads(found)
    assert PRESETS["tap-eventzilla"].items() <= config.items()
    assert not config.get("api_key")


def test_preset_has_a_state_of_its_own_and_names_what_is_missing(meltano):
    run = meltano("run", "tap-maxio", "target-jsonl")
    assert run.returncode == 1
    assert "'sandbox:tap-maxio-to-target-jsonl'" in run.stderr
    assert "api_url must not be empty" in run.stderr
    assert "api_key must not be empty" in run.stderr


@pytest.mark.parametrize(
    ("tap", "wrong", "words"),
    [
        ("tap-billing", {"TAP_BILLING_API_KEY": "wrong"}, "api_key was refused (401)"),
        ("tap-events", {"TAP_EVENTS_API_URL": "http://127.0.0.1:9"}, "connection failed"),
    ],
)
def test_G_settings_that_let_nothing_be_read_are_not_called_valid(meltano, tap, wrong, words):
    run = meltano("config", "test", tap, TAP_EVENTS_MAX_RETRIES="0", **wrong)
    assert run.returncode == 1
    assert "Plugin configuration is invalid" in run.stderr
    # Meltano shows the last line of two pipes, whichever it read last: all of them are in the tap's own log.
    assert words in meltano("invoke", tap, TAP_EVENTS_MAX_RETRIES="0", **wrong).stderr


def test_every_setting_is_listed_with_its_description_and_meltano_leaves_its_file_alone(answers_of):
    before = (ROOT / "meltano.yml").read_text()
    found = answers_of([["config", "list", "--all", f"tap-{name}"] for name in TAPS])
    for (name, tap), shown in zip(TAPS.items(), found, strict=True):
        for setting, field in tap.config_jsonschema["properties"].items():
            assert f"{setting} [env: TAP_{name}_{setting}]".upper() in shown.upper()
            assert field["description"] in shown
    assert (ROOT / "meltano.yml").read_text() == before


def test_J10_by_hand_the_loader_has_a_schema(answers_of, tmp_path):
    """`meltano invoke target-duckdb` has this config: only a run names the schema."""
    (shown,) = answers_of([["config", "print", "target-duckdb"]])
    (tmp_path / "config.json").write_text(shown)
    schema = {"type": "SCHEMA", "stream": "t", "schema": {"properties": {"id": {"type": "integer"}}}}
    messages = [{**schema, "key_properties": ["id"]}, {"type": "RECORD", "stream": "t", "record": {"id": 1}}]
    loading = subprocess.run(
        [MELTANO.with_name("target-duckdb-exact"), "--config", tmp_path / "config.json"],
        input="".join(f"{json.dumps(message)}\n" for message in messages),
        capture_output=True,
        check=False,
        text=True,
    )
    assert loading.returncode == 0, loading.stderr
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT id FROM main.t").fetchall() == [(1,)]


CHANGES = [
    ["--environment=prod", "config", "set", "tap-tremendous", "start_date", "2026-01-01"],
    ["--no-environment", "config", "set", "tap-events", "start_date", "2026-01-01"],
    ["--no-environment", "config", "set", "target-duckdb", "naming", "snake_case"],
    ["--environment=prod", "select", "tap-tremendous", "orders", "*"],
]


def test_G14_what_meltano_changes_in_its_file_is_only_added(answers_of, tmp_path):
    """It writes all of its file anew: what is not in its own order moves, and comments go with it."""
    before = (ROOT / "meltano.yml").read_text()
    (tmp_path / "meltano.yml").write_text(before)
    answers_of(CHANGES, MELTANO_PROJECT_ROOT=str(tmp_path))
    after = (tmp_path / "meltano.yml").read_text()
    assert [line for line in unified_diff(before.splitlines(), after.splitlines()) if line[0] == "-"][
        1:
    ] == []
    for added in ("start_date: '2026-01-01'\n", "naming: snake_case\n", "- orders.*\n"):
        assert f" {added}" in after
