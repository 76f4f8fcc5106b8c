"""Keeps secrets out of the log, at every level and in tracebacks, and out of what `--test` prints."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import traceback
from array import array
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MASK = "(secret)"
_SHORTEST = 4
"""Shorter values than this are no secrets, and would blot out half of the log."""

_MOST_NAMED, _LONGEST_NAME, _LONGEST_TEXT = 5, 40, 1000

_ADDRESS = re.compile(r"(https?://)(?:.*@)?([^?#\s]*)", re.IGNORECASE | re.DOTALL)
"""A password may itself hold the characters that end a host, so all before the last @ goes."""
_USER_IN_URL = re.compile(r"(?<=://)(?!name:password@)[^/?#\s@]*@")
"""But for what our own advice writes in their place."""

_CREDENTIALS = re.compile(r"(?:://|^(?=[^@]*:)(?!.*://))([^/?#].*)@", re.DOTALL)
_QUERY_VALUE = re.compile(r"[?&;][^=&;#]*=([^&;#]*)")

_EMAIL = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.[A-Za-z]{2,24}\b")
_EMAIL_MASK = "(e-mail)"

_PHONE = re.compile(r"(?<![\w.])(?:\+|%2B)[1-9](?:[ \u00a0().-]{0,2}[0-9]){7,14}\b", re.IGNORECASE)
_PHONE_MASK = "(phone)"

_ESCAPE = re.compile(
    r"\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2})|[rn]\s*)?"
    r"|%(?:25)*([0-9a-f]{2})|&(?:amp;){0,3}(#\w{1,9}|[a-z]{2,8});|[\r\n]\s*|\0",
    re.IGNORECASE,
)
"""A letter as source, JSON, a URL or HTML has it, or what can stand between two: a line that was broken or
folded, a backslash, the other half of a letter in UTF-16."""

_forms: set[str] = set()
"""The secrets of this process, in each way that they can be written but for what `_ESCAPE` finds."""

_pattern = re.compile("(?!)")

_RUN, _LONG_RUN = 8, 16
"""Characters in a row that are a part of a key, as where an API says `Invalid key sk_live_4eC39…`; and as
many where they are words."""

_WORDS = re.compile(r"(?:[A-Z]?[a-z]*|[A-Z]*)(?:[ ._/:-](?:[A-Z]?[a-z]*|[A-Z]*))*|[\W\d_]*")
"""What can stand in a key and in any other text: words, or a number."""

_parts: dict[int, set[str]] = {}
"""Parts of the keys of this process by their length, in small letters."""


def redacted(text: str) -> str:
    """A text with the secrets masked, however they are encoded, in capitals or not, and users in URLs.

    Addresses of e-mail are as well, and numbers to call that begin with their country's: an API's message,
    or a filter, can hold one.
    """
    if _ESCAPE.search(text):
        text = _pattern.sub(_MASK, text)
        text = _masked(text, *_unescaped(text))
    text = _masked(text, text, range(len(text)))
    text = _USER_IN_URL.sub(_MASK, text)
    text = _EMAIL.sub(_EMAIL_MASK, text) if "@" in text or "%40" in text else text
    return _PHONE.sub(_PHONE_MASK, text) if "+" in text or "%2" in text else text


def _masked(text: str, plain: str, starts: Sequence[int]) -> str:
    """A text with the secrets masked.

    Args:
        text: The text.
        plain: The same, or with its escapes undone.
        starts: Where each letter of that begins in the text.
    """
    parts, done = list[str](), 0
    for begin, end in _found(plain):
        last = starts[end - 1]
        escape = _ESCAPE.match(text, last) if plain is not text else None
        parts += [text[done : starts[begin]], _MASK]
        done = escape.end() if escape else last + 1
    return "".join((*parts, text[done:])) if parts else text


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets stand in a text, and parts of keys: from the first letter to behind the last."""
    small = _small(text)
    spans = [found.span() for found in _pattern.finditer(text)]
    for size, parts in _parts.items():
        places = range(len(text) - size + 1)
        spans += [(place, place + size) for place in places if small[place : place + size] in parts]
    begin = end = -1
    for first, last in sorted(spans):
        if first >= end > 0:
            yield begin, end
        begin, end = (first, last) if first >= end else (begin, max(end, last))
    if end > 0:
        yield begin, end


