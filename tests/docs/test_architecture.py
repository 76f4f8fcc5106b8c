"""docs/architecture.md: every module has its one job there, and the folders of the core keep apart."""

import ast
from pathlib import Path

import pytest

import modules

ROOT = Path(__file__).parents[2]
CORE = ROOT / "taps" / "tap_core"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
BELOW = {"http": {"errors", "records", "redaction"}, "paging": {"errors", "records"}, "records": {"errors"}}
"""What each folder may import of the core besides itself."""


def test_every_module_is_named_with_its_job():
    sections = {part.partition("\n")[0]: part for part in PAGE.split("\n### ")[1:]}
    for path in CORE.rglob("*.py"):
        folder = path.parent.relative_to(CORE).as_posix()
        title = "`tap_core`" if folder == "." else f"`tap_core/{folder}`"
        named = [text for name, text in sections.items() if name.partition(":")[0] == title]
        assert any(f"| `{path.name}` | " in text for text in named), path
    assert "|  |" not in PAGE  # each says what it does


def test_a_new_module_of_the_core_is_asked_for_its_place(monkeypatch):
    monkeypatch.setitem(modules.CORE, "A run", "run reader")
    with pytest.raises(ValueError, match=r"differ in .*plan.*reader"):
        modules.listed()


@pytest.mark.parametrize("folder", BELOW)
def test_a_folder_knows_nothing_of_what_is_above_it(folder):
    for path in (CORE / folder).glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:  # those for type checkers are deeper
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tap_core."):
                assert str(node.module).split(".")[1] in {folder, *BELOW[folder]}, (path.name, node.module)
