"""Keeps secrets out of the log, at every level and in tracebacks, and out of what `--test` prints."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MASK = "(secret)"
_SHORTEST = 4
"""Shorter values than this are no secrets, and would blot out half of the log."""

_ADDRESS = re.compile(r"(https?://)(?:.*@)?([^?#\s]*)", re.IGNORECASE | re.DOTALL)
"""A password may itself hold the characters that end a host, so all before the last @ goes."""
_USER_IN_URL = r"(?<=://)[^/?#\s@]*@"

_CREDENTIALS = re.compile(r"(?:://|^(?!.*://))([^/?#].*)@", re.DOTALL)
_QUERY_VALUE = re.compile(r"[?&;][^=&;#]*=([^&;#]*)")

_EMAIL = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.[A-Za-z]{2,24}\b")
_EMAIL_MASK = "(e-mail)"

_forms: set[str] = set()
"""The secrets of this process, in each way that they can be written."""

_pattern = re.compile(_USER_IN_URL)


def redacted(text: str) -> str:
    """A text with the secrets masked, however they are encoded, in capitals or not, and users in URLs.

    Addresses of e-mail are as well: an API's message, or a filter, can hold one.
    """
    text = _pattern.sub(_MASK, text)
    return _EMAIL.sub(_EMAIL_MASK, text) if "@" in text or "%40" in text else text


def printable(text: str) -> str:
    """A text from outside on one line: control characters and terminal escapes are written out."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def public_address(url: str) -> str:
    """The part of a URL that holds no secret: scheme, host and path, without user, query or fragment.

    The URL may be wrong in any way, as this is said before it is checked.
    """
    found = _ADDRESS.match(url)
    return found[1] + found[2] if found else "no address"


def url_secrets(url: str) -> Iterator[str]:
    """What of a URL is not to be said: name and password, the password alone, and the values of its query.

    Each part of a password too: what can't read such a URL names a part of it, as a host or a port mostly.
    """
    found = _QUERY_VALUE.findall(url)
    if credentials := _CREDENTIALS.search(url):
        password = credentials[1].partition(":")[2]
        found += [credentials[1], password, *re.split("[/?#@:]", password)]
    for text in found:
        yield from (text, unquote(text))


def redact_logs(secrets: Iterable[str]) -> None:
    """Mask secrets in all that is logged from now on, whichever logger and handler it takes.

    What is logged as an argument, which may come from outside, is kept to one line besides.
    """
    global _pattern  # noqa: PLW0603  the secrets of a process are one thing
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            _forms.update(_encodings_of(secret))
    longest_first = sorted(_forms, key=len, reverse=True)
    _pattern = re.compile("|".join([*map(re.escape, longest_first), _USER_IN_URL]), re.IGNORECASE)
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _RedactingFactory):
        logging.setLogRecordFactory(_RedactingFactory(factory))


_OF_URLS = "!#$%&'()*+,/:;=?@[]~"
"""What a URL can have undisguised: one that is made of a text, as in a redirect, is quoted but for these."""


def _encodings_of(secret: str) -> Iterable[str]:
    """The ways to write a secret: as it is, in source, JSON, HTML, URLs and hex, and in headers of HTTP."""
    yield from (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], html.escape(secret))
    yield json.dumps(secret)[1:-1].replace("/", "\\/")  # as PHP writes it
    for entity in ("&#{:d};", "&#x{:x};"):
        yield "".join(letter if letter.isalnum() else entity.format(ord(letter)) for letter in secret)
    yield from (secret.encode().hex(), "".join(f"%{byte:02x}" for byte in secret.encode()))
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret), quote(secret, safe=_OF_URLS))
    for text in (secret, f"{secret}:x", f"{secret}:", f":{secret}"):
        encoded = base64.b64encode(text.encode()).decode().rstrip("=")
        yield from (encoded, encoded.replace("+", "-").replace("/", "_"))


class _RedactingFactory:
    """Makes log records of which no handler and no formatter can write a secret."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        record.args = _clean_args(record.args)
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a fault in the call, which the handler tells of
            message = str(record.msg)
        clean = redacted(message)
        if not isinstance(record.msg, str):
            record.msg, record.args = printable(clean), ()
        elif clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[1]:
            told = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            record.exc_text = "\n".join(map(printable, redacted(told).split("\n")))
            if _holds_secret(record.exc_info[1]):
                record.exc_info = None  # a formatter of its own would write what it says
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return record


def _holds_secret(error: BaseException) -> bool:
    chain = [error]
    for link in chain:
        chain += [other for other in (link.__cause__, link.__context__) if other and other not in chain]
    return any(redacted(text) != text for text in map(str, chain))


def _clean_args(args: Any) -> Any:
    if isinstance(args, dict):
        return {name: _clean(value) for name, value in args.items()}
    return tuple(map(_clean, args)) if isinstance(args, tuple) else args


def _clean(value: Any) -> Any:
    """A value as it may be logged; texts and failures may hold what came from outside."""
    if isinstance(value, (str, BaseException)):
        return printable(redacted(str(value)))
    if isinstance(value, (dict, list, tuple, set, bytes)) and redacted(text := repr(value)) != text:
        return redacted(text)
    return value
