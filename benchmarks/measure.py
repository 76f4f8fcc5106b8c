"""Runs a contender once, and says what that took."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import resource
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[1]
WORK = Path(__file__).parent / ".work"

_KIB = 1 if sys.platform == "darwin" else 1024
"""What the system counts memory in."""


@dataclass
class Sample:
    """One run of one contender."""

    work: str
    contender: str
    size: str
    seconds: float
    cpu: float
    """Processor seconds of the process and all it started."""
    memory: int
    """Bytes of the largest of these processes at its peak."""
    requests: int
    server: float
    """Processor seconds of the server."""
    state: int = 0
    """Bytes of all STATE messages."""


class Server:
    """The server, as a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = process.stdout.readline().strip() if process.stdout else ""

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Server]:
        """Start it, and end it at the end."""
        command = [sys.executable, "-m", "benchmarks.server", "0"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield cls(process)
            finally:
                process.terminate()

    def stats(self) -> dict[str, Any]:
        """Requests and processor seconds since this was last asked."""
        connection = HTTPConnection(self.url.removeprefix("http://"))
        connection.request("GET", "/stats")
        stats: dict[str, Any] = json.load(connection.getresponse())
        connection.close()
        return stats


def environment(folder: Path) -> dict[str, str]:
    """Variables for a contender: no settings of this user or machine."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(folder), "NO_COLOR": "1"}


def empty_folder(name: str) -> Path:
    """A folder for one run."""
    folder = WORK / "runs" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[float, float, int]:
    """Run a command; its output goes to `out` and `log` in the folder.

    Returns:
        Seconds on the clock, processor seconds, and bytes of memory at the peak.

    Raises:
        SystemExit: It failed.
    """
    with (folder / "out").open("wb") as out, (folder / "log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=log, env={**environment(folder), **variables}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = b"\n".join((folder / name).read_bytes()[-2000:] for name in ("out", "log"))
        raise SystemExit(f"{' '.join(command)} failed:\n{tail.decode(errors='replace')}")
    return seconds, usage.ru_utime + usage.ru_stime, peak(usage)


def peak(usage: resource.struct_rusage) -> int:
    """Bytes of memory at the peak."""
    return usage.ru_maxrss * _KIB


def summary(interpreter: str, *arguments: str) -> str:
    """What a contender delivered, or what was expected, as check.py tells it."""
    command = [interpreter, "-m", "benchmarks.check", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def machine() -> dict[str, str]:
    """The machine's size."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
