"""Who is measured: how each is installed, started and checked."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import ROOT, WORK
from benchmarks.server import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

CONCURRENCY = 10
"""Requests at once, for all who can do more than one."""

PEERS = Path(__file__).parent / "peers"
BIN = ROOT / ".venv" / "bin"
STREAMS = ("events", "attendees")


@dataclass(frozen=True)
class Contender:
    """One way to do the work."""

    name: str
    label: str
    command: Callable[[str, Path], Sequence[str | Path]]
    """From the server's URL and the folder of the run to the command."""
    check: Callable[[Path], Sequence[str | Path]]
    """From the folder of the run to the arguments of check.py."""
    venv: str = ""
    """The peer's environment; the project's own if empty."""

    @property
    def python(self) -> Path:
        """The interpreter that the contender runs in."""
        return python(self.venv)


def python(venv: str) -> Path:
    """The interpreter of a peer's environment, or of the project's."""
    return WORK / "venvs" / venv / "bin" / "python" if venv else BIN / "python"


def install() -> None:
    """Install each peer into an environment of its own, unless it is there."""
    for requirements in sorted(PEERS.glob("requirements-*.txt")):
        name = requirements.stem.removeprefix("requirements-")
        stamp = WORK / "venvs" / name / ".installed"
        wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        print(f"==> installing {name}", flush=True)
        uv: list[str | Path] = [BIN / "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, stamp.parent], check=True)
        subprocess.run(
            [*uv, "pip", "install", "--python", python(name), "--requirement", requirements], check=True
        )
        stamp.write_text(wanted)


def versions() -> dict[str, str]:
    """The versions that decide, as the environments have them."""
    packages = {
        "": ("tap-suite", "singer-sdk", "msgspec", "requests", "meltano"),
        "sdk": ("singer-sdk", "requests"),
        "dlt": ("dlt", "duckdb", "pyarrow"),
        "airbyte": ("airbyte-cdk",),
        "estuary": ("estuary-cdk",),
        "loop": ("msgspec", "requests"),
        "curl": ("pycurl",),
    }
    script = (
        "import sys; from importlib.metadata import version; "
        "print(*(f'{name} {version(name)}' for name in sys.argv[1:]), sep=', ')"
    )
    return {
        venv: subprocess.run(
            [python(venv), "-c", script, *names], check=True, capture_output=True, text=True
        ).stdout.strip()
        for venv, names in packages.items()
    }


# Commands


def _write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def _config(url: str, folder: Path, concurrency: int = CONCURRENCY) -> Path:
    return _write(folder / "config.json", {"api_url": url, "api_key": KEY, "concurrency": concurrency})


def catalog() -> Path:
    """tap-events' catalog with all streams but the two deselected."""
    path = WORK / "catalog.json"
    if not path.exists():
        config = _config("http://127.0.0.1", WORK)
        found = subprocess.run(
            [BIN / "tap-events", "--config", config, "--discover"], check=True, capture_output=True
        )
        _write(path, select(json.loads(found.stdout), STREAMS))
    return path


def select(catalog: dict[str, Any], names: Container[str]) -> dict[str, Any]:
    """A catalog with these streams selected and no others."""
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in names
    return catalog


def _suite(concurrency: int) -> Callable[[str, Path], Sequence[str | Path]]:
    def command(url: str, folder: Path) -> Sequence[str | Path]:
        tap = python("suite").with_name("tap-events")
        return [tap, "--config", _config(url, folder, concurrency), "--catalog", catalog()]

    return command


def _sdk(url: str, folder: Path) -> Sequence[str | Path]:
    return [python("sdk"), PEERS / "sdk_tap.py", "--config", _config(url, folder)]


def _airbyte(url: str, folder: Path) -> Sequence[str | Path]:
    streams = [
        {
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
        for name in STREAMS
    ]
    return [
        python("airbyte").with_name("source-declarative-manifest"),
        "read",
        *("--config", _config(url, folder)),
        *("--catalog", _write(folder / "catalog.json", {"streams": streams})),
        *("--manifest-path", PEERS / "airbyte_manifest.yaml"),
    ]


def _script(name: str, venv: str) -> Callable[[str, Path], Sequence[str | Path]]:
    return lambda url, _: [python(venv), PEERS / name, url, KEY]


def _loop(concurrency: int) -> Callable[[str, Path], Sequence[str | Path]]:
    return lambda url, _: [python("loop"), PEERS / "bare_loop.py", url, KEY, str(concurrency)]


def _dlt(work: str, concurrency: int = CONCURRENCY) -> Callable[[str, Path], Sequence[str | Path]]:
    return lambda url, folder: [
        *(python("dlt"), PEERS / "dlt_pipeline.py", work, url, KEY, str(concurrency), folder)
    ]


def _output(kind: str) -> Callable[[Path], Sequence[str | Path]]:
    return lambda folder: [kind, folder / "out"]


def _warehouse(path: str, schema: str) -> Callable[[Path], Sequence[str | Path]]:
    return lambda folder: ["duckdb", folder / path, schema]


SUITE = Contender("suite", "tap-events (this suite)", _suite(CONCURRENCY), _output("singer"))
SUITE_4 = Contender("suite-4", "tap-events, 4 requests at once", _suite(4), _output("singer"))
SUITE_1 = Contender("suite-1", "tap-events, one request at a time", _suite(1), _output("singer"))
LOOP = Contender("loop", "bare loop: fetch, decode, encode", _loop(1), _output("singer"), "loop")
LOOP_10 = Contender(
    "loop-10", f"bare loop, {CONCURRENCY} at once", _loop(CONCURRENCY), _output("singer"), "loop"
)
SDK = Contender("sdk", "plain Singer SDK tap", _sdk, _output("singer"), "sdk")
CURL = Contender("curl", "bare loop on libcurl", _script("curl_loop.py", "curl"), _output("singer"), "curl")
ESTUARY = Contender(
    "estuary", "Estuary's CDK", _script("estuary_capture.py", "estuary"), _output("estuary"), "estuary"
)
AIRBYTE = Contender("airbyte", "Airbyte CDK, declarative", _airbyte, _output("airbyte"), "airbyte")
DLT = Contender("dlt", "dlt rest_api, extract", _dlt("extract", 1), lambda folder: ["dlt", folder], "dlt")
DLT_10 = Contender(
    "dlt-10", "dlt rest_api, extract, parallelized", _dlt("extract"), lambda folder: ["dlt", folder], "dlt"
)
DLT_MERGE = Contender(
    "dlt-merge", "dlt, merge by default", _dlt("merge"), _warehouse("warehouse.duckdb", "bench"), "dlt"
)
DLT_PARQUET = Contender(
    "dlt-parquet", "dlt, merge from parquet", _dlt("parquet"), _warehouse("warehouse.duckdb", "bench"), "dlt"
)