def _small(text: str) -> str:
    """A text in small letters, each where it was: some would become two."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def _unescaped(text: str) -> tuple[str, array[int]]:
    """A text with its escapes undone, and where each of the letters begins in what it was."""
    parts, starts, done = list[str](), array("L"), 0
    for escape in _ESCAPE.finditer(text):
        start, (*codes, entity) = escape.start(), escape.groups()
        code = next(filter(None, codes), None)
        letter = html.unescape(f"&{entity};") if entity else chr(int(code, 16)) if code else ""
        parts += [text[done:start], letter := letter.strip("\r\n\0")]
        starts.extend(range(done, start))
        starts.extend([start] * len(letter))
        done = escape.end()
    starts.extend(range(done, len(text)))
    return "".join((*parts, text[done:])), starts


def printable(text: str) -> str:
    """A text from outside on one line: control characters and terminal escapes are written out."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def brief(value: Any, most: int = _LONGEST_NAME) -> str:
    """The beginning of a value from outside; masked before a cut: half an address is not known for one."""
    text = str(value)
    return text if len(text) <= most else redacted(text[:_LONGEST_TEXT])[:most]


def first_few(names: Sequence[str]) -> str:
    """Names that a user's file has: the first few, none of them long, and how many more there are."""
    more = len(names) - _MOST_NAMED
    named = ", ".join(map(brief, names[:_MOST_NAMED]))
    return f"{named} and {more} more" if more > 0 else named


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


def redact_logs(keys: Iterable[str], others: Iterable[str] = ()) -> None:
    """Mask secrets in all that is logged from now on, whichever logger and handler it takes.

    What is logged as an argument, which may come from outside, is kept to one line besides.

    Args:
        keys: Those of the API, which it may say in part: a part of them is masked as well.
        others: Secrets of which a part may be a user's name, or a word.
    """
    global _pattern  # noqa: PLW0603  the secrets of a process are one thing
    keys = [*keys]
    for key in keys:
        for part in _parts_of(key):
            _parts.setdefault(len(part), set()).add(part)
    for secret in (*keys, *others):
        if len(secret) >= _SHORTEST:
            _forms.update(form for form in _encodings_of(secret) if len(form) >= _SHORTEST)
    longest_first = sorted(_forms, key=len, reverse=True)
    _pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)", re.IGNORECASE)
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _RedactingFactory):
        logging.setLogRecordFactory(_RedactingFactory(factory))


def _encodings_of(secret: str) -> Iterable[str]:
    """The ways to write a secret: as it is, with escapes undone, in hex, in base64 whatever is around it."""
    for text in (secret, json.dumps(secret)[1:-1], quote(secret), quote_plus(secret)):
        yield from (text, _unescaped(text)[0])
    data = secret.encode()
    yield from (data.hex(), *map(data.hex, ":- "))
    yield from _in_base64(secret)


def _in_base64(secret: str) -> Iterator[str]:
    data = secret.encode()
    for content in (data, secret.encode("utf-16-le").rstrip(b"\0")):
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + content).decode()
            # No bit of these letters is of what is around the secret.
            inside = encoded[-(-8 * before // 6) : 8 * (before + len(content)) // 6]
            yield from (inside, inside.replace("+", "-").replace("/", "_"))


def _parts_of(key: str) -> Iterator[str]:
    """What is so long of a key, or half of a short one, that it tells of it."""
    for form in (key, *_in_base64(key)):
        size, long = min(_RUN, len(form) // 2), min(_LONG_RUN, len(form) - 1)
        if size >= _SHORTEST:
            runs = (form[place : place + size] for place in range(len(form) - size + 1))
            yield from (_small(run) for run in runs if _tells(run))
            yield from (_small(form[place : place + long]) for place in range(len(form) - long + 1))


def _tells(run: str) -> bool:
    """Whether a part of a key is none of other texts, as words are, and short numbers."""
    return not _WORDS.fullmatch(run) or (len(run) >= _RUN and run.isdigit())


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
