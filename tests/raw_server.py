"""A server that answers with the bytes that a test hands it, or does with the socket as the test likes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading


class RawServer:
    """Serves on loopback.

    Args:
        answer: Makes an answer's bytes of the request's path and the socket; None closes the connection.
    """

    def __init__(self, answer):
        self.answer = answer
        self.paths = []
        self.heads = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open = []
        self._tls = None
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not end `accept`
        for sock in (self._listener, *self._open):
            sock.close()

    def wrap(self, context):
        """Speak TLS from now on."""
        self._tls = context

    @property
    def host(self):
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self):
        return f"http://{self.host}"

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            sock = self._tls.wrap_socket(sock, server_side=True) if self._tls else sock
            with sock, sock.makefile("rb") as lines:
                while line := lines.readline():
                    head = [line, *iter(lines.readline, b"\r\n")]
                    path = line.split()[1].decode()
                    self.paths.append(path)
                    self.heads.append(b"".join(head))
                    answer = self.answer(path, sock)
                    if answer is None:
                        return
                    sock.sendall(answer)
        except OSError:
            return


def answer(body=b"{}", status="200 OK", **headers):
    """An answer; underscores in the headers' names stand for hyphens."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {
        "Content-Length": len(content),
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + content
