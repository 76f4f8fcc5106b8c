"""The limit: requests and msgspec in a loop that fetches, decodes and encodes, and does nothing else."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import requests

PAGE = 100


class Message(msgspec.Struct, tag="RECORD"):
    """A Singer RECORD message."""

    stream: str
    record: dict[str, Any]


def main(url: str, key: str, concurrency: int) -> None:
    """Write all events, each page followed by the attendees of its events."""
    session = requests.Session()
    session.trust_env = False  # no look at the environment's proxies for each request
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=concurrency))
    session.headers["x-api-key"] = key
    decoder, encoder = msgspec.json.Decoder(), msgspec.json.Encoder()
    pool = ThreadPoolExecutor(concurrency)
    ahead = pool.map if concurrency > 1 else map

    def get(request: tuple[str, int]) -> bytes:
        path, offset = request
        return session.get(url + path, params={"offset": offset, "limit": PAGE}).content

    def write(stream: str, records: list[dict[str, Any]]) -> None:
        sys.stdout.buffer.write(encoder.encode_lines([Message(stream, record) for record in records]))

    def attendees(event: dict[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while len(rows) % PAGE == 0:
            page = decoder.decode(get((f"/v1/events/{event['id']}/attendees", len(rows)))).get("attendees")
            if not page:
                break
            rows += page
        return rows

    offset, total = 0, 1
    while offset < total:
        page = decoder.decode(get(("/v1/events", offset)))
        events, total = page["events"], page["pagination"][0]["total"]
        write("events", events)
        for rows in ahead(attendees, events):
            write("attendees", rows)
        offset += len(events)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
