"""Answers as a connection reads them, beside what `http.client` makes of the very same bytes."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading

import pytest
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_core.http.connection import TooLarge
from tap_core.http.prepare import Preparer
from tap_core.http.transport import Transport

ODD = {
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
    "an empty reason": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}",
    "latin-1": b"HTTP/1.1 404 N\xe3o\r\nX-A: \xe9\x85x\r\nContent-Length: 2\r\n\r\n{}",
    "a name twice": b"HTTP/1.1 200 OK\r\nLink: a\r\nlink: b\r\nContent-Length: 2\r\n\r\n{}",
    "a folded line": b"HTTP/1.1 200 OK\r\nX-A: a\r\n  b\r\nContent-Length: 2\r\n\r\n{}",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\n\r\n{}",
    "no header": b"HTTP/1.1 200 OK\r\n\r\n{}",
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nX-A: b\r\n\r\n"
    ),
    "chunks and a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "news before it": b"HTTP/1.1 100 Continue\r\nX-A: a\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "nothing": b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    "nothing of a length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
    "a length in other digits": b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n{}",
    "spaces around values": b"HTTP/1.1 200 OK\r\nX-A:\t a b \r\nContent-Length:  2 \r\n\r\n{}",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nX-A : a\r\nContent-Length: 2\r\n\r\n{}",
    "a long head": b"HTTP/1.1 200 OK\r\n"
    + b"X-A: %b\r\n" % (b"a" * 60_000) * 2
    + b"Content-Length: 2\r\n\r\n{}",
    "a body of many reads": b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"[1, 2], 3" * 100_000,
    "an empty body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "an end of the connection": b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n{}",
    "it breaks off": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
    "a chunk breaks off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
    "no size of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n{}",
    "no HTTP": b"<html>\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
}


FIRST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


@contextlib.contextmanager
def served(answer, cuts=(), *, kept=False, silent=False):
    """A server that gives each connection one answer, cut to pieces, and then no more; gives its URL.

    Args:
        answer: The answer.
        cuts: Where it is cut.
        kept: Whether it is the second one of its connection.
        silent: Whether the connection stays open behind it.
    """
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):  # as who has read enough goes away
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    received.append(connection.recv(1 << 16))
                    if kept:
                        connection.sendall(FIRST)
                        received.append(connection.recv(1 << 16))
                    for start, end in zip((0, *cuts), (*cuts, len(answer)), strict=True):
                        connection.sendall(answer[start:end])
                    if silent:
                        over.wait(5)

        received = []
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def ours(url, *, kept=False, seconds=5.0):
    session = requests.Session()
    transport = Transport(session, concurrency=1, request_timeout=seconds, max_body=1)
    session.mount("http://", transport)
    request = Preparer(lambda request: request, "test")(f"{url}/a", {"b": "c d"}, {})
    try:
        if kept:
            assert transport.fetch(request).content == b"[]"
        answer = transport.fetch(request)
    except ReadTimeoutError:
        return "too late"
    except (HTTPError, ValueError):
        return None
    finally:
        session.close()
    return answer.status_code, answer.reason.strip(), sorted(dict(answer.headers).items()), answer.content


def theirs(url):
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", "/a?b=c+d")
    try:
        answer = connection.getresponse()
        names = {name.lower(): name for name in reversed(answer.headers.keys())}
        headers = [(name, ", ".join(answer.headers.get_all(name))) for name in names.values()]
        stripped = sorted((name, value.strip()) for name, value in headers)
        return answer.status, answer.reason, stripped, answer.read()
    except (http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("odd", ODD)
def test_any_head_is_read_as_the_library_reads_it(odd):
    rng, answer = random.Random(odd), ODD[odd]
    with served(answer) as (url, _):
        expected = theirs(url)
    for cuts in ((), (1,), tuple(sorted(rng.sample(range(1, len(answer)), 3)))):
        for kept in (False, True):
            with served(answer, cuts, kept=kept) as (url, received):
                assert ours(url, kept=kept) == expected
            assert len(received) == 1 + kept


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("answer", [b"", ODD["it breaks off"]], ids=["no head", "no body"])
def test_an_answer_that_does_not_come_is_waited_for_so_long(answer, kept):
    with served(answer, kept=kept, silent=True) as (url, _):
        assert ours(url, kept=kept, seconds=0.2) == "too late"


def test_a_request_holds_what_it_must():
    with served(ODD["chunks"]) as (url, received):
        ours(url)
    assert received == [
        b"GET /a?b=c+d HTTP/1.1\r\nHost: %b\r\nUser-Agent: test\r\n"
        b"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\n\r\n" % url.removeprefix("http://").encode()
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + b" " * 1_048_577,
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1_048_577,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n"
        + b" " * 0x100001
        + b"\r\n0\r\n\r\n",
    ],
    ids=["a length", "until the end", "chunks"],
)
def test_a_body_over_the_limit_is_refused(answer):
    with served(answer) as (url, _), pytest.raises(TooLarge):
        ours(url)
