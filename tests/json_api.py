"""An API of a test's own: a function from path and query to a status and a body, over real HTTP."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from raw_server import RawServer, answer

_REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 422: "Unprocessable", 500: "Oops", 504: "Too Slow"}


class JsonApi(RawServer):
    """Serves what a function makes of each request.

    Args:
        handle: Is given the path and the query; returns a body, or a status, a body and maybe headers.
    """

    def __init__(self, handle):
        def reply(target, sock):
            parts = urlsplit(target)
            found = handle(parts.path, dict(parse_qsl(parts.query)))
            status, body, headers = (*found, {})[:3] if isinstance(found, tuple) else (200, found, {})
            return answer(body, f"{status} {_REASONS.get(status, 'Other')}", **headers)

        super().__init__(reply)

    def count(self, part):
        """Requests whose target holds this text."""
        return sum(part in target for target in self.paths)


def cut(rows, query, *, cap=10**6, start="offset", size="limit", default=20):
    """The rows of a page by offset."""
    begin = int(query.get(start, 0))
    return rows[begin : begin + min(cap, int(query.get(size, default)))]


def numbered(rows, query, *, cap=200):
    """The rows of a page by number."""
    size = min(cap, int(query.get("per_page", 20)))
    begin = (int(query.get("page", 1)) - 1) * size
    return rows[begin : begin + size]
