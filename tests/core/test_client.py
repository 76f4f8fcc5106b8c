"""What the client makes of connections, headers and bodies that no server should send."""

from __future__ import annotations

import contextlib
import gzip
import logging
import struct
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from socket import SO_LINGER, SOL_SOCKET
from threading import Thread

import pytest

from lists import only
from raw_server import RawServer, answer
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import (
    ApiError,
    Hopeless,
    NotFound,
    PageFailed,
    RateLimited,
    Refused,
    Retriable,
    Stopped,
    Unanswered,
    Unreachable,
)
from tap_core.http.client import ApiClient, Limits, Traffic
from tap_core.http.response import Refusals, read_answer
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

REFUSALS = Refusals("api_key", lambda status: "")


def client(**limits):
    quick = {"request_timeout": 0.3, "max_retries": 2, "backoff_factor": 0.001, "concurrency": 4}
    fields = {"requests_per_minute": None, **quick, **limits}
    return ApiClient(Limits(**fields), lambda request: request, "tests", logging.getLogger("tests"))


def get(sender, url, traffic=None, **options):
    def read(response):
        return read_answer(response, lambda status, message: False, REFUSALS)

    return sender.get(url, {}, {}, read, traffic or Traffic(), **options)


def drip(start, again):
    """An answer that goes on and on, a little at a time."""

    def endless(path, sock):
        sock.sendall(start)
        with contextlib.suppress(OSError):
            for _ in range(200):
                sock.sendall(again)
                time.sleep(0.02)

    return endless


