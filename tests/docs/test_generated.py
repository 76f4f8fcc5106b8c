"""The links in the pages lead somewhere. That the generated ones are current is checked by `make lint`."""

import re
from functools import cache
from pathlib import Path

import pytest

import reliability

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


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


def test_the_page_about_reliability_promises_what_its_figures_are_written_with():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert page.startswith(reliability.HEAD)
