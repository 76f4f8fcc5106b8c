"""The shape of the code: what may import what, and what the core relies on of the SDK."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest
from singer_sdk import Tap
from singer_sdk.streams import Stream

TAPS = Path(__file__).parents[2] / "taps"
MODULES = {
    ".".join(path.relative_to(TAPS).with_suffix("").parts).removesuffix(".__init__"): path
    for path in TAPS.rglob("*.py")
}


def imported(name, path):
    """The modules of the suite that a module imports, for type checking only or not."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (found if found in MODULES else node.module for found in inner)


IMPORTS = {name: set(imported(name, path)) - {name} for name, path in MODULES.items()}


def test_no_module_imports_itself_by_a_detour():
    seen, done = [], set()

    def visit(name):
        assert name not in seen, " → ".join([*seen[seen.index(name) :], name])
        if name not in done:
            seen.append(name)
            for other in sorted(IMPORTS[name]):
                visit(other)
            done.add(seen.pop())

    for name in MODULES:
        visit(name)


def test_inside_the_core_nobody_comes_in_by_the_door():
    inside = {name for name in MODULES if name.startswith("tap_core.")}
    assert not [name for name in inside if "tap_core" in IMPORTS[name]]


def test_everything_behind_the_door_is_there_and_loaded_only_when_asked_for():
    import tap_core  # noqa: PLC0415

    assert all(getattr(tap_core, name).__module__.startswith("tap_core.") for name in tap_core.__all__)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = tap_core.nothing_of_the_kind


def test_files_are_read_in_one_go():
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert not {name: length for name, length in lengths.items() if length > 300}


PRIVATE = {
    name
    for kind in (Tap, Stream)
    for name in dir(kind)
    if name.startswith("_") and not name.startswith("__") and not name.startswith("_abc")
}


def test_only_one_module_names_private_members_of_the_sdk():
    for name in sorted(MODULES.keys() - {"tap_core.sdk"}):
        names_no_private_members(ast.parse(MODULES[name].read_text()), name)


def names_no_private_members(tree, name):
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not (named & PRIVATE) - own, name
    bases = {
        ast.unparse(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases
    }
    assert not bases & {"Tap", "Stream", "RESTStream", "RESTStream[Query]"}, name


SIGNATURES = {
    (Stream, "_sync_records"): ["self", "context", "write_messages"],
    (Stream, "_write_schema_message"): ["self"],
    (Stream, "_write_activate_version_message"): ["self", "full_table_version"],
    (Stream, "_check_max_record_limit"): ["self", "current_record_index"],
    (Stream, "get_records"): ["self", "context"],
    (Stream, "get_child_context"): ["self", "record", "context"],
    (Stream, "generate_child_contexts"): ["self", "record", "context"],
    (Stream, "post_process"): ["self", "row", "context"],
    (Stream, "get_replication_key_signpost"): ["self", "context"],
    (Stream, "apply_catalog"): ["self", "catalog"],
    (Stream, "log"): ["self", "message", "args", "level", "kwargs"],
    (Stream, "sync"): ["self", "context"],
    (Tap, "_validate_config"): ["self", "raise_errors"],
    (Tap, "_handle_termination"): ["self", "signum", "frame"],
    (Tap, "setup_mapper"): ["self"],
    (Tap, "sync_all"): ["self"],
    (Tap, "write_message"): ["self", "message"],
}


@pytest.mark.parametrize(("kind", "name"), SIGNATURES, ids=lambda value: getattr(value, "__name__", value))
def test_what_is_relied_on_of_the_sdk_is_as_it_was(kind, name):
    assert list(inspect.signature(getattr(kind, name)).parameters) == SIGNATURES[kind, name]


def test_attributes_that_are_relied_on_of_the_sdk(monkeypatch):
    from tap_events.tap import TapEvents  # noqa: PLC0415

    stream = TapEvents(config={"api_url": "http://localhost", "api_key": "x"}).streams["events"]
    assert stream._stream_version is None
    assert stream.state_manager.is_flushed
    assert stream.stream_maps[0].flattening_enabled is False
    assert TapEvents._env_var_prefix == "TAP_EVENTS_"


def test_the_door_costs_nothing():
    """A tap's command imports the door before all else."""
    import subprocess  # noqa: PLC0415

    code = "import sys, tap_core; print(any(name.startswith('singer_sdk') for name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
