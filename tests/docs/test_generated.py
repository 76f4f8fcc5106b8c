"""The generated files are current, and the links in the pages lead somewhere."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_current():
    script = ROOT / "scripts" / "definitions.py"
    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, title = target.partition("#")
        # A page of figures is there once make has measured them.
        assert (page.parent / path).exists() or path in MAKEFILE, target
        if title:
            assert titles(page.parent / path if path else page).count(title) == 1, target


@cache
def titles(page):
    """What a page's titles are called in links to them."""
    names = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", name).lower().replace(" ", "-") for name in names]
