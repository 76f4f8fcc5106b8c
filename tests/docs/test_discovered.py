"""What `--discover` says of each tap is what is committed: a change of keys or types is meant, and told."""

import difflib
from pathlib import Path

import pytest

import discovered
from suite import tap_classes

FOLDER = Path(__file__).parents[2] / discovered.FOLDER
TAPS = tap_classes()


@pytest.mark.parametrize("name", TAPS)
def test_the_catalog_is_the_one_that_is_committed(name):
    committed = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    now = discovered.snapshot(TAPS[name])
    changed = list(difflib.unified_diff(committed.splitlines(), now.splitlines(), "committed", "now", n=1))
    advice = "if it is meant, run `make docs`, and tell in UPGRADING.md what it changes for tables"
    assert not changed, "\n".join([advice, *changed])


def test_every_file_is_of_a_tap():
    assert {path.stem for path in FOLDER.iterdir()} == {*TAPS}
