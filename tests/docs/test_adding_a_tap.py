"""docs/adding-a-tap.md, followed: its files are taken out of the page, and its tap reads a small API."""

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from support import Output

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-tap.md"
BLOCK = re.compile(r"^`taps/(tap_library/\S+)`\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
KEY = "library-key"

BOOKS = [{"id": number, "title": f"Book {number}"} for number in range(1, 121)]
MEMBERS = [
    {"id": number, "name": f"Member {number}", "updated_at": f"2026-01-01T00:{number % 60:02}:00Z"}
    for number in range(1, 70)
]
LOANS = {book["id"]: [{"id": book["id"] * 10, "due": None}] for book in BOOKS if book["id"] % 3 == 0}


class Library(BaseHTTPRequestHandler):
    """The API that the page describes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.headers["X-Library-Key"] != KEY:
            return self.answer(401, {})
        rows = BOOKS if url.path == "/books" else MEMBERS if url.path == "/members" else None
        if rows is None:
            rows = LOANS.get(int(url.path.split("/")[2]), [])
        since = query.get("updated_since", "")[:19]
        rows = [row for row in rows if row.get("updated_at", "9")[:19] >= since]
        begin = (int(query["page"]) - 1) * int(query["per_page"])
        return self.answer(200, {"items": rows[begin : begin + int(query["per_page"])]})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing to be logged."""


@pytest.fixture
def library():
    with ThreadingHTTPServer(("127.0.0.1", 0), Library) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def tap(tmp_path, library):
    """The page's tap as a command."""
    for name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def tap(*arguments, key=KEY):
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"api_url": library, "api_key": key}))
        command = "from tap_library.tap import TapLibrary; TapLibrary.cli()"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", command, "--config", config, *arguments],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            text=True,
            timeout=60,
        )
        return Output(done.stdout, done.stderr, done.returncode)

    return tap


def test_under_sixty_lines():
    files = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(files) == 8
    lines = [line for _, text in files for line in text.splitlines() if line.strip()]
    assert len(lines) < 60


def test_all_rows_and_then_the_new_ones(tap, tmp_path):
    first = tap()
    assert first.code == 0, first.log
    first.check()
    assert first.records["books"] == BOOKS
    assert first.records["members"] == MEMBERS
    assert first.records["loans"] == [
        {"book_id": book, **row} for book, rows in LOANS.items() for row in rows
    ]

    state = tmp_path / "state.json"
    state.write_text(json.dumps(first.state))
    second = tap("--state", state)
    assert second.code == 0, second.log
    newest = max(member["updated_at"] for member in MEMBERS)
    assert {member["updated_at"] for member in second.records["members"]} == {newest}
    assert second.records["books"] == BOOKS
    assert second.records["loans"] == first.records["loans"]


def test_the_wrong_key(tap):
    refused = tap(key="another")
    assert refused.code == 1
    assert "api_key was refused" in refused.log
