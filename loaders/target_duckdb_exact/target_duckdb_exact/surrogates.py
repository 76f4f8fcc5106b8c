"""Halves of surrogate pairs that stand alone in JSON, as of an emoji that was cut: no text can hold them."""

from __future__ import annotations

import re

REPLACEMENT = rb"\ufffd"

_HALF = rb"u[Dd][%s][0-9A-Fa-f]{2}"
_HIGH, _LOW, _ANY = _HALF % b"89ABab", _HALF % b"C-Fc-f", _HALF % b"89A-Fa-f"
# An escaped backslash and a whole pair are matched so as to be passed over: what follows them is not theirs.
_ESCAPE = re.compile(rb"\\(?:\\|%s\\%s|(%s))" % (_HIGH, _LOW, _ANY))


def replaced(text: bytes, by: bytes = REPLACEMENT) -> tuple[bytes, int]:
    """JSON with another escape in place of each half, and how many there were."""
    halves = 0

    def whole(match: re.Match[bytes]) -> bytes:
        nonlocal halves
        if match[1] is None:
            return match[0]
        halves += 1
        return by

    return _ESCAPE.sub(whole, text), halves
