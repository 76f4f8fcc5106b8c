"""The same work with Estuary's connector kit: rows as dicts, no types, one request at a time.

    python estuary_capture.py URL KEY

Its limiter would wait a second before the first requests, and less before each next one; it is told not to.
"""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import orjson
from estuary_cdk.capture import BaseCaptureConnector, Request
from estuary_cdk.capture.request import Open
from estuary_cdk.capture.response import Opened
from estuary_cdk.http import HTTPError
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from estuary_cdk.capture import Task

PAGE = 100
NOT_FOUND = 404
EVENTS, ATTENDEES = 0, 1
STREAMS = ("events", "attendees")


class State(BaseModel):
    """Up to which event was read."""

    event: int


class Capture(BaseCaptureConnector[Any, Any, Any]):
    """Events and their attendees."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._headers = url, {"x-api-key": key}

    def request_class(self) -> type[Request[Any, Any, Any]]:
        """What is sent to it."""
        return Request[Any, Any, Any]

    async def spec(self, *_: Any) -> Any:
        """Not asked for."""
        raise NotImplementedError

    discover = validate = spec

    async def open(self, log: Any, _: Any) -> Any:
        """Begin."""
        self._log, self.rate_limiter.delay = log, 0.0
        return Opened(explicitAcknowledgements=False), self._capture

    async def _page(self, name: str, path: str, offset: int) -> list[dict[str, Any]]:
        params = {"offset": offset, "limit": PAGE}
        try:
            body = await self.request(
                self._log, f"{self._url}/v1/{path}", params=params, headers=dict(self._headers)
            )
        except HTTPError as error:
            if error.code == NOT_FOUND:
                return []
            raise
        rows: list[dict[str, Any]] = orjson.loads(body)[name]
        return rows

    async def _list(self, task: Task, binding: int, name: str, path: str) -> AsyncGenerator[dict[str, Any]]:
        offset, full = 0, True
        while full:
            rows = await self._page(name, path, offset)
            for row in rows:
                task.captured(binding, row)
                yield row
            offset += PAGE
            full = len(rows) == PAGE

    async def _capture(self, task: Task) -> None:
        async for event in self._list(task, EVENTS, "events", "events"):
            async for _ in self._list(task, ATTENDEES, "attendees", f"events/{event['id']}/attendees"):
                pass
            await task.checkpoint(State(event=event["id"]))


async def main(url: str, key: str) -> None:
    """Serve one `open`, as the runtime sends it."""

    async def requests(_: Any) -> AsyncGenerator[Any]:
        capture = SimpleNamespace(name="bench", config={}, bindings=STREAMS, createdAt=None)
        yield Request.model_construct(open=Open.model_construct(capture=capture, state={}))

    await Capture(url, key).serve(requests=requests)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
