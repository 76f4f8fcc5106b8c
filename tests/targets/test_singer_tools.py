"""What the Singer project's own checker says of each tap's output."""

from __future__ import annotations

import subprocess

import pytest
from singer_sdk.singerlib.json import serialize_json

from targets.conftest import TAPS


@pytest.mark.parametrize("name", TAPS)
def test_output_is_valid(tmp_path, outputs, environment, name):
    check = environment("singer-tools").with_name("singer-check-tap")
    run = subprocess.run(
        [check],
        input=checkable(outputs[name]),
        capture_output=True,
        check=False,
        cwd=tmp_path,  # it makes a folder where it runs
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert "The output is valid." in run.stdout


def checkable(output):
    """The output without objects that are null: the checker looks for times in them, and breaks off."""
    return "\n".join(serialize_json(without_null_objects(m, output.schemas)) for m in output.messages)


def without_null_objects(message, schemas):
    if message["type"] != "RECORD":
        return message
    fields = schemas[message["stream"]][0]["schema"]["properties"]
    record = {
        name: value
        for name, value in message["record"].items()
        if value is not None or "properties" not in fields[name]
    }
    return {**message, "record": record}
