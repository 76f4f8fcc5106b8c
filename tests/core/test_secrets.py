"""A key is in nothing that a tap says, at any level, whatever the server makes of it."""

from __future__ import annotations

import base64
import json
from itertools import product
from urllib.parse import quote

import pytest

from support import command

CANARY = "canary/ key+91735="  # with letters that URLs write in another way
FORMS = (
    CANARY,
    quote(CANARY, safe=""),
    quote(CANARY),
    base64.b64encode(f"{CANARY}:x".encode()).decode(),
    base64.b64encode(CANARY.encode()).decode(),
)
KEYS = {
    "billing": "api_key",
    "events": "api_key",
    "promotions": "bearer_token",
    "rewards": "api_key",
    "scheduling": "api_key",
}
LOUD = {"LOGLEVEL": "DEBUG", **{f"TAP_{name.upper()}_LOGLEVEL": "DEBUG" for name in KEYS}}
ECHO = json.dumps({"message": f"bad {CANARY}", "error": f"bad {CANARY}", "errors": [f"bad {CANARY}"]})


def said(api, name, folder, *arguments):
    """All that the tap says on its standard output and error, records aside."""
    config = {
        "api_url": f"{api.url}/{name}{'/v2' if name == 'promotions' else ''}",
        KEYS[name]: CANARY,
        "max_retries": 1,
        "backoff_factor": 0,
    }
    done = command(f"tap_{name}", *arguments, config=config, folder=folder, env=LOUD)
    return done.returncode, done.stdout + done.stderr


def assert_silent(text):
    assert text
    assert [form for form in FORMS if form in text] == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [*product(KEYS, ([], ["--test"])), ("events", ["--about"]), ("events", ["--discover"])],
)
def test_a_key_that_is_refused(api, tmp_path, name, arguments):
    """The sandbox knows another key; of those refusals it tells nothing."""
    code, text = said(api, name, tmp_path, *arguments)
    assert code == (1 if arguments in ([], ["--test"]) else 0)
    assert_silent(text)


@pytest.mark.parametrize(
    ("status", "arguments"),
    [*product([302, 400, 401, 403, 404, 422, 429, 500], [[]]), (400, ["--test"]), (404, ["--test"])],
)
def test_a_key_that_the_server_sends_back(api, tmp_path, status, arguments):
    """In the body, in a header, in the place where it says the resource has moved to."""
    headers = {"X-Echo": quote(CANARY), "Location": f"http://127.0.0.2:9/{quote(CANARY, safe='')}"}
    api.fault("raw_body", path="/events/", body=ECHO, status=status, headers=headers)
    code, text = said(api, "events", tmp_path, *arguments)
    assert code == 1
    assert_silent(text)


@pytest.mark.parametrize("name", ["billing", "events"])
def test_a_key_in_a_body_that_is_no_json(api, tmp_path, name):
    api.fault("raw_body", path=f"/{name}/", body=f"<p>{CANARY}</p>")
    code, text = said(api, name, tmp_path)
    assert code == 1
    assert_silent(text)


@pytest.mark.parametrize("name", ["billing", "events"])
def test_a_key_in_a_traceback(tmp_path, name):
    """Of a fault of the tap's own, whose message and variables have the key in them."""
    (tmp_path / "broken.py").write_text(
        f"""
from tap_core.tap import ApiTap

def fail(tap, key={CANARY!r}):
    header = "Bearer " + key
    raise RuntimeError(header)

ApiTap.run = fail
from tap_{name}.__main__ import *
"""
    )
    config = {"api_url": "http://127.0.0.1:9", KEYS[name]: CANARY}
    done = command("broken", config=config, folder=tmp_path, env={**LOUD, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "This should not have happened" in done.stderr
    assert "RuntimeError" in done.stderr
    assert_silent(done.stdout + done.stderr)


def test_a_key_from_the_environment(api, tmp_path):
    env = {"TAP_EVENTS_API_KEY": CANARY}
    api.fault("raw_body", path="/events/", body=ECHO, status=400)
    config = {"api_url": f"{api.url}/events", "max_retries": 0}
    done = command("tap_events", config=config, folder=tmp_path, env={**LOUD, **env})
    assert done.returncode == 1
    assert_silent(done.stdout + done.stderr)


def test_state_holds_no_key(api, tmp_path):
    """Nor does any message of a whole run."""
    done = command(
        "tap_rewards",
        config={"api_url": f"{api.url}/rewards", "api_key": "sandbox-key", "lookback": 1},
        folder=tmp_path,
        env=LOUD,
    )
    assert done.returncode == 0, done.stderr
    assert "sandbox-key" not in done.stdout + done.stderr
