"""Where the project is to be found, for the definitions in hub/ and for what each package says of itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = ""
"""Of the repository, once it has one that nobody else can come to own: `https://HOST/OWNER/NAME`.

This is the one place: `make docs` writes it into hub/ and each pyproject.toml. Without it there are no links.
"""

PACKAGES = (".", "sandbox", "loaders/target_duckdb_exact", "orchestrate/tap_suite")
"""Folders of the packages that the project is made of."""

_TABLE = re.compile(r"(^\[project\.urls\]\n(?:#.*\n)*)(?:\w+ = .*\n)*", re.MULTILINE)


def page(path: str) -> str:
    """The address of a file of the project."""
    return f"{ADDRESS}/blob/main/{path}"


def with_urls(pyproject: str, readme: str) -> str:
    """A pyproject.toml whose `[project.urls]` say where things are; empty as long as there is no address."""
    lines = [f'{name} = "{url}"\n' for name, url in _urls(readme).items()] if ADDRESS else []
    return _TABLE.sub(lambda match: match[1] + "".join(lines), pyproject)


def _urls(readme: str) -> Mapping[str, str]:
    return {
        "Repository": ADDRESS,
        "Documentation": page(readme),
        "Changelog": page("CHANGELOG.md"),
        "Issues": f"{ADDRESS}/issues",
    }
