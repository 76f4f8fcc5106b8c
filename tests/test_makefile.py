"""What `make plugins` installs again, and what not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = (
    "pyproject.toml",
    "sandbox/pyproject.toml",
    "loaders/target_duckdb_exact/pyproject.toml",
    "orchestrate/tap_suite/pyproject.toml",
    "requirements.txt",
)


@pytest.fixture
def project(tmp_path):
    """A project whose packages are installed, and whose Meltano only counts its calls."""
    for name in ("Makefile", "meltano.yml", *SOURCES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in (".venv/bin", ".meltano", "output"):
        (tmp_path / folder).mkdir(parents=True)
    meltano = tmp_path / ".venv" / "bin" / "meltano"
    meltano.write_text('#!/bin/sh\necho "$@" >>calls\n')
    meltano.chmod(0o755)
    (tmp_path / ".venv" / ".installed").touch()
    return tmp_path


def installs(project):
    """Run `make plugins`; how often it has let Meltano install by now."""
    done = subprocess.run(["make", "plugins"], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (project / "calls").read_text().count("install")


def edit(path, old, new, moment):
    """Change a file, at a time that no file system takes for the last one."""
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, (moment, moment))


def test_G08_an_edit_of_meltano_yml_installs_only_what_it_changes(project):
    meltano_yml = project / "meltano.yml"
    assert [installs(project), installs(project)] == [1, 1]
    later = meltano_yml.stat().st_mtime + 10
    account = "  extractors:\n  - name: tap-maxio-eu\n    inherit_from: tap-maxio\n"
    edit(meltano_yml, "  extractors:\n", account, later)
    assert [installs(project), installs(project)] == [1, 1]
    edit(meltano_yml, "target-jsonl~=0.1.4", "target-jsonl~=0.1.3", later)
    assert [installs(project), installs(project)] == [2, 2]


def test_G09_a_new_version_is_installed(project):
    assert installs(project) == 1
    installed = project / ".venv" / ".installed"
    edit(installed, "", "", installed.stat().st_mtime + 10)
    assert installs(project) == 2
