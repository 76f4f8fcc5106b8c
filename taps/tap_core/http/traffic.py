"""What a stream's requests came to, and who is told of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests


@dataclass
class Traffic:
    """What a stream's reading cost; `on_answer` is told of every answer, whatever its status."""

    on_answer: Callable[[requests.Response], None] | None = None
    requests: int = 0
    """As the server counts them: retries and redirects too, and none that found no connection."""
    retries: int = 0
    waited: float = 0.0
    """Seconds."""
