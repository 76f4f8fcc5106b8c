"""The gate in front of the APIs: logs each request, and does to it what the faults in force ask for."""

from __future__ import annotations

import functools
import gzip
from typing import TYPE_CHECKING

from api_sandbox.exchange import Exchange, Raw, collect
from api_sandbox.faults import LIMITS
from api_sandbox.paging import Paging

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from api_sandbox.faults import Fault
    from api_sandbox.state import State

CONTROL = "/_sandbox"
_HTML = "<!DOCTYPE html><html><body><h1>We'll be back soon</h1></body></html>"
_WORTH_COMPRESSING = 500
_WORTH_FORGETTING = 500_000


class Gate:
    """ASGI middleware around the APIs; the control endpoints pass it untouched."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        """Stand in front of ``app``."""
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or not."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        entry = self._state.log.open(scope)
        try:
            faults = self._state.faults.firing(entry, self._state.log.in_progress)
            entry.faults = tuple(str(fault.kind) for fault in faults)
            await self._serve(Exchange(scope, receive, send, entry, self._state.connections), faults)
        finally:
            self._state.log.close(entry)

    async def _serve(self, exchange: Exchange, faults: list[Fault]) -> None:
        """Delay, then answer as a fault wants it, or as the API does."""
        for fault in faults:
            if fault.kind == "latency" and not await exchange.pause(fault.seconds or 0):
                return
        if faults and await self._answered(exchange, faults[-1]):
            return
        kinds = {fault.kind for fault in faults}
        scope = {**exchange.scope, "api_sandbox.paging": Paging.from_faults(faults)}
        raw = await collect(self._app, scope, exchange.receive)
        self._state.changes.answered(exchange.entry.path)
        if "malformed" in kinds:
            raw = Raw(200, raw.headers, raw.body[: len(raw.body) * 2 // 3])
        if exchange.accepts_gzip and len(raw.body) >= _WORTH_COMPRESSING:
            compress = _compressed_once if len(raw.body) < _WORTH_FORGETTING else _compressed
            raw = Raw(raw.status, [*raw.headers, (b"content-encoding", b"gzip")], compress(raw.body))
        if "cut" in kinds:
            await exchange.send_cut(raw)
        else:
            await exchange.send_whole(raw)

    async def _answered(self, exchange: Exchange, fault: Fault) -> bool:
        """Give the fault's own answer; False when it has none and the API is to be asked."""
        if fault.kind == "reset":
            await exchange.reset()
        elif fault.kind == "close":
            await exchange.close()
        elif fault.kind == "hang":
            if await exchange.pause(fault.seconds or 0):
                await exchange.close()
        elif fault.kind == "html":
            body = (fault.body or _HTML).encode()
            await exchange.send_whole(Raw.build(200, {"content-type": "text/html"}, body))
        elif fault.kind == "raw_body":
            body = fault.raw if fault.raw is not None else (fault.body or "").encode()
            headers = {"content-type": "application/json", **fault.answer_headers()}
            await exchange.send_whole(Raw.build(fault.status or 200, headers, body))
        elif fault.kind == "status" or fault.kind in LIMITS:
            await exchange.send_whole(self._refusal(exchange, fault))
        else:
            return False
        return True

    def _refusal(self, exchange: Exchange, fault: Fault) -> Raw:
        """An error in the shape of the API that was asked."""
        status = 429 if fault.kind in LIMITS else fault.status or 500
        reply = self._state.error(exchange.entry.path, status, f"Sandbox fault: {status}")
        body = reply.encoded() if fault.body is None else fault.body.encode()
        headers = {"content-type": "application/json", **reply.headers, **fault.answer_headers()}
        return Raw.build(status, headers, body)


def _compressed(body: bytes) -> bytes:
    """The fastest gzip."""
    return gzip.compress(body, compresslevel=1, mtime=0)


_compressed_once = functools.lru_cache(maxsize=512)(_compressed)
"""For pages, which are asked for again and again."""
