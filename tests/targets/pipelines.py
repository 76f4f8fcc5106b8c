"""A tap and the loader that it writes to, each in a process of its own, joined by a pipe as a shell does."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from functools import cache

import starter
from support import KEY
from target_duckdb_exact.target import TargetDuckDB

WITHIN = 60
"""Seconds in which whatever is left of a pipeline that was hurt has to end."""


@cache
def _forks():
    """Processes that have the loader imported already: a start takes seconds, a fork does not."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["target_duckdb_exact.target"])
    return context


def _load(pipe, config, states, log):
    os.dup2(pipe.fileno(), 0)
    for number, path in ((1, states), (2, log)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    pipe.close()
    sys.stdin = os.fdopen(0)
    TargetDuckDB.cli.main(["--config", str(config)])


class Pipeline:
    """A run that was started."""

    def __init__(self, folder, domain, url, state=None, *, batches=None, **settings):
        folder.mkdir(exist_ok=True)
        self._folder, self._before = folder, state
        claims = {"emit_activate_version_messages": True, "requests_per_minute": 100_000}
        claims |= {"batch_config": batches} if batches else {}
        words = ["--config", self._file("tap", {"api_url": url, "api_key": KEY, **claims})]
        if state is not None:
            words += ["--state", self._file("state", state)]
        config = self._file("target", {"default_target_schema": "tap", "batch_size_rows": 300, **settings})
        self._states, self._log = folder / "states.jsonl", folder / "target.log"
        self._states.unlink(missing_ok=True)
        reading, writing = _forks().Pipe(duplex=False)
        with writing, (folder / "tap.log").open("wb") as log:
            self.tap = starter.start(f"tap_{domain}", words, stdout=writing, stderr=log)
        with reading:
            self.loader = _forks().Process(target=_load, args=(reading, config, self._states, self._log))
            self.loader.start()

    def _file(self, name, content):
        path = self._folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def kill(self, victim, how, seconds):
        """Send a process a signal, so many seconds after the loader has begun to read."""
        while self.loader.is_alive() and not self._states.exists():
            time.sleep(0.002)
        time.sleep(seconds)
        process = getattr(self, victim)
        if victim == "tap":
            process.send_signal(how)
        elif process.is_alive():
            os.kill(process.pid, how)

    def end(self):
        """The exit codes of tap and loader, and the STATE that the next run begins with."""
        tap = self.tap.wait(WITHIN)
        self.loader.join(WITHIN)
        code = self.loader.exitcode
        assert code is not None, "the loader has not ended"
        assert "Traceback" not in (self._folder / "tap.log").read_text() + self._log.read_text()
        told = self._states.read_text().splitlines() if self._states.exists() else []
        return tap, code, json.loads(told[-1]) if told else self._before
