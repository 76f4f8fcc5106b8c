"""Runs the sandbox: in a thread for tests, or in this process for the command line."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import uvicorn
from typing_extensions import override

from api_sandbox.app import APIS, create_app
from api_sandbox.changes import Change
from api_sandbox.data import SEED
from api_sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from starlette.applications import Starlette
    from typing_extensions import Self

    from api_sandbox.api import Api
    from api_sandbox.data import Data
    from api_sandbox.log import Entry
    from api_sandbox.state import State

_TICK = 0.01
_IDLE = 75


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one."""
    listener = socket.create_server((host, port), backlog=1024)
    # Connections inherit it. Without it, a body that follows its headers waits for the client's delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class Server(uvicorn.Server):
    """A uvicorn server that stops at once, whatever its connections are doing, and lets faults break them."""

    def __init__(self, app: Starlette, host: str, port: int, **options: Any) -> None:
        """Serve ``app``; nothing happens before ``run``."""
        super().__init__(
            uvicorn.Config(
                app,
                host,
                port,
                lifespan="off",
                ws="none",
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_IDLE,
                timeout_graceful_shutdown=1,
                **options,
            )
        )
        app.state.sandbox.connections = self.server_state.connections

    @override
    async def main_loop(self) -> None:
        """Wait for the order to stop."""
        while not self.should_exit:  # noqa: ASYNC110 - set by signals and by other threads
            await asyncio.sleep(_TICK)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop all connections, then stop in good order."""
        await self._drop_connections()
        await super().shutdown(sockets)
        await self._drop_connections()  # those that were still being accepted

    async def _drop_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(_TICK)


class Sandbox:
    """The sandbox on a free port of 127.0.0.1, served by a thread: ``with Sandbox() as sandbox: ...``."""

    def __init__(
        self, apis: Sequence[Api] = APIS, *, seed: int = SEED, data: Mapping[str, Any] | None = None
    ) -> None:
        """``data`` gives APIs' tables in the place of generated ones: ``{"events": {"events": [...]}}``."""
        self.app = create_app(apis, seed=seed, data=data)
        self._state: State = self.app.state.sandbox
        self.port = 0

    def __enter__(self) -> Self:
        """Start, and return when requests are answered."""
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self._server = Server(self.app, "127.0.0.1", self.port, log_config=None, log_level="warning")
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="api-sandbox", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_TICK / 10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and return when nothing is left running."""
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        """Where the sandbox listens, without a slash at the end; an API is at ``f"{url}/events"``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Data:
        """The rows that are served, and may be changed: ``data["events"]["attendees"][event_id]``."""
        return self._state.data

    @property
    def requests(self) -> list[Entry]:
        """The requests to the APIs since the last clear, in order of arrival."""
        return self._state.log.entries

    def matching(self, path: str) -> list[Entry]:
        """The requests whose path matches a prefix or regular expression."""
        return self._state.log.matching(path)

    def fault(self, kind: str | None = None, **rule: Any) -> Fault:
        """Ask for a fault, as over HTTP; its ``hits`` tell how often it struck."""
        fault = msgspec.convert({**rule, "kind": kind}, Fault, builtin_types=(bytes,))
        self._state.faults.rules.append(fault)
        return fault

    def change(self, **change: Any) -> None:
        """Change rows now or after some more requests, as over HTTP."""
        self._state.changes.add(msgspec.convert(change, Change))

    def clear(self) -> None:
        """Forget faults, waiting changes and requests; the rows stay."""
        self._state.clear()

    def reset(self) -> None:
        """Be as at the start, rows included."""
        self._state.reset()
