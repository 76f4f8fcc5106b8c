"""Environments of their own for what cannot share one: each loader pins what others don't go with.

`requirements/` has the versions that were tried, of everything that they need:
`echo PACKAGE | uv pip compile --universal --python-version 3.10 --no-annotate --no-header -`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements")


def install(name: str, folder: Path) -> Path:
    """Install ``requirements/name.txt`` below a folder, from uv's cache if it is there; return its Python."""
    python = folder / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _uv("venv", "--python", sys.executable, folder / name)
    command = (
        "pip",
        "install",
        "--python",
        python,
        "--no-deps",
        "--requirement",
        REQUIREMENTS / f"{name}.txt",
    )
    try:
        _uv("--offline", *command)
    except subprocess.CalledProcessError:
        _uv(*command)
    return python


def _uv(*arguments: str | Path) -> None:
    # In the project's folder, where uv finds the project's settings for it.
    subprocess.run([find_uv_bin(), "--quiet", *arguments], check=True, cwd=ROOT, capture_output=True)
