"""Two vendors' APIs, with accounts that have a key, a path and rows of their own."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

PRESETS = {"rewards": "tap-tremendous", "events": "tap-eventzilla"}
STREAMS = {"rewards": ("campaigns", "orders"), "events": ("users",)}


def rows_of(number, vendor):
    """The rows of an account, with ids that all accounts have: how many, and what is in them, is its own."""
    count = 3 + number % 5
    if vendor == "events":
        return {"users": [{"id": at, "first_name": f"{number}-{at}"} for at in range(count)]}
    day = f"2026-03-{1 + number % 28:02}"
    return {
        "campaigns": [{"id": f"C{at}", "name": f"{number}-{at}"} for at in range(count)],
        "orders": [
            {"id": f"O{at}", "external_id": f"{number}-{at}", "created_at": f"{day}T10:00:{at:02}.000Z"}
            for at in range(count)
        ],
    }


class Account:
    """One account of a vendor: its rows by stream, and what it was asked."""

    def __init__(self, number, vendor):
        self.name = f"{vendor}-{number}"
        self.vendor, self.key, self.rows = vendor, f"key-of-{self.name}", rows_of(number, vendor)
        self.asked = []

    def answer(self, stream, query):
        """The rows of a list, as it is asked for, the newest first."""
        self.asked.append((stream, query))
        since = query.get("created_at[gte]", "")
        rows = [row for row in self.rows[stream] if row.get("created_at", "~") >= since[:10]]
        begin = int(query.get("offset", 0))
        page = rows[::-1][begin : begin + int(query.get("limit", 10))]
        if self.vendor == "events":
            return {"pagination": [{"total": len(rows)}], stream: page}
        return {stream: page, "total_count": len(rows)}


class Vendors:
    """Serves accounts on loopback."""

    def __init__(self, accounts):
        self.accounts = {account.name: account for account in accounts}
        accounts = self.accounts

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                _, name, _, stream = parts.path.split("/")
                account = accounts[name]
                key = self.headers.get("x-api-key") or self.headers.get("authorization", "")[7:]
                is_right = key == account.key
                body = account.answer(stream, dict(parse_qsl(parts.query))) if is_right else {}
                content = json.dumps(body).encode()
                self.send_response(200 if is_right else 401)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def lines(self):
        """The accounts as `accounts.yml` has them."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return [
            {
                "account": account.name,
                "tap": PRESETS[account.vendor],
                "config": {"api_url": f"{url}/{account.name}", "max_retries": 0},
                "select": list(STREAMS[account.vendor]),
            }
            for account in self.accounts.values()
        ]
