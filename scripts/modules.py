"""The modules as docs/architecture.md lists them: each with the one job that it says it has."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from suite import table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

CORE = {
    "What a tap is made of": "__init__ tap stream_groups stream bounds relations schema sdk",
    "The command, and what it is given": "command cli files settings replication_settings catalog validation "
    "selection filters window account maps typed_maps expressions batches selftest",
    "A run": "run plan listing reading replication fetcher pieces emit arrow_files losses second_tries "
    "left_below outcome",
    "What STATE remembers": "bookmarks positions bookmark_scope checkpoint "
    "followers null_marks parents versions",
    "What is told": "errors redaction quiet progress progress_bar receipt",
}
"""The modules that stand in tap_core itself, by what they are about; the others have folders for that."""

FOLDERS = {
    "`tap_core/http`": "taps/tap_core/http",
    "`tap_core/paging`": "taps/tap_core/paging",
    "`tap_core/records`": "taps/tap_core/records",
    "The loader, `target_duckdb_exact`": "loaders/target_duckdb_exact/target_duckdb_exact",
    "Many accounts, `orchestrate`": "orchestrate",
    "The sandbox, `api_sandbox`": "sandbox/api_sandbox",
}


def listed() -> str:
    """A table for each group of modules, in Markdown.

    Raises:
        ValueError: A module of the core is in no group, or a group names one that there is not.
    """
    core = ROOT / "taps" / "tap_core"
    grouped = [name for names in CORE.values() for name in names.split()]
    if strangers := {path.stem for path in core.glob("*.py")} ^ {*grouped}:
        raise ValueError(f"scripts/modules.py and taps/tap_core differ in {', '.join(sorted(strangers))}")
    parts = [
        _titled(
            f"`tap_core`: {title[0].lower()}{title[1:]}",
            core,
            [core / f"{name}.py" for name in names.split()],
        )
        for title, names in CORE.items()
    ]
    parts += [
        _titled(title, ROOT / folder, sorted((ROOT / folder).rglob("*.py")))
        for title, folder in FOLDERS.items()
    ]
    return "\n\n".join(parts)


def _titled(title: str, folder: Path, paths: list[Path]) -> str:
    rows = [(f"`{path.relative_to(folder)}`", job) for path in paths for job in _job(path)]
    return f"### {title}\n\n{table(('Module', 'Its one job'), rows)}"


def _job(path: Path) -> Iterator[str]:
    """The first paragraph of a module's docstring; nothing of one that only stands for a command."""
    if path.name != "__main__.py":
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield " ".join(text.partition("\n\n")[0].split())
