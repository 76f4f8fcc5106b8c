"""A forward proxy between the tap and the API, as many companies have one."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import trustme

from api_sandbox import Sandbox
from raw_server import RawServer, answer
from support import KEY, Output, command

CREDENTIALS = "someone:pass%20word"
NO_HOST = "names no proxy: write it as http://host:port, or unset it"
NO_PROXY = dict.fromkeys(("NO_PROXY", "no_proxy", "http_proxy", "https_proxy"), "")


class _Proxy(BaseHTTPRequestHandler):
    """Passes on requests for a whole URL, and makes tunnels."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if not self._is_allowed():
            return
        url = urlsplit(self.path)
        self.server.asked.append(url.path)
        with socket.create_connection((url.hostname, url.port)) as server:
            target = url._replace(scheme="", netloc="").geturl()
            hidden = {"proxy-authorization", "proxy-connection", "connection"}
            lines = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in hidden]
            head = "\r\n".join([f"GET {target} HTTP/1.1", *lines, "Connection: close", "", ""])
            server.sendall(head.encode())
            self._pump(server, self.connection)
        self.close_connection = True

    def do_CONNECT(self):
        if not self._is_allowed():
            return
        self.server.asked.append(self.path)
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=self._pump, args=(self.connection, server), daemon=True).start()
            self._pump(server, self.connection)
        self.close_connection = True

    def _is_allowed(self):
        wanted = "Basic " + base64.b64encode(b"someone:pass word").decode()
        if not self.server.asks_who or self.headers.get("Proxy-Authorization") == wanted:
            return True
        self.send_response(407)
        self.send_header("Proxy-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    @staticmethod
    def _pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def proxy():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    server.daemon_threads = True
    server.asked, server.asks_who = [], False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def read(tap, folder, env, **config):
    config = {"api_key": KEY, "max_retries": 1, "backoff_factor": 0.01, **config}
    done = command(f"tap_{tap}", config=config, folder=folder, env={**NO_PROXY, **env})
    return Output(done.stdout, done.stderr, done.returncode)


@pytest.mark.parametrize(("tap", "asks_who"), [("events", False), ("billing", True)])
def test_whole_urls_over_a_proxy(proxy, tmp_path, tap, asks_who):
    proxy.asks_who = asks_who
    who = f"{CREDENTIALS}@" if asks_who else ""
    with Sandbox() as sandbox:
        url = f"{sandbox.url}/{tap}"
        plain = read(tap, tmp_path, {}, api_url=url)
        asked = len(sandbox.requests)
        over = read(tap, tmp_path, {"http_proxy": f"http://{who}127.0.0.1:{proxy.server_port}"}, api_url=url)
        assert plain.code == over.code == 0, over.log
        assert over.records == plain.records
        assert len(proxy.asked) == len(sandbox.requests) - asked


@pytest.mark.parametrize("asks_who", [False, True])
def test_tunnels_of_a_proxy(proxy, tmp_path, asks_who):
    proxy.asks_who = asks_who
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    who = f"{CREDENTIALS}@" if asks_who else ""
    with RawServer(
        lambda path, _: answer([{"customer": {"id": 1}}] if "customers" in path else [])
    ) as server:
        server.wrap(context)
        env = {
            "https_proxy": f"http://{who}127.0.0.1:{proxy.server_port}",
            "REQUESTS_CA_BUNDLE": str(bundle),
        }
        over = read("billing", tmp_path, env, api_url=f"https://{server.host}", concurrency=1)
        assert [row["id"] for row in over.records["customers"]] == [1], over.log
        assert set(proxy.asked) == {server.host}
        assert len(proxy.asked) < len(server.paths)  # a tunnel is used again


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_does_not_know_who_asks(proxy, tmp_path, scheme):
    proxy.asks_who = True
    env = {f"{scheme}_proxy": f"http://someone:wrong-word@127.0.0.1:{proxy.server_port}"}
    done = read("events", tmp_path, env, api_url=f"{scheme}://127.0.0.1:9")
    assert done.code == 1
    (error,) = [line for line in done.log.splitlines() if "ERROR" in line]
    assert "407" in error
    assert "proxy" in error.lower()
    assert "wrong-word" not in done.log
    assert not proxy.asked


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(tmp_path, scheme):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {f"{scheme}_proxy": f"http://someone:pass-word@127.0.0.1:{port}"}
    done = read("events", tmp_path, env, api_url=f"{scheme}://127.0.0.1:9")
    assert done.code == 1
    (error,) = [line for line in done.log.splitlines() if "ERROR" in line]
    assert "proxy" in error.lower()
    assert "pass-word" not in done.log


@pytest.mark.parametrize("tap", ["events", "billing"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("proxy.corp:8080x", NO_HOST),
        ("nonsense://x", "names no proxy"),
        ("http://", "names no proxy"),
        ("127.0.0.1:abc", "names no proxy"),
        ("http://someone:pass/word@proxy.corp:1", "names no proxy"),
        ("socks5://someone:pass-word@127.0.0.1:1080", "names a SOCKS proxy, which a tap can't use"),
        *((found, NO_HOST) for found in ("http://someone:pass-word@", "http://a..b:80", "http://.:80")),
        (f"http://{'a' * 80}.corp:80", NO_HOST),
    ],
)
def test_a_variable_that_names_no_proxy_is_named_at_once(tmp_path, tap, scheme, proxy, words):
    url = f"{scheme}://api.test.invalid"
    done = read(tap, tmp_path, {f"{scheme}_proxy": proxy}, api_url=url, allow_insecure_http=True)
    assert done.code == 1
    assert f"{scheme}_proxy {words}" in done.log
    assert "pass" not in done.log
    assert "Retry" not in done.log
    assert "api_url" not in done.log
    assert "Traceback" not in done.log


@pytest.mark.parametrize(
    ("variable", "scheme"), [("HTTP_PROXY", "http"), ("ALL_PROXY", "http"), ("ALL_PROXY", "https")]
)
def test_the_variable_that_names_no_proxy_is_the_one_that_is_set(tmp_path, variable, scheme):
    config = {"api_key": KEY, "api_url": f"{scheme}://api.test.invalid", "allow_insecure_http": True}
    done = command("tap_events", config=config, folder=tmp_path, env={variable: "proxy.corp:8080x"})
    assert done.returncode == 1
    assert f"{variable} names no proxy" in done.stderr


@pytest.mark.parametrize("tap", ["events", "billing"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_advice_for_a_proxy_that_asks_who_is_whole(proxy, tmp_path, tap, scheme):
    proxy.asks_who = True
    env = {f"{scheme}_proxy": f"http://127.0.0.1:{proxy.server_port}"}
    done = read(tap, tmp_path, env, api_url=f"{scheme}://127.0.0.1:9")
    assert "as http://name:password@host:port," in done.log


@pytest.mark.parametrize("tap", ["events", "billing"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("trusted", ""),
        ("unknown", "unable to get local issuer certificate): set REQUESTS_CA_BUNDLE to the file with its"),
        ("another host", "check the host and the port in HTTP_PROXY and HTTPS_PROXY"),
        ("plain", "check the host and the port in HTTP_PROXY and HTTPS_PROXY"),
    ],
)
def test_a_proxy_over_tls_has_to_prove_who_it_is(proxy, tmp_path, tap, scheme, case, words):
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    (trustme.CA() if case == "unknown" else authority).cert_pem.write_to_path(str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certified = "other.test.invalid" if case == "another host" else "127.0.0.1"
    authority.issue_cert(certified).configure_cert(context)
    with RawServer(lambda *_: answer(status="403 Forbidden")) as server:
        server.wrap(context)
        host = f"127.0.0.1:{proxy.server_port}" if case == "plain" else server.host
        env = {f"{scheme}_proxy": f"https://{CREDENTIALS}@{host}", "REQUESTS_CA_BUNDLE": str(bundle)}
        url = f"{scheme}://api.test.invalid"
        done = read(tap, tmp_path, env, api_url=url, allow_insecure_http=True)
    is_trusted = case == "trusted"
    asked = b"Proxy-Authorization" in b"".join(server.heads)
    assert asked == is_trusted, done.log
    if not is_trusted:
        (error,) = [line for line in done.log.splitlines() if "ERROR" in line]
        assert "the proxy that HTTP_PROXY or HTTPS_PROXY names did not prove who it is" in error
        assert words in error
        assert "api_url" not in error
    assert "trying again" not in done.log or is_trusted
    assert "InsecureRequestWarning" not in done.log
