"""Changes the core in small ways, one at a time, and sees whether a test fails: writes docs/mutants.md.

    python scripts/mutants.py [--sample 12] [--seed 1] [AREA …]

The tools that there are do not fit. mutmut puts the changed code where an editable install and the processes
that tests start do not look; cosmic-ray starts Python anew for each mutant, which costs more than most tests.
Here a copy of taps/ stands before the installed one, for a fork of a process that has imported all else.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import importlib
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mutations import mutants
from suite import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "mutants.md"
WANTED = 85
"""Per cent of the mutants that tests are to find."""

_PAGING = ("cursor", "evidence", "joining", "page", "paginator", "places", "positioned", "walk", "window")
_OF_LISTS = "known_rows requests ignored_places resumed_lists marked_rows own_paginators"
AREAS = {
    "bookmarks": ("bookmarks.py", "bookmarks growing_ids"),
    "checkpoint": ("checkpoint.py", "checkpoint after_a_failure"),
    "codec": (
        "records/codec.py records/conform.py records/values.py",
        "values keys misfits columns decoding fidelity",
    ),
    "paging": (
        " ".join(f"paging/{name}.py" for name in _PAGING),
        f"{_OF_LISTS} places page paginators own_page_sizes endings",
    ),
    "ends": ("paging/endings.py", "endings behind_the_end list_ends thin_pages pages_cut_short"),
}
"""Modules of the core, and the tests in tests/core that concern them: those that take seconds."""

_SECONDS = 120
"""Of a processor, after which a mutant counts as found: it loops. Of a clock it has ten times as many."""

HEAD = """\
# Mutants

`make mutants` writes this page. It changes the core in one small way: another operator, a number one higher,
a condition turned around, nothing returned, a statement left out. Then it runs the quick tests that concern
the module, until one fails. What none of them fails for may still fail slower ones, such as those of lists
that change while they are read, and of runs that are killed; or a test is missing; or it makes no difference.

Measured on {date}, on a random sample of each module (seed {seed}): {found} of {count} were found, {share} %.

{table}

## Not found

{survivors}
"""
_LINE = re.compile(r"^- (?P<name>`.*?`, .*)\n  (?P<reason>.*)$", re.MULTILINE)
NO_REASON = "No reason is known."


def main() -> int:
    """Try a sample of the mutants; the result is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sample", type=int, default=12, help="mutants of each module; 0 for all (12)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (1)")
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; all by default")
    options = parser.parse_args()
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    outcomes: dict[str, dict[str, bool]] = {}
    _import_all_but_the_taps()
    with _overlay() as taps:
        for area in options.areas or AREAS:
            modules, tests = AREAS[area]
            files = [str(ROOT / "tests" / "core" / f"test_{name}.py") for name in tests.split()]
            if _outcome(files) != "missed":
                raise SystemExit(f"{area}: the tests fail as the code is")
            for module in modules.split():
                outcomes[module] = _tried(taps, module, files, options.sample, options.seed)
                text, share = page(before, outcomes, options.seed)
                if not options.areas:  # after each module, as the whole takes long
                    PAGE.write_text(text, encoding="utf-8")
    return 0 if share >= WANTED and NO_REASON not in text else 1


def page(before: str, outcomes: Mapping[str, Mapping[str, bool]], seed: int) -> tuple[str, int]:
    """The page, and per cent of the mutants that were found.

    Args:
        before: The page as it was, with the reasons why some are not found.
        outcomes: By module, the mutants and whether each was found.
        seed: Of the sample.
    """
    reasons = {line["name"]: line["reason"] for line in _LINE.finditer(before)}
    every = {name: found for tried in outcomes.values() for name, found in tried.items()}
    share = 100 * sum(every.values()) // len(every)
    rows = [
        (f"`{module}`", str(len(tried)), str(sum(tried.values())))
        for module, tried in outcomes.items()
        if tried
    ]
    text = HEAD.format(
        date=datetime.now(timezone.utc).date().isoformat(),
        seed=seed,
        found=sum(every.values()),
        count=len(every),
        share=share,
        table=table(("Module", "Mutants", "Found"), rows),
        survivors="\n".join(
            f"- {name}\n  {reasons.get(name, NO_REASON)}" for name, found in every.items() if not found
        ),
    )
    return text, share


def _import_all_but_the_taps() -> None:
    """What is imported here need not be in each fork; the taps' own modules are forgotten again."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT / "tests"))
    for name in ("hypothesis", "jsonschema_rs", "duckdb", "api_sandbox", "support"):
        importlib.import_module(name)
    for domain in ("billing", "events", "promotions", "rewards", "scheduling"):
        importlib.import_module(f"tap_{domain}.tap")
    for name in [name for name in sys.modules if name.startswith("tap_") or name in {"support", "starter"}]:
        del sys.modules[name]


@contextlib.contextmanager
def _overlay() -> Iterator[Path]:
    """A compiled copy of taps/, which this process and those that it starts import from first."""
    with tempfile.TemporaryDirectory() as folder:
        taps = Path(folder) / "taps"
        shutil.copytree(ROOT / "taps", taps, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(taps, quiet=2)
        os.environ["PYTHONPATH"] = str(taps)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.path.insert(0, str(taps))
        yield taps


def _tried(taps: Path, module: str, files: Sequence[str], sample: int, seed: int) -> dict[str, bool]:
    """Whether a test found each of the mutants of a module that were tried."""
    path = taps / "tap_core" / module
    source = path.read_text(encoding="utf-8")
    there = list(mutants(module, source))
    chosen = random.Random(f"{seed} {module}")  # noqa: S311
    found = {}
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()
    for mutant in chosen.sample(there, min(sample, len(there))) if sample else there:
        path.write_text(mutant.source, encoding="utf-8")
        begun = time.monotonic()
        outcome = _outcome(files)
        print(f"{outcome:8} {time.monotonic() - begun:4.0f} s  {mutant.name}", flush=True)
        found[mutant.name] = outcome != "missed"
    path.write_text(source, encoding="utf-8")
    return found


def _outcome(files: Sequence[str]) -> str:
    """Run tests in a fork of this process until one fails: found, missed, or endless."""
    child = os.fork()
    if not child:
        os.setsid()
        _run(files)
    end = time.monotonic() + 10 * _SECONDS
    try:
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return "endless" if code < 0 else "found" if code else "missed"
            time.sleep(0.02)
        return "endless"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and what the tests started


def _run(files: Iterable[str]) -> None:
    """Run tests, silently, and end this process."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = 1
    with contextlib.suppress(BaseException):
        options = [
            "-x",
            "-q",
            "-n0",
            "--assert=plain",
            "-p",
            "no:cacheprovider",
            "--timeout=60",
            "--rootdir",
            str(ROOT),
        ]
        code = int(pytest.main([*options, *files]))
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
