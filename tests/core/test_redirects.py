"""Redirects to the same host, whichever way it is written, and to another one."""

from __future__ import annotations

import pytest

from json_api import JsonApi, cut
from lists import BY_OFFSET, QUICK, only, rows_of
from support import KEY, run
from tap_core.errors import ApiError
from tap_core.http import messages

SAME = ["http://LOCALHOST:{}", "HTTP://localhost.:{}", "http://me:pw@Localhost:{}", "//localhost:{}"]
OTHER = ["http://localhost.example:{}", "https://localhost:{}", "http://localhost:1", "http://localhost"]


def read(stream, location):
    """The rows of a list that is moved to another place, and the hosts that were asked."""
    tap, rows = BY_OFFSET[stream], rows_of(stream, 5)

    def handle(path, query):
        if path.endswith("/moved"):
            return {stream: cut(rows, query)}
        port = api.host.rpartition(":")[2]
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return 301, {}, {"Location": f"{location.format(port)}/moved?{asked}"}

    with JsonApi(handle) as api:
        url = api.url.replace("127.0.0.1", "localhost")
        output = run(tap, {"api_url": url, "api_key": KEY, **QUICK}, catalog=only(tap, stream))
    hosts = {line for head in api.heads for line in head.split(b"\r\n") if line.startswith(b"Host:")}
    return output.records[stream], hosts


@pytest.mark.parametrize("location", SAME)
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_D05_the_same_host_written_otherwise_is_followed(stream, location):
    rows, hosts = read(stream, location)
    assert len(rows) == 5
    assert len(hosts) == 1


@pytest.mark.parametrize("location", OTHER)
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_D05_another_host_port_or_scheme_gets_no_key(stream, location):
    with pytest.raises(ApiError, match=r"api_url redirects to http.*: set it to the right address"):
        read(stream, location)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://host:80/x", "http://host", True),
        ("https://host:443", "HTTPS://Host./y?z", True),
        ("https://host:443/", "https://host:", True),
        ("http://[::1]:80/", "http://[::1]", True),
        ("http://me:pw@host", "http://host", True),
        ("http://host:443", "http://host", False),
        ("https://host:80", "https://host", False),
        ("http://host:8080", "http://host", False),
        ("http://[::1]:81/", "http://[::1]", False),
        ("http://host", "https://host", False),
        ("http://host.example", "http://host", False),
    ],
)
def test_D05_an_origin_has_one_name(one, other, same):
    assert (messages.origin(one) == messages.origin(other)) is same
