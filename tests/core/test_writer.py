"""What is written arrives whole, whatever standard output does."""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime, timezone
from decimal import Decimal

import msgspec
import pytest

from tap_core.records.writer import MessageWriter


class ShortWrites(io.RawIOBase):
    """An unbuffered pipe that takes a few bytes at a time, as under PYTHONUNBUFFERED when signals arrive."""

    def __init__(self):
        self.taken = b""

    def writable(self):
        return True

    def write(self, data):
        self.taken += bytes(data[:7])
        return min(len(data), 7)


def test_short_writes(monkeypatch):
    pipe = ShortWrites()
    monkeypatch.setattr(sys, "stdout", type("Stdout", (), {"buffer": pipe, "flush": lambda _: None})())
    records = [{"id": number, "text": "ä" * number} for number in range(50)]
    now = datetime.now(timezone.utc)
    MessageWriter().write_records("things", records, version=None, time_extracted=now)
    assert [json.loads(line)["record"] for line in pipe.taken.splitlines()] == records


@pytest.mark.parametrize("as_struct", [True, False])
def test_D06_half_characters_and_deep_nesting_are_written(monkeypatch, as_struct):
    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    deep = []
    for _ in range(300):
        deep = [deep]
    fields = {"half": "a\ud800", "amount": Decimal("1.10"), "deep": deep}
    record = (
        msgspec.defstruct("Record", [(name, object) for name in fields])(**fields) if as_struct else fields
    )
    now = datetime.now(timezone.utc)
    MessageWriter().write_records("things", [record], version=1, time_extracted=now)
    message = json.loads(text.getvalue(), parse_float=Decimal)
    assert message == {
        "type": "RECORD",
        "stream": "things",
        "record": fields,
        "version": 1,
        "time_extracted": now.isoformat(),
    }
