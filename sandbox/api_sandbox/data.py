"""The rows that the sandbox serves: made once per sandbox, the same in every process with the same seed."""

from __future__ import annotations

import functools
import pickle
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from api_sandbox.api import Api

SEED = 20260314


class Data:
    """The tables of every API by its name, each made when it is first asked for.

    ``data["events"]["attendees"][event_id]`` is the plain list of dicts that is served, not a copy: what
    a test changes in it, clients see.
    """

    def __init__(self, apis: Iterable[Api], seed: int = SEED, given: Mapping[str, Any] | None = None) -> None:
        """``given`` tables are served as they are in the place of generated ones."""
        self._apis = {api.name: api for api in apis}
        self._seed = seed
        self._given = dict(given or {})
        self._tables: dict[str, Any] = {}

    def __getitem__(self, api: str) -> Any:
        if api not in self._tables:
            self._tables[api] = self._given.get(api) or pickle.loads(_frozen(self._apis[api], self._seed))  # noqa: S301
        return self._tables[api]

    def reset(self) -> None:
        """Forget all changes to generated tables."""
        self._tables.clear()


@functools.lru_cache(maxsize=64)
def _frozen(api: Api, seed: int) -> bytes:
    """An API's generated tables, from which fresh copies are made much faster than by generating anew."""
    return pickle.dumps(api.generate(random.Random(f"{seed}/{api.name}")))  # noqa: S311
