"""The four packages say the same of themselves: one version, which is the tag's, and one address."""

import re
from pathlib import Path

import pytest

import repository

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=repository.PACKAGES)
def pyproject(request):
    return (ROOT / request.param / "pyproject.toml").read_text(encoding="utf-8")


def test_there_are_no_others():
    found = {path.parent for depth in ("", "*/", "*/*/") for path in ROOT.glob(f"{depth}pyproject.toml")}
    assert found == {ROOT / folder for folder in repository.PACKAGES}


def test_the_version_is_the_tags(pyproject):
    assert 'dynamic = ["version"]' in pyproject
    assert not re.search(r"^version = ", pyproject, re.MULTILINE)
    own = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    of_no_tag = re.search(r"^fallback-version = .*$", own, re.MULTILINE)[0]
    assert of_no_tag in pyproject


def test_each_has_the_address_once_there_is_one(pyproject, monkeypatch):
    monkeypatch.setattr(repository, "ADDRESS", "https://git.example/us/ours")
    filled = repository.with_urls(pyproject, "docs/a.md")
    assert '\nRepository = "https://git.example/us/ours"\n' in filled
    assert '\nDocumentation = "https://git.example/us/ours/blob/main/docs/a.md"\n' in filled
    assert repository.with_urls(filled, "docs/a.md") == filled
    monkeypatch.setattr(repository, "ADDRESS", "")
    assert repository.with_urls(filled, "docs/a.md") == pyproject
