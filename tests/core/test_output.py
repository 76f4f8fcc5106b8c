"""Standard output that is full or closed, or standard error that is: the exit code tells, and a line does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support import KEY
from two_taps import CUSTOMERS, billing, events


def start(folder, tap, url, redirection, *arguments):
    """A tap in a shell that closes or redirects its streams."""
    (folder / "config.json").write_text(json.dumps({"api_url": url, "api_key": KEY, "max_retries": 0}))
    words = [sys.executable, "-m", tap, "--config", str(folder / "config.json"), *arguments]
    line = f'exec "$@" {redirection}'
    return subprocess.run(["sh", "-c", line, "sh", *words], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("tap", "server", "arguments"),
    [("tap_billing", billing, ()), ("tap_events", events, ()), ("tap_events", events, ("--discover",))],
)
def test_D12_a_full_disk_is_named(tmp_path, tap, server, arguments):
    with server() as api:
        done = start(tmp_path, tap, api.url, "> /dev/full", *arguments)
    assert done.returncode == 1
    assert "Standard output can't be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(("tap", "server"), [("tap_billing", billing), ("tap_events", events)])
def test_D12_a_closed_output_is_named(tmp_path, tap, server):
    with server() as api:
        done = start(tmp_path, tap, api.url, ">&-")
    assert done.returncode == 1
    assert "Standard output can't be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_D12_without_standard_error_all_is_read(tmp_path):
    with billing() as api:
        done = start(tmp_path, "tap_billing", api.url, "2>&-")
    assert done.stdout.count('"type":"RECORD"') == len(CUSTOMERS) + 1
    assert done.stdout.splitlines()[-1].startswith('{"type":"STATE"')
    assert done.returncode == 2  # the server has no invoices


def test_D12_without_both_the_exit_code_says_so(tmp_path):
    with billing() as api:
        assert start(tmp_path, "tap_billing", api.url, ">&- 2>&-").returncode == 1
