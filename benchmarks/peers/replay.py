"""The limit for every stream: sends the requests of a tap's run again, decodes and encodes, and no more."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import requests


class Message(msgspec.Struct, tag="RECORD"):
    """A Singer RECORD message."""

    stream: str
    record: Any


def records(node: Any, steps: list[str]) -> list[Any]:
    """What lies at a path: names, and `*` for all of a list."""
    if not steps:
        return [node]
    if steps[0] != "*":
        return records(node.get(steps[0]), steps[1:]) if isinstance(node, dict) else []
    return [found for item in node or () for found in records(item, steps[1:])]


def main(url: str, path: str) -> None:
    """Send each request of a file, `[path and query, headers, stream, steps]` a line, and write the rows."""
    session = requests.Session()
    session.trust_env = False
    decoder, encoder = msgspec.json.Decoder(), msgspec.json.Encoder()
    for line in Path(path).read_text().splitlines():
        target, headers, stream, steps = json.loads(line)
        document = decoder.decode(session.get(url + target, headers=headers).content)
        rows = records(document, steps)
        sys.stdout.buffer.write(encoder.encode_lines([Message(stream, row) for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
