"""docs/sandbox.md names all that the sandbox can be asked for, and its examples are understood."""

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from api_sandbox.changes import Change
from api_sandbox.control import ROUTES
from api_sandbox.faults import Fault, Kind

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
NOTED = {"hits"}
"""What the sandbox writes into a fault itself."""


def fields(model):
    return {name for name in model.__struct_fields__ if not name.startswith("_")} - NOTED


@pytest.mark.parametrize(
    "names",
    [get_args(Kind), fields(Fault), fields(Change)],
    ids=["kinds", "fields of a fault", "fields of a change"],
)
def test_G13_every_word_is_told(names):
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_G13_every_endpoint_is_told():
    for route in ROUTES:
        for method in route.methods - {"HEAD"}:
            assert re.search(rf"`[A-Z`, ]*{method}[A-Z`, ]* /_sandbox{route.path}", PAGE), (
                method,
                route.path,
            )


@pytest.mark.parametrize(("path", "model"), [("faults", Fault), ("changes", Change)])
def test_G13_the_examples_are_understood(path, model):
    examples = re.findall(rf"_sandbox/{path} -d '([^']+)'", PAGE)
    assert examples
    assert all(isinstance(msgspec.convert(json.loads(text), model), model) for text in examples)


@pytest.mark.parametrize("title", ["Two accounts of one vendor", "Every night", "By hand", "Upgrades"])
def test_G13_running_is_told(title):
    page = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")
    assert f"\n## {title}\n" in page
