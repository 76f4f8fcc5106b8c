"""A key is in nothing that a tap says, at any level, whatever the server makes of it."""

from __future__ import annotations

import base64
import json
import logging
import re
from itertools import product
from urllib.parse import quote

import pytest
import requests

from canary import CANARY, assert_silent
from raw_server import RawServer, answer
from support import command
from tap_core import redaction

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
@pytest.mark.parametrize("status", [400, 422])
def test_the_password_of_a_proxy_that_sends_it_back(tmp_path, name, status):
    def refuse(_, __):
        (given,) = re.findall("(?i)proxy-authorization: (.*)", proxy.heads[-1].decode())
        said = f"denied: {given.strip()} p/roxy-CANARY"
        return answer({"message": said, "errors": [said]}, f"{status} Oops")

    with RawServer(refuse) as proxy:
        where = proxy.url.replace("http://", "http://me:p%2Froxy-CANARY@")
        env = {**LOUD, **dict.fromkeys(("HTTP_PROXY", "http_proxy"), where), "NO_PROXY": "", "no_proxy": ""}
        config = {
            "api_url": "http://api.test.invalid",
            "api_key": "some-key",
            "allow_insecure_http": True,
            "max_retries": 0,
        }
        done = command(f"tap_{name}", config=config, folder=tmp_path, env=env)
    assert proxy.heads
    assert done.returncode == 1
    encoded = base64.b64encode(b"me:p/roxy-CANARY").decode()
    assert f"Basic {encoded}" in proxy.heads[0].decode()
    assert [form for form in ("CANARY", encoded.rstrip("=")) if form in done.stdout + done.stderr] == []


def test_a_key_that_is_quoted_as_a_whole_url_is():
    key = 'pk/CANARY+9="<x>'
    redaction.redact_logs([key])
    place = requests.utils.requote_uri(f"http://127.0.0.1/{key}")
    record = logging.getLogRecordFactory()("tap", logging.INFO, __file__, 1, "moved to %s", (place,), None)
    assert "CANARY" not in record.getMessage()


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


def logged(folder, config, *, logger):
    """What a handler of its own on a logger writes of a run that fails."""
    log, settings = folder / "own.log", folder / "logging.yml"
    handler = f"{{class: logging.FileHandler, filename: {log}}}"
    settings.write_text(
        f"version: 1\ndisable_existing_loggers: false\n"
        f"handlers: {{file: {handler}}}\nloggers: {{{logger}: {{level: DEBUG, handlers: [file]}}}}\n"
    )
    env = {"SINGER_SDK_LOG_CONFIG": str(settings)}
    done = command(logger.replace("-", "_"), config=config, folder=folder, env=env)
    assert done.returncode == 1
    return log.read_text()


@pytest.mark.parametrize("name", ["billing", "events"])
def test_J06_E01_a_key_in_a_log_of_the_users_own(api, tmp_path, name):
    """The API repeats it in capitals, and past the place where its message is cut."""
    said = f"{'x' * 95}{CANARY} {CANARY.upper()}"
    body = json.dumps({"message": said, "errors": [said]})
    api.fault("raw_body", path=f"/{name}/", body=body, status=422)
    config = {"api_url": f"{api.url}/{name}", KEYS[name]: CANARY, "max_retries": 0}
    text = logged(tmp_path, config, logger=f"tap-{name}")
    assert "(secret)" in text
    assert CANARY[:8].lower() not in text.lower()


@pytest.mark.parametrize("name", ["rewards", "billing"])
@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
@pytest.mark.parametrize(
    "given", ['{{"api_key": "{}"}}', ' \n[{{"api_key": "{}"}}]', '{{"api_key": "{}"}}' + " " * 5000]
)
def test_a_key_in_content_that_is_given_as_a_path(name, option, given):
    done = command(f"tap_{name}", option, given.format(CANARY))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith(f"{option[2:]}: give the path of a file, not its content")
    assert_silent(done.stdout + done.stderr)


@pytest.mark.parametrize("name", ["rewards", "billing"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--config", CANARY], "config: the file can't be read (No such file or directory)"),
        (["--state", CANARY], "state: the file can't be read (No such file or directory)"),
        ([CANARY], "the command line has a word that belongs to no option: put quotes around"),
        (['"api_key":', f'"{CANARY}"}}'], "the command line has 2 words that belong to no option"),
    ],
)
def test_a_key_that_stands_on_the_command_line(name, words, said):
    done = command(f"tap_{name}", *words)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert said in line
    assert_silent(done.stdout + done.stderr)


@pytest.mark.parametrize("name", ["rewards", "billing"])
@pytest.mark.parametrize("by_environment", [False, True])
def test_a_key_as_the_value_of_another_option(tmp_path, name, by_environment):
    env = {f"TAP_{name.upper()}_{KEYS[name].upper()}": CANARY} if by_environment else {}
    config = {"api_url": "http://127.0.0.1:9"} if by_environment else {KEYS[name]: CANARY}
    done = command(f"tap_{name}", "--about", "--format", CANARY, config=config, folder=tmp_path, env=env)
    assert done.returncode == 1
    assert "'(secret)' is not one of" in done.stderr
    assert_silent(done.stdout + done.stderr)
