"""Everything that one running sandbox remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_sandbox.api import Reply
from api_sandbox.changes import Changes
from api_sandbox.data import SEED, Data
from api_sandbox.faults import Faults
from api_sandbox.log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from uvicorn.server import Protocols

    from api_sandbox.api import Api


class State:
    """The rows, faults, changes and requests of one app: ``app.state.sandbox``."""

    def __init__(self, apis: Sequence[Api], seed: int = SEED, data: Mapping[str, Any] | None = None) -> None:
        """Remember nothing yet."""
        self.apis = {api.name: api for api in apis}
        self.data = Data(apis, seed, data)
        self.faults = Faults()
        self.changes = Changes(self.data)
        self.log = RequestLog()
        self.connections: Collection[Protocols] = ()
        """The server's open connections: some faults break them."""

    def error(self, path: str, status: int, message: str) -> Reply:
        """An error in the shape of the API under whose prefix the path lies."""
        api = self.apis.get(path.strip("/").partition("/")[0])
        return api.error(status, message) if api else Reply({"message": message}, status)

    def clear(self) -> None:
        """Forget faults, waiting changes and requests; the rows stay."""
        self.faults.clear()
        self.changes.clear()
        self.log.clear()

    def reset(self) -> None:
        """Be as at the start."""
        self.clear()
        self.data.reset()
