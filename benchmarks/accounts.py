"""Measures what `tap-suite all` takes for accounts without news, beside a `meltano run` for each of them.

python -m benchmarks.accounts --accounts 50 --jobs 2    # `make plugins` first; let nothing else run meanwhile
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import BIN
from benchmarks.measure import ROOT, empty_folder, environment
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAP, TARGET, STREAMS = "tap-tremendous", "target-duckdb", ("campaigns", "products")
ROWS = 20
"""Rows of each list."""


class Answer(BaseHTTPRequestHandler):
    """Two small lists, the same for whatever key."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the list that the path names."""
        name = self.path.partition("?")[0].rpartition("/")[2]
        body = json.dumps({name: [{"id": f"{number}", "name": "A"} for number in range(ROWS)]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Accounts:
    """Accounts in a Meltano project of the benchmark's, whose plugins are the project's.

    Args:
        folder: Where the project is.
        url: Where the server is.
        names: What the accounts are called; the variable of a key is its account's name in capitals.
        jobs: How many are run at once.
    """

    folder: Path
    url: str
    names: list[str]
    jobs: int

    @property
    def variables(self) -> dict[str, str]:
        """The environment that all runs share."""
        keys = {name.upper(): f"key-of-{name}" for name in self.names}
        return {**environment(self.folder), **keys, "MELTANO_ENVIRONMENT": "prod"}

    def set_up(self) -> None:
        """Write the project, and read all accounts once."""
        for name in (".meltano", "output"):
            (self.folder / name).mkdir()
        for kind in ("extractors", "loaders"):
            (self.folder / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
        (self.folder / "meltano.yml").write_text((ROOT / "meltano.yml").read_text())
        lines = [
            {
                "account": name,
                "tap": TAP,
                "config": {"api_url": self.url},
                "secrets": {"api_key": name.upper()},
                "select": STREAMS,
            }
            for name in self.names
        ]
        (self.folder / "accounts.yml").write_text(json.dumps({"target": TARGET, "accounts": lines}))
        self.suite()

    def suite(self) -> float:
        """Run `tap-suite all`; the seconds that it took."""
        return self._run(["tap-suite", "all", "--jobs", str(self.jobs)], self.variables)

    def meltano(self) -> float:
        """Run Meltano for each account; the sum of the seconds that each took, by how many run at once."""
        with ThreadPoolExecutor(self.jobs) as threads:
            return sum(threads.map(self._meltano, self.names)) / self.jobs

    def _meltano(self, name: str) -> float:
        schema = f"tap_tremendous_{name}"
        variables = {
            "MELTANO_SYS_DIR_ROOT": str(self.folder / ".meltano" / "units" / f"{TAP}_{name}"),
            "TAP_TREMENDOUS_API_URL": self.url,
            "TAP_TREMENDOUS_API_KEY": f"key-of-{name}",
            "TAP_TREMENDOUS__LOAD_SCHEMA": schema,
            "TAP_TREMENDOUS__SELECT": json.dumps([f"{stream}.*" for stream in STREAMS]),
            "TARGET_DUCKDB_DEFAULT_TARGET_SCHEMA": schema,
        }
        words = ["meltano", "run", "--no-install", f"--state-id-suffix={name}", TAP, TARGET]
        return self._run(words, {**self.variables, **variables})

    def _run(self, words: list[str], variables: dict[str, str]) -> float:
        began = time.perf_counter()
        done = subprocess.run(
            [BIN / words[0], *words[1:]],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{words} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return time.perf_counter() - began


def measured(work: Callable[[], float]) -> tuple[float, float]:
    """The seconds that work tells, and the processor seconds of all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print a line for each round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        names = [f"account_{number}" for number in range(options.accounts)]
        url = f"http://127.0.0.1:{server.server_address[1]}"
        accounts = Accounts(empty_folder("accounts"), url, names, options.jobs)
        accounts.set_up()
        print(f"{options.accounts} accounts without news, {options.jobs} at once")
        for _ in range(options.rounds):
            runs, runs_cpu = measured(accounts.meltano)
            suite, suite_cpu = measured(accounts.suite)
            print(
                f"meltano runs / jobs {runs:.1f} s ({runs_cpu:.1f} s of CPU), tap-suite all {suite:.1f} s "
                f"({suite_cpu:.1f} s of CPU): {suite / runs:.2f}",
                flush=True,
            )
        server.shutdown()


if __name__ == "__main__":
    main()
