"""A Meltano project of stubs, and the command `tap-suite` in it."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from meltano.core.project import Project
from ruamel.yaml import YAML

from tap_suite.cli import main
from tap_suite.project import MeltanoProject

ROOT = Path(__file__).parents[2]
STUB = [sys.executable, "-I", "-S", str(Path(__file__).with_name("stub_meltano.py"))]

MELTANO_YML = """
default_environment: dev
project_id: stubs
send_anonymous_usage_stats: false
environments: [{name: dev}]
plugins:
  extractors:
  - name: tap-stub
    namespace: tap_stub
    executable: tap-stub
    settings_group_validation: [[api_url, api_key]]
    settings:
    - {name: api_url}
    - {name: api_key, sensitive: true}
    - {name: scenario}
    - {name: folder}
    - {name: start_date}
    - {name: end_date}
    - {name: account}
    - {name: concurrency, kind: integer}
    - {name: filters, kind: object}
    - {name: mode, kind: options, options: [{value: fast}, {value: "1"}]}
    - {name: emit_activate_version_messages, kind: boolean}
    config: {emit_activate_version_messages: true}
  - {name: tap-preset, inherit_from: tap-stub, config: {api_url: "https://vendor.example.com"}}
  - {name: tap-child, inherit_from: tap-preset}
  - {name: tap_preset, inherit_from: tap-preset}
  - name: tap-plain
    namespace: tap_plain
    executable: tap-plain
    settings: [{name: token, sensitive: true}]
  loaders:
  - name: target-stub
    namespace: target_stub
    executable: target-stub
    settings: [{name: default_target_schema}]
  - name: target-files
    namespace: target_files
    executable: target-files
    settings: [{name: folder}]
    config: {folder: "output/${MELTANO_EXTRACT__LOAD_SCHEMA}"}
  - {name: target-heap, namespace: target_heap, executable: target-heap, settings: [{name: folder}]}
  - {name: target-ours, inherit_from: target-stub, executable: target-duckdb-exact}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of a project whose Meltano is a stub."""
    (tmp_path / "meltano.yml").write_text(MELTANO_YML, encoding="utf-8")
    (tmp_path / ".meltano").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(MeltanoProject, "command", STUB)
    for name in os.environ:
        if name.startswith(("MELTANO_", "TAP_", "TARGET_")):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def real(project, monkeypatch):
    """The project itself, with folders of its own and the plugins that are installed."""
    monkeypatch.setattr(MeltanoProject, "command", [str(Path(sys.executable).with_name("meltano"))])
    (project / "meltano.yml").write_text((ROOT / "meltano.yml").read_text(encoding="utf-8"), encoding="utf-8")
    for kind in ("extractors", "loaders"):
        (project / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
    (project / "output").mkdir()
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "prod")
    return project


@pytest.fixture
def suite(project, capsys, monkeypatch):
    """The command in this process; its exit code, standard output and standard error."""

    def suite(*words):
        Project.deactivate()
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    yield suite
    Project.deactivate()


@pytest.fixture
def accounts(project, monkeypatch):
    """Writes accounts.yml; an account named `a` has its key, `key-of-a`, in the variable `KEY_A`."""

    def accounts(*lines, **content):
        filled = []
        for line in lines:
            account = line["account"]
            variable = f"KEY_{account.upper().replace('-', '_')}"
            monkeypatch.setenv(variable, f"key-of-{account}")
            by_default = {
                "tap": "tap-stub",
                "secrets": {"api_key": variable},
                "config": {"api_url": f"https://{account}.example.com"},
            }
            filled.append({**by_default, **line})
        with (project / "accounts.yml").open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump({"target": "target-stub", "accounts": filled, **content}, file)

    return accounts


@pytest.fixture
def scenarios(accounts, project):
    """Accounts of which something becomes: `scenarios(acme="partly")`."""

    def scenarios(keys=None, **chosen):
        lines = []
        for account, scenario in chosen.items():
            config = {"api_url": "https://example.com", "scenario": scenario, "folder": str(project)}
            lines.append({"account": account, "config": config})
            if keys:
                lines[-1]["secrets"] = {"api_key": keys[account]}
        accounts(*lines)

    return scenarios


@pytest.fixture
def runs(project):
    """How the stub was run, in the order of the ends."""

    def runs():
        path = project / "runs"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return runs


@pytest.fixture
def stub_command():
    """A program that is the command with the stub for Meltano."""
    return (
        "import sys; from tap_suite.project import MeltanoProject; from tap_suite.cli import main; "
        f"MeltanoProject.command = {STUB!r}; sys.exit(main())"
    )


@pytest.fixture
def started(project, stub_command):
    """The command in a process of its own, that is ended with the test if it still runs."""
    processes = []

    def started(*words):
        process = subprocess.Popen(
            [sys.executable, "-c", stub_command, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def until():
    """Waits for a condition."""

    def until(condition, seconds=20):
        end = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > end:
                pytest.fail("it never came")
            time.sleep(0.02)
        return found

    return until


@pytest.fixture
def begun(project):
    """Names and processes of the stubs that have begun."""

    def begun():
        path = project / "begun"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    return begun


@pytest.fixture
def is_waited_for(project):
    """Whether somebody waits for the one key that there is: it is held, and so is the turn."""

    def is_waited_for():
        for path in (project / ".meltano" / "locks").iterdir():
            with path.open("ab") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
            return False
        return True

    return is_waited_for