DRIPS = {
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
    "chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "headers": drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("what", DRIPS)
def test_B01_the_time_out_bounds_the_request_as_a_whole(what):
    with RawServer(DRIPS[what]) as server, pytest.raises(PageFailed, match="no answer within"):
        get(client(max_retries=0), server.url)
    assert len(server.paths) == 1


@pytest.mark.parametrize(("tap", "key"), [(TapEvents, "events"), (TapBilling, "customers")])
def test_B01_a_dripping_list_ends_the_list(tap, key):
    with RawServer(DRIPS["body"]) as server, pytest.raises(ApiError, match="no answer within"):
        run(tap, {"api_url": server.url, "api_key": KEY, "request_timeout": 0.1, "max_retries": 0})


DAY = timedelta(days=1)
LONG = {
    "seconds": lambda now: "86400",
    "date": lambda now: format_datetime(now + DAY, usegmt=True),
    "epoch": lambda now: str(int((now + DAY).timestamp())),
    "milliseconds": lambda now: str(int((now + DAY).timestamp() * 1000)),
}


@pytest.mark.parametrize("form", LONG)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_B02_who_asks_for_a_day_is_named_with_the_time_to_come_back(form, status):
    now = datetime.now(timezone.utc)
    with (
        RawServer(lambda path, sock: answer(status=status, Retry_After=LONG[form](now))) as server,
        pytest.raises(RateLimited) as failure,
    ):
        get(client(), server.url)
    assert len(server.paths) == 1
    assert failure.value.status == int(status[:3])
    local = (now + DAY).astimezone()
    assert f"after {local:%Y-%m-%d %H:}" in str(failure.value) or local.minute in {59, 0}
    assert "max_wait" in str(failure.value)


@pytest.mark.parametrize(
    "body", [b" " * (2 << 20), gzip.compress(b" " * (64 << 20))], ids=["plain", "packed"]
)
@pytest.mark.parametrize("framed", ["length", "chunked", "closed"])
def test_B04_a_body_is_bounded_packed_or_not(body, framed):
    packed = {"Content_Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    head = answer(b"", **packed).replace(b"Content-Length: 0\r\n", b"")
    texts = {
        "length": answer(body, **packed),
        "closed": head + body,
        "chunked": head[:-2] + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
    }

    def once(path, sock):
        with contextlib.suppress(OSError):
            sock.sendall(texts[framed])

    with RawServer(once) as server, pytest.raises(PageFailed, match="more than 1 MB at once: raise max_body"):
        get(client(max_body=1, request_timeout=5), server.url)
    assert len(server.paths) == 1


@pytest.mark.parametrize("framed", ["length", "chunked"])
@pytest.mark.parametrize("members", [1, 2, 3000])
def test_B04_packed_bodies_that_fit_are_read(framed, members):
    text = b'{"a": 1, "b": [' + b" " * 5000 + b"]}"
    size = -(-len(text) // members)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    body = b"".join([*map(gzip.compress, parts), gzip.compress(b"") * members, b"anything"])
    whole = answer(body, Content_Encoding="gzip")
    if framed == "chunked":
        whole = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        whole += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    with RawServer(lambda path, sock: whole) as server:
        sender = client()
        assert [get(sender, server.url) for _ in range(3)]


def reset(sock):
    sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("how", ["reset", "closed", "closed later", "408"])
def test_C03_a_dropped_connection_is_opened_again_at_once(how, caplog):
    seen = set()

    def once(path, sock):
        if how == "closed later":
            sock.sendall(answer())
            return None
        if sock not in seen:
            seen.add(sock)
            return answer()
        if how == "408":
            return answer(status="408 Request Timeout", Connection="close")
        return reset(sock) if how == "reset" else None

    traffic = Traffic()
    with RawServer(once) as server:
        sender = client(max_retries=0)
        for _ in range(20):
            get(sender, server.url, traffic)
    if how != "closed later":  # or a request may go out before the server's end of the connection is known
        assert traffic.requests == len(server.paths)
    assert (traffic.requests - traffic.retries, traffic.waited) == (20, 0)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("respond", "kind", "status"),
    [
        (answer(status="503 Busy"), PageFailed, 503),
        (answer(status="408 Slow"), PageFailed, 408),
        (answer(b"{"), PageFailed, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}", Unanswered, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n", PageFailed, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", PageFailed, None),
        (answer(b"{}", Content_Encoding="gzip"), PageFailed, None),
        (answer(status="429 Slow down"), RateLimited, 429),
        (answer(status="401 No"), Hopeless, 401),
        (answer(status="403 No"), Refused, 403),
        (answer(status="404 No"), NotFound, 404),
        (answer(status="410 No"), NotFound, 410),
        (answer(status="422 No"), ApiError, 422),
        (None, Unanswered, None),
    ],
)
def test_C04_D04_each_failure_has_its_kind_and_status(respond, kind, status):
    with RawServer(lambda path, sock: respond) as server, pytest.raises(ApiError) as failure:
        get(client(request_timeout=1), server.url)
    assert type(failure.value) is kind
    assert failure.value.status == status


def test_unreachable_where_nobody_listens():
    with RawServer(lambda path, sock: None) as server:
        url = server.url
    with pytest.raises(Unreachable, match="failed 3 times, at last with: connection failed"):
        get(client(), url)


def test_pieces_of_a_page_are_asked_for_once():
    with RawServer(lambda path, sock: answer(status="500 No")) as server, pytest.raises(PageFailed):
        get(client(), server.url, retries=0)
    assert len(server.paths) == 1


@pytest.mark.parametrize("location", ["http://[::1/", "/caf\xe9", "//", "http://u:pass-in-url@127.0.0.2:9/x"])
@pytest.mark.parametrize("tap", [TapEvents, TapBilling])
def test_D04_E03_a_location_that_is_no_url(location, tap):
    with (
        RawServer(lambda path, sock: answer(status="302 Found", Location=location)) as server,
        pytest.raises(ApiError, match="redirects") as failure,
    ):
        run(tap, {"api_url": server.url, "api_key": KEY, "max_retries": 0})
    assert "pass-in-url" not in str(failure.value)


@pytest.mark.parametrize(
    ("tap", "stream", "keeps"),
    [(TapRewards, "campaigns", ""), (TapEvents, "users", "?order=asc"), (TapEvents, "users", "?limit=10")],
)
def test_A01_a_redirect_that_loses_the_query_leads_to_no_list(tap, stream, keeps, capsys):
    """Whatever it leads to: the first rows of another list, of any time and order."""

    def moved(target, sock):
        path, _, query = target.partition("?")
        if path.endswith("/"):
            return answer({stream: [{"id": "1"}]})
        return answer(status="301 Moved Permanently", Location=f"{path}/{keeps}" if query else f"{path}/")

    with RawServer(moved) as server:
        config = {"api_url": server.url, "api_key": KEY, "emit_activate_version_messages": True}
        with pytest.raises(ApiError, match=f"/{stream}/ without the parameter `.*`: check api_url"):
            run(tap, config, catalog=only(tap, stream))
    assert "ACTIVATE_VERSION" not in capsys.readouterr().out


NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def test_E11_no_cookie_is_kept_or_sent():
    with RawServer(lambda path, sock: answer(Set_Cookie=f"c{len(server.paths)}=1; Path=/")) as server:
        sender = client()
        for _ in range(5):
            get(sender, server.url)
    assert not sender.session.cookies
    assert not any(b"cookie" in head.lower() for head in server.heads)


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sun, 01 Mar 2026 12:00:00 GMT", NOW),
        ("Sun, 01 Mar 2026 13:00:00 +0100", NOW),
        ("yesterday", None),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        (None, None),
    ],
)
def test_A10_the_server_says_what_time_it_is(date, moment):
    headers = {"Date": date} if date else {}
    with RawServer(lambda path, sock: answer(**headers)) as server:
        sender = client()
        get(sender, server.url)
    assert sender.first_date == moment


def test_stop_ends_all_waiting():
    failures = []

    def wait():
        try:
            get(sender, server.url)
        except Stopped as stopped:
            failures.append(stopped)

    with RawServer(lambda path, sock: answer(status="429 No", Retry_After="250")) as server:
        sender = client()
        threads = [Thread(target=wait) for _ in range(4)]
        for thread in threads:
            thread.start()
        while not server.paths:
            time.sleep(0.01)
        sender.stop()
        for thread in threads:
            thread.join(10)
    assert len(failures) == 4


def test_a_retry_is_asked_for_by_the_reader_too():
    def read(response):
        raise Retriable("no list")

    with RawServer(lambda path, sock: answer()) as server, pytest.raises(PageFailed, match="no list"):
        client().get(server.url, {}, {}, read, Traffic())
    assert len(server.paths) == 3


def test_D04_a_line_of_the_head_that_makes_no_sense_is_no_traceback(caplog):
    def reply(path, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header at all\r\n\r\n{}")

    with RawServer(reply) as server, contextlib.suppress(ApiError):
        get(client(max_retries=0), server.url)
    assert not caplog.text
