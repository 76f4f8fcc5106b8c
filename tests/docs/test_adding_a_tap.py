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
    disable_nagle_algorithm = True

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
        page, size = int(query["page"]), int(query.get("per_page", 50))
        answer = {"items": rows[(page - 1) * size : page * size]}
        more = "per_page" not in query and page * size < len(rows)
        return self.answer(200, answer | ({"next_page": page + 1} if more else {}))

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


def write(folder):
    """Write the files of the page."""
    for name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def tap(tmp_path, library):
    """The page's tap as a command."""
    write(tmp_path)

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


def uv(*words):
    """Let uv build or install: from its cache, or from the index what that lacks."""
    command = [Path(sys.executable).with_name("uv"), *words]
    for offline in ("1", "0"):
        done = subprocess.run(
            command, capture_output=True, check=False, env={**os.environ, "UV_OFFLINE": offline}, text=True
        )
        if done.returncode == 0:
            return
    pytest.fail(done.stderr)


@pytest.fixture
def package(tmp_path):
    """The page's package of one's own, with its own way to page, installed from wheels with the suite's."""
    page = PAGE.read_text(encoding="utf-8")
    folder, site = tmp_path / "package", tmp_path / "site"
    write(folder)
    (folder / "pyproject.toml").write_text(
        re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8"
    )
    client, tap = (folder / "tap_library" / f"{name}.py" for name in ("client", "tap"))
    walk = re.search(r"```python\n(class NextPage.*?)```", page, re.DOTALL)[1]
    text = client.read_text(encoding="utf-8").replace("PageNumber(size=50)", "NextPage()")
    text = text.replace("PageNumber", "Paginator").replace(
        "class LibraryStream", f"{walk}\n\nclass LibraryStream"
    )
    client.write_text(text, encoding="utf-8")
    named = 'name = "tap-library"'
    tap.write_text(
        tap.read_text(encoding="utf-8").replace(named, f"{named}\n    package_{named}"), encoding="utf-8"
    )
    for source in (PAGE.parents[1], folder):
        uv("build", "--wheel", "--out-dir", tmp_path / "wheels", source)
    uv("pip", "install", "--no-deps", "--target", site, *(tmp_path / "wheels").glob("*.whl"))
    return site


def test_a_package_of_ones_own_with_its_own_way_to_page(package, library):
    env = {
        **os.environ,
        "PYTHONPATH": str(package),
        "TAP_LIBRARY_API_URL": library,
        "TAP_LIBRARY_API_KEY": KEY,
    }
    command = [package / "bin" / "tap-library", "--config", "ENV"]
    done = subprocess.run(command, capture_output=True, check=False, env=env, text=True, timeout=60)
    output = Output(done.stdout, done.stderr, done.returncode)
    assert output.code == 0, output.log
    assert f"tap-library 0.1.0 reads {library}" in output.log.splitlines()[0]
    assert output.records["books"] == BOOKS
    assert output.records["members"] == MEMBERS
    assert len(output.records["loans"]) == len(LOANS)
