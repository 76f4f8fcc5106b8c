"""Stands in for `meltano` where Meltano is not the point: logs as it does, and notes how it was run.

The account's setting `scenario` says what becomes of it; the setting `folder` is where it notes that.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path


def log(event, **more):
    print(
        json.dumps({"event": event, "level": "info", "timestamp": "2026-01-01T00:00:00Z", **more}), flush=True
    )


def tap(event, **more):
    log(event, producer=True, string_id="tap-stub", pid=os.getpid(), **more)


def ends(tap_code, target_code=0):
    codes = {"extractors": tap_code, "loaders": target_code}
    log("Block run completed", level="error", err="Failed", exit_codes={k: v for k, v in codes.items() if v})
    return 1


FAILURES = {
    "partly": ("partly read: loans, readers", 2, 0),
    "refused": ("nothing could be read: api_key was refused (401) by 127.0.0.1: check it", 1, 0),
    "unreachable": ("127.0.0.1 failed 1 time; run again with the last STATE", 1, 0),
    "target fails": ("The target closed its input before the end; see its own log", 1, 1),
    "leaks": ("the key is {key}", 1, 0),
}
"""The tap's last line, and the exit codes of tap and target."""


def play(scenario, folder, name):
    """Do what the scenario says; returns the exit code."""
    if scenario == "partly, which is allowed":
        tap("partly read: loans", level="warning")
    if scenario == "lengthy":
        for _ in range(1000):
            tap("more than a pipe holds " * 10)
    if scenario == "surrogate":
        tap("\ud800")
    if scenario == "unreachable once" and not (folder / "tried").exists():
        (folder / "tried").touch()
        scenario = "unreachable"
    if scenario in FAILURES:
        line, *codes = FAILURES[scenario]
        if scenario == "target fails":
            log("The disk is full", level="error", consumer=True, string_id="target-stub")
        tap(line.format(key=setting("API_KEY")), level="error")
        return ends(*codes)
    end = time.monotonic() + {"slow": 0.4, "hangs": 30}.get(scenario, 0)
    while time.monotonic() < end and not (folder / f"{name}.go").exists():
        time.sleep(0.02)
    return 0


def setting(name):
    return os.environ.get(f"{sys.argv[-2].upper().replace('-', '_')}_{name}")


def main():
    folder, name = Path(setting("FOLDER")), setting("_LOAD_SCHEMA")
    note = {
        "words": sys.argv[1:],
        "variables": {key: value for key, value in os.environ.items() if "KEY" in key or "MELTANO" in key},
        "window": [setting("START_DATE"), setting("END_DATE")],
        "name": name,
        "began": time.monotonic(),
    }

    def stopped(*_):
        finish(143)

    def finish(code):
        with (folder / "runs").open("a") as runs:
            runs.write(json.dumps({**note, "ended": time.monotonic(), "code": code}) + "\n")
        os._exit(code)

    signal.signal(signal.SIGTERM, stopped)
    # Before it is noted as begun: whoever is killed then reads no more, and a write would end this too.
    tap(f"tap-stub 0.1.0 reads {name}")
    tap("METRIC", metric_info={"type": "counter", "metric": "record_count", "value": 7})
    with (folder / "begun").open("a") as begun:
        begun.write(f"{name} {os.getpid()}\n")
    finish(play(setting("SCENARIO"), folder, name))


main()
