"""A server in front of the sandbox that keeps its answers, and gives them again as fast as it can."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from api_sandbox import Sandbox

_PASSED_ON = ("authorization", "x-api-key", "cal-api-version")


class Record(ThreadingHTTPServer):
    """Answers as the sandbox did, and notes the requests."""

    daemon_threads = True

    def __init__(self, sandbox: Sandbox) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[tuple[str, str], bytes] = {}
        self._sandbox = sandbox
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, target: str, headers: dict[str, str]) -> bytes:
        """A whole response, from the record or from the sandbox."""
        passed_on = {name: headers[name] for name in _PASSED_ON if name in headers}
        self.asked.append((target, passed_on))
        key = target, str(passed_on)
        if key not in self.answers:
            connection = HTTPConnection("127.0.0.1", self._sandbox.port)
            connection.request("GET", target, headers={**headers, "accept-encoding": "identity"})
            response = connection.getresponse()
            body = response.read()
            head = f"HTTP/1.1 {response.status} OK\r\nContent-Type: application/json\r\n"
            self.answers[key] = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
            connection.close()
        return self.answers[key]


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Record
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.wfile.write(self.server.answer(self.path, {k.lower(): v for k, v in self.headers.items()}))

    @override
    def log_message(self, *arguments: Any) -> None:
        """Nothing."""
