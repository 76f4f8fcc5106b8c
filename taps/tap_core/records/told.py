"""`Told`: names that the log tells once each, and no more than a hundred of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_MOST = 100


class Told:
    """What was told in the log: where each record has names of its own, these have no end.

    Args:
        tell: Writes a line, as `logger.warning` does.
        more: The line in place of all names after the first hundred.
    """

    def __init__(self, tell: Callable[..., None], more: str) -> None:
        self._tell = tell
        self._more = more
        self._names: set[Hashable] = set()

    def once(self, name: Hashable, text: str, *words: Any) -> None:
        """Tell of a name, unless that was done before."""
        if name in self._names or len(self._names) > _MOST:
            return
        self._names.add(name)
        if len(self._names) > _MOST:
            self._tell(self._more)
        else:
            self._tell(text, *words)
