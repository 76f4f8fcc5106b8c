"""The variables that say how much is logged: a level, or one line that lists the levels."""

from __future__ import annotations

import pytest

from support import command


@pytest.mark.parametrize("name", ["rewards", "billing"])
@pytest.mark.parametrize("level", ["verbose", "TRACE", "10", " DEBUG", "off"])
@pytest.mark.parametrize("own", [True, False])
def test_a_level_that_there_is_not(name, level, own):
    variable = f"TAP_{name.upper()}_LOGLEVEL" if own else "LOGLEVEL"
    done = command(f"tap_{name}", "--about", env={variable: level})
    assert done.returncode == 1
    assert done.stderr == f"{variable} must be one of DEBUG, INFO, WARNING, ERROR and CRITICAL\n"
    assert not done.stdout


@pytest.mark.parametrize("name", ["rewards", "billing"])
@pytest.mark.parametrize("level", ["debug", "Warn", "ERROR", ""])
def test_a_level_in_any_case(name, level):
    env = {f"TAP_{name.upper()}_LOGLEVEL": level, "LOGLEVEL": "nonsense" if level else ""}
    assert command(f"tap_{name}", "--about", env=env).returncode == 0
