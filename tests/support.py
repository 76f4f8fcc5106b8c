"""Runs a tap against a server and sorts what it writes."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import jsonschema_rs

import starter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tap_core.tap import ApiTap

KEY = "sandbox-key"


@dataclass
class Output:
    """The messages of one run."""

    text: str
    log: str = ""
    code: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.messages = [json.loads(line, parse_float=Decimal) for line in self.text.split("\n") if line]

    @property
    def schemas(self) -> dict[str, list[dict[str, Any]]]:
        """SCHEMA messages by stream."""
        found = defaultdict(list)
        for message in self.messages:
            if message["type"] == "SCHEMA":
                found[message["stream"]].append(message)
        return dict(found)

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Records by stream, without the unmapped column where it is empty."""
        found = defaultdict(list)
        for message in self.messages:
            if message["type"] == "RECORD":
                record = dict(message["record"])
                if record.get("_sdc_unmapped") is None:
                    record.pop("_sdc_unmapped", None)
                found[message["stream"]].append(record)
        return dict(found)

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE."""
        states = [message["value"] for message in self.messages if message["type"] == "STATE"]
        return states[-1] if states else {}

    def rows(self, stream: str) -> dict[Any, dict[str, Any]]:
        """Records of a stream by key, the last one where a key comes again."""
        keys = self.schemas[stream][0]["key_properties"]
        return {tuple(record[key] for key in keys): record for record in self.records.get(stream, [])}

    def check(self) -> None:
        """One SCHEMA per stream, before its records, and every record valid against it."""
        validators = {}
        for message in self.messages:
            if message["type"] == "SCHEMA":
                assert message["stream"] not in validators, f"a second SCHEMA of {message['stream']}"
                validators[message["stream"]] = jsonschema_rs.Draft202012Validator(
                    message["schema"], validate_formats=True
                )
            elif message["type"] == "RECORD":
                validators[message["stream"]].validate(message["record"])


def discovered(tap: type[ApiTap]) -> dict[str, Any]:
    """The catalog of a tap, to be changed at will."""
    return dict(json.loads(_discovered(tap)))


@functools.cache
def _discovered(tap: type[ApiTap]) -> str:
    settings = {"api_url": "http://localhost", tap.key_setting: KEY}
    return json.dumps(tap(config=settings).catalog_dict)


def run(
    tap: type[ApiTap],
    config: Mapping[str, Any],
    *,
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
) -> Output:
    """Run a tap in this process; failures are raised."""
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        tap(
            config={"backoff_factor": 0.01, **config},
            state=json.loads(json.dumps(state or {})),
            catalog=json.loads(json.dumps(catalog)) if catalog else None,
        ).run()
    return Output(stdout.getvalue())


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def command(
    module: str,
    *arguments: str | Path,
    config: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> subprocess.CompletedProcess[str]:
    """Run a tap's command in a process of its own; `config` is written to a file in `folder`."""
    words: Sequence[str | Path] = arguments
    if config is not None:
        assert folder is not None
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        words = ("--config", path, *words)
    if starter.fits(module, env):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
            code = starter.start(module, words, stdout=out, stderr=log, env=env).wait(timeout)
            texts = (_read(file) for file in (out, log))
            return subprocess.CompletedProcess([module, *words], code, *texts)
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        capture_output=True,
        check=False,
        env={**os.environ, **(env or {})},
        text=True,
        timeout=timeout,
    )
