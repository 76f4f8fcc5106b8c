"""The sandbox is a distribution of its own: it brings what it needs, and knows nothing of the taps."""

import ast
from importlib.metadata import distribution
from pathlib import Path

import api_sandbox

SOURCES = sorted(Path(api_sandbox.__file__).parent.rglob("*.py"))


def imported(path):
    """The top-level packages that a module imports, those for type checkers included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


def test_it_imports_nothing_of_the_taps():
    names = {name for path in SOURCES for name in imported(path)}
    assert "starlette" in names
    assert not {name for name in names if name.startswith(("tap_", "singer"))}


def test_the_command_is_its_own():
    scripts = {script.name for script in distribution("tap-suite-sandbox").entry_points}
    assert scripts == {"api-sandbox"}
    assert "api-sandbox" not in {script.name for script in distribution("tap-suite").entry_points}


def test_each_api_has_a_folder():
    for api in api_sandbox.APIS:
        assert (Path(api_sandbox.__file__).parent / api.name / "api.py").exists(), api.name
