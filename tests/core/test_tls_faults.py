"""Connections whose TLS fails, or is slow, and what only looks like a server that doesn't prove who it is."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest
import trustme

from in_process import call, said, select
from raw_server import RawServer, answer
from tap_billing.tap import TapBilling
from tap_core.http import transport
from tap_events.tap import TapEvents

STREAMS = {TapEvents: ("events", "attendees"), TapBilling: ("customers", "products")}

ALERTS = {"internal_error": 80, "handshake_failure": 40, "bad_record_mac": 20}
FAULTS = {name: bytes([21, 3, 3, 0, 2, 2, alert]) for name, alert in ALERTS.items()} | {
    "plain HTTP": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"\0" * 50,
}


class _Tls:
    """A server's TLS, of which some handshakes come to nothing, or are begun late.

    Args:
        context: What makes the others.
        fault: What is sent in place of a handshake.
        at: The connections where it is, from 1 on.
        wait: Seconds before each handshake.
    """

    def __init__(self, context, fault=b"", at=(), wait=0.0):
        self.context, self.fault, self.at, self.wait = context, fault, at, wait
        self.connections = 0
        self._lock = threading.Lock()

    def wrap_socket(self, sock, *, server_side):
        with self._lock:
            self.connections += 1
            number = self.connections
        if number in self.at:
            sock.recv(4096)
            sock.sendall(self.fault)
            sock.close()
            raise ConnectionResetError
        time.sleep(self.wait)
        return self.context.wrap_socket(sock, server_side=server_side)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def context(authority):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(made)
    return made


@pytest.fixture
def read(authority, tmp_path, monkeypatch):
    """Runs a tap that trusts the authority, over one connection at a time."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

    def read(tap, server, **config):
        catalog = select(tap, *STREAMS[tap])
        url = f"https://{server.host}"
        return call(tap, tmp_path, url=url, catalog=catalog, **{"concurrency": 1, "max_retries": 3, **config})

    return read


def _rows(path, _):
    """One event, or one customer, over a connection of its own."""
    if "events?" in path:
        return answer({"pagination": [{"total": 1}], "events": [{"id": 1}]}, Connection="close")
    if "/v1/" in path:
        what = path.partition("?")[0].rpartition("/")[2]
        return answer({"message": f"No {what} found"}, "404 Not Found", Connection="close")
    return answer([{"customer": {"id": 1}}] if "customers" in path else [], Connection="close")


@pytest.mark.parametrize("tap", STREAMS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_tls_in_mid_run_is_tried_again(context, read, tap, fault):
    tls = _Tls(context, FAULTS[fault], at={2})
    with RawServer(_rows) as server:
        server.wrap(tls)
        done = read(tap, server)
    assert done.code == 0, done.log
    assert len(done.records[STREAMS[tap][0]]) == 1
    assert done.log.count("trying again") == 1


@pytest.mark.parametrize("tap", STREAMS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_tls_before_any_answer_ends_the_run_at_once(context, read, tap, fault):
    tls = _Tls(context, FAULTS[fault], at=range(1, 100))
    with RawServer(_rows) as server:
        server.wrap(tls)
        done = read(tap, server)
    assert done.code == 1
    assert tls.connections == 1
    assert "check the host and the port in api_url" in said(done)[0]


@pytest.mark.parametrize("tap", STREAMS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_clients_certificate(context, read, tap, version):
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    with RawServer(_rows) as server:
        server.wrap(context)
        done = read(tap, server)
    assert done.code == 1
    assert "wants a client's certificate, which a tap does not have" in said(done)[0]
    assert "did not prove who it is" not in done.log


@pytest.mark.parametrize("tap", STREAMS)
def test_a_slow_handshake_is_waited_for(context, read, monkeypatch, tap):
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.2)
    with RawServer(_rows) as server:
        server.wrap(_Tls(context, wait=0.4))
        done = read(tap, server)
    assert "no answer" not in done.log
    assert done.code == 0, done.log


@pytest.mark.parametrize("tap", STREAMS)
def test_a_handshake_that_does_not_end_is_cut_at_request_timeout(context, read, tap):
    with RawServer(_rows) as server:
        server.wrap(_Tls(context, wait=1))
        done = read(tap, server, max_retries=0, request_timeout=0.3)
    assert done.code == 1
    assert "no answer within 0.3 s" in said(done)[0]


@pytest.mark.parametrize("tap", STREAMS)
def test_a_connection_that_is_not_made_in_time_says_so(tmp_path, tap):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as busy:
        address = busy.getsockname()
        with socket.create_connection(address), socket.socket() as waiting:  # its queue is full now
            waiting.setblocking(False)
            waiting.connect_ex(address)
            url = f"https://127.0.0.1:{address[1]}"
            done = call(tap, tmp_path, url=url, request_timeout=1, concurrency=1)
    assert done.code == 1
    assert "no connection within 1 s" in said(done)[0]
