"""A key that comes back in part, as vendors write it: `Invalid key sk_live_4eC3…dp7d`."""

from __future__ import annotations

import base64
import logging

import pytest

import in_process
from canary import masks_put_back
from json_api import JsonApi
from lists import only
from tap_core import redaction
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
SHORT = "x7Kq-9tRz2"
CUTS = {
    "the last character": KEY[:-1],
    "the first character": KEY[1:],
    "the first half": f"{KEY[:16]}...",
    "the last half": f"...{KEY[16:]}",
    "the middle starred": f"{KEY[:12]}********{KEY[-8:]}",
    "in capitals": KEY[:-1].upper(),
    "with escapes": KEY[4:20].replace("_", "%5F").replace("H", "\\u0048"),
    "in base64": base64.b64encode(f"{KEY}:x".encode()).decode()[:24],
}
TAPS = {"users": TapEvents, "campaigns": TapRewards}


@pytest.fixture(autouse=True)
def _put_back():
    with masks_put_back():
        yield


def longest_run(text, key):
    """The longest part of the key that stands in a text."""
    low, small = text.lower(), key.lower()
    runs = [small[i:j] for i in range(len(key)) for j in range(i + 4, len(key) + 1) if small[i:j] in low]
    return max(runs, key=len, default="")


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("stream", TAPS)
def test_D04_a_key_that_the_api_says_in_part_is_in_no_line(tmp_path, stream, cut):
    tap = TAPS[stream]
    said = {"message": f"Invalid key {CUTS[cut]} given", "errors": {"message": f"Invalid key {CUTS[cut]}"}}
    with JsonApi(lambda *_: (400, said)) as api:
        output = in_process.call(tap, tmp_path, url=api.url, catalog=only(tap, stream), api_key=KEY)
    assert output.code
    assert "Invalid key" in output.log
    assert "(secret)" in output.log
    assert len(longest_run(output.log, KEY)) < 8
    assert CUTS[cut].strip(".") not in output.log


@pytest.mark.parametrize("key", [KEY, SHORT])
def test_D04_a_part_of_a_key_is_in_no_traceback(caplog, key):
    redaction.redact_logs([key])
    caplog.set_level(logging.DEBUG)
    failure = KeyError(f"refused {key[1:]}")
    failure.__cause__ = ValueError(f"refused {key[:-1]}")
    logging.getLogger("new").debug("told of %s", key[1:], exc_info=failure)
    assert "refused (secret)" in caplog.text
    assert len(longest_run(caplog.text, key)) < min(8, len(key) // 2)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("customers-api-key-2026", "https://host/customers-of/api-keys in 2026-01-01T00:00:00Z"),
        ("secret-organization-members", "organization members: 3 rows of Organization"),
        ("12345678-1234-4321-8765-abcdefabcdef", "2026-12-34 1234.5678 s, port 43218"),
        (SHORT, "x7K of 9tRz and 2"),
        (KEY, "sk_live_ keys start so; zdp7 is short"),
        ("abcdefg", "abcdef abc"),
    ],
)
def test_D04_what_other_texts_hold_too_stays(key, text):
    redaction.redact_logs([key])
    assert redaction.redacted(text) == text


def test_D04_the_name_in_a_url_is_no_part_of_a_key():
    redaction.redact_logs([], ["AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI", "wJalrXUtnFEMI"])
    assert redaction.redacted("AKIAIOSFODNN7EXAMPLE may not: wJalrXUtnFEMI") == (
        "AKIAIOSFODNN7EXAMPLE may not: (secret)"
    )


def test_D04_letters_that_become_two_in_small_do_not_move_what_is_masked():
    redaction.redact_logs([KEY])
    assert redaction.redacted(f"\u0130\u0130 {KEY[:-1]} \u0130") == "\u0130\u0130 (secret) \u0130"
