"""Keeps secrets out of the log, at every level and in tracebacks, and out of what `--test` prints."""

from __future__ import annotations

import base64
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_MASK = "(secret)"
_SHORTEST = 4
"""Shorter values than this are no secrets, and would blot out half of the log."""

_ADDRESS = re.compile(r"(https?://)(?:.*@)?([^?#\s]*)", re.IGNORECASE | re.DOTALL)
"""A password may itself hold the characters that end a host, so all before the last @ goes."""

_forms: set[str] = set()
"""The secrets of this process, in each way that they can be written."""


class _Redacting(logging.Formatter):
    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        return redacted(self._inner.format(record))


def redacted(text: str) -> str:
    """A text with the secrets masked, however they are encoded."""
    for form in sorted(_forms, key=len, reverse=True):
        text = text.replace(form, _MASK)
    return text


def public_address(url: str) -> str:
    """The part of a URL that holds no secret: scheme, host and path, without user, query or fragment.

    The URL may be wrong in any way, as this is said before it is checked.
    """
    found = _ADDRESS.match(url)
    return found[1] + found[2] if found else "no address"


def redact_logs(secrets: Iterable[str]) -> None:
    """Mask secrets in what all handlers of the root logger write, from now on."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            basic = base64.b64encode(f"{secret}:x".encode()).decode()
            _forms.update((secret, repr(secret)[1:-1], quote(secret, safe=""), basic))
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Redacting(handler.formatter))
