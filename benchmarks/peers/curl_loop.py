"""The limit below the limit: libcurl and msgspec in a loop, one connection, no checks.

python curl_loop.py URL KEY
"""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

import msgspec
import pycurl

PAGE = 100
OK = 200


class Message(msgspec.Struct, tag="RECORD"):
    """A Singer RECORD message."""

    stream: str
    record: dict[str, Any]


def main(url: str, key: str) -> None:
    """Write all events, each followed by its attendees."""
    curl = pycurl.Curl()
    curl.setopt(pycurl.HTTPHEADER, [f"x-api-key: {key}"])
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode_lines

    def rows(name: str, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        full = True
        while full:
            body = BytesIO()
            curl.setopt(pycurl.URL, f"{url}/v1/{path}?offset={len(found)}&limit={PAGE}")
            curl.setopt(pycurl.WRITEDATA, body)
            curl.perform()
            page = decode(body.getvalue())[name] if curl.getinfo(pycurl.RESPONSE_CODE) == OK else []
            sys.stdout.buffer.write(encode([Message(name, record) for record in page]))
            found += page
            full = len(page) == PAGE
        return found

    for event in rows("events", "events"):
        rows("attendees", f"events/{event['id']}/attendees")


if __name__ == "__main__":
    main(*sys.argv[1:])
