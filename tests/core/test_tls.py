"""Servers that don't prove who they are: the reason, and what to do about it."""

from __future__ import annotations

import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from support import KEY, command, run
from tap_core.errors import ApiError
from tap_events.tap import TapEvents

NOW = datetime.now(timezone.utc)


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def serve():
    """Starts a server; without a certificate it speaks plain HTTP."""
    servers = []

    def serve(certificate=None):
        server = HTTPServer(("127.0.0.1", 0), _Refusing)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


CASES = {
    "good": ({}, True, "api_key was refused (401)"),
    "expired": ({"not_after": NOW - timedelta(days=3)}, True, "check this machine's clock, which says 20"),
    "not yet valid": ({"not_before": NOW + timedelta(days=3)}, True, "check this machine's clock"),
    "of a company's proxy": ({}, False, "set REQUESTS_CA_BUNDLE"),
    "for another host": ({"host": "api.example.com"}, True, "check the host and the port in api_url"),
    "none, plain HTTP": (None, True, "check the host and the port in api_url"),
}


@pytest.mark.parametrize("case", CASES)
def test_certificates(authority, serve, tmp_path, case):
    wrong, trusted, words = CASES[case]
    fields = {
        "host": "127.0.0.1",
        "not_before": NOW - timedelta(days=9),
        "not_after": NOW + timedelta(days=9),
    }
    fields |= wrong or {}
    certificate = None if wrong is None else authority.issue_cert(fields.pop("host"), **fields)
    bundle = tmp_path / "authority.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(str(bundle))
    config = {"api_url": serve(certificate), "api_key": KEY, "max_retries": 0}
    done = command("tap_events", config=config, folder=tmp_path, env={"REQUESTS_CA_BUNDLE": str(bundle)})
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert words in error


def test_a_bundle_that_is_not_there(authority, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    url = serve(authority.issue_cert("127.0.0.1"))
    with pytest.raises(ApiError, match=r"none\.pem: check REQUESTS_CA_BUNDLE"):
        run(TapEvents, {"api_url": url, "api_key": KEY})


@pytest.mark.parametrize("tap", ["events", "billing"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", ["", "hello\n", "-----BEGIN CERTIFICATE-----\nx\n"])
def test_a_bundle_without_a_certificate_is_named(serve, authority, tmp_path, tap, variable, content):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(content)
    url = serve(authority.issue_cert("127.0.0.1"))
    config = {"api_url": url, "api_key": KEY, "max_retries": 0}
    env = {"REQUESTS_CA_BUNDLE": "", variable: str(bundle)}
    done = command(f"tap_{tap}", config=config, folder=tmp_path, env=env)
    assert done.returncode == 1
    assert f"{variable} names a file that holds no certificate" in done.stderr
    assert "api_url" not in done.stderr
