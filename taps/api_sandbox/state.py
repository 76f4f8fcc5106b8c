"""Everything that one running sandbox remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

    def api_of(self, path: str) -> Api | None:
        """The API under whose prefix a path lies."""
        return self.apis.get(path.split("/", 2)[1])

    def clear(self) -> None:
        """Forget faults, waiting changes and requests; the rows stay."""
        self.faults.clear()
        self.changes.clear()
        self.log.clear()

    def reset(self) -> None:
        """Be as at the start."""
        self.clear()
        self.data.reset()
