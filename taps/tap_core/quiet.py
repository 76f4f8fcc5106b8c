"""The SDK's lines about every step of its set-up, left out unless somebody debugs."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def without_steps(logger: logging.Logger) -> Iterator[None]:
    """Let a logger tell warnings and errors only."""
    level = logger.level
    if logger.getEffectiveLevel() == logging.INFO:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
