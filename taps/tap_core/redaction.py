"""Keeps secrets out of the log, at every level and in tracebacks."""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_MASK = "(secret)"
_SHORTEST = 4
"""Shorter values than this are no secrets, and would blot out half of the log."""


class _Redacting(logging.Formatter):
    def __init__(self, inner: logging.Formatter | None, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()
        self._secrets = sorted(secrets, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        text = self._inner.format(record)
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text


def redact_logs(secrets: Iterable[str]) -> None:
    """Mask secrets in what all handlers of the root logger write, however the secret is encoded."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            basic = base64.b64encode(f"{secret}:x".encode()).decode()
            forms |= {secret, repr(secret)[1:-1], quote(secret, safe=""), basic}
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Redacting(handler.formatter, forms))
