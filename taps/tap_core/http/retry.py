"""Which failures are tried again, and after how long."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import chain, islice
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from tap_core.errors import PLAINLY_TOO_MUCH, PUT_OFF, TOO_MUCH, Hopeless, Retriable, Unconnected
from tap_core.http import messages
from tap_core.http.connection import CONNECT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RETRIED_STATUSES = frozenset({408, 413, 429})
"""Client errors that are tried again, as what is too much at once (413) is in pieces; all server errors (500
and above) are as well."""

_LIMIT = re.compile(TOO_MUCH)
_PLAIN_LIMIT = re.compile(PLAINLY_TOO_MUCH)
_IN_ANY_WORDS = {400, 402, 403, 420}
"""Statuses with which any words of a limit are believed; with others, those that mean nothing else."""

_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}

_NO_PASSING_LIMIT = re.compile(
    r"licen[cs]e|\bseats?\b|upgrade.{0,20}(feature|user)|(feature|user).{0,40}upgrade"
    r"|not.?found|no.such|does(n't|.not).exist"
)
"""What was bought, or is not there: waiting does not help, whatever else is said."""

_NO_RIGHT = re.compile(r"permission|not.(permitted|entitled|authori[sz]ed)")
"""What a 403 means that is none of a limiter's, though headers of one stand beside it, as on all answers."""

_PUT_OFF = re.compile(PUT_OFF)
_CONFLICTS = {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY}

_LONGEST_REFUSAL = 2000
"""Bytes of a refusal that are looked through for words."""

_JITTER = 0.25
_MOST_DOUBLINGS = 40
_LONGEST_BELIEVED = 400 * 86_400.0
"""Seconds; nobody asks for a longer wait in earnest."""

_FIRST_EPOCH = 1e9
"""A larger number is a point in time: seconds since 1970, or milliseconds from `_FIRST_MILLISECONDS` on."""

_FIRST_MILLISECONDS = 1e11

_QUICK_WHERE_NAMED = (0.05, 0.1, 0.2, 0.4, 0.8)
_QUICK = (0.25, 0.5)
"""Shares of the back-off after the first refusals: a plain limiter soon lets the next request through."""

_SEVERAL = 3
"""Retries from which on a user is patient enough for the window of a limit."""

_IN_VAIN = 2
"""Lists in a row without any answer, after which each other one is asked for but once."""

_OUTAGE, _LONGEST_OUTAGE = 3, 60.0
"""Times as long as the waits of a request's own retries, and seconds at most, for which an outage is waited
for that stops all of them."""

_USED_UP = re.compile(r"\bremaining=0\b[^;]*?\breset=(\d{1,9})\b|;\s*r=0\s*;\s*t=(\d{1,9})\b")
"""In the header `RateLimit`, when what is used up is given again: `limit=25, remaining=0, reset=16`, or, as
later drafts of that standard have it, `"default";r=0;t=16`.
"""

_WINDOW = 60.0
"""Seconds for which an API blocks who asks too often, where its 429 names no time."""


@dataclass(frozen=True)
class Limits:
    """How patient a client is: the settings of the same names, and their defaults."""

    request_timeout: float = 150  # above what the vendors themselves allow a request: up to 125 s
    max_retries: int = 3
    backoff_factor: float = 2
    requests_per_minute: int | None = None
    concurrency: int = 8
    max_wait: float = 300
    max_body: int = 512


class Silence:
    """The lists that were asked for in vain since the last answer, of a server that drops its connections."""

    def __init__(self) -> None:
        self._lists: set[str] = set()
        self._answers = 0

    def note(self, place: str, answers: int) -> None:
        """A list was asked for in vain, after so many answers."""
        if answers != self._answers:
            self._lists.clear()
            self._answers = answers
        self._lists.add(place)

    def is_lasting(self, answers: int) -> bool:
        """Whether it has been seen that waiting does not help; sooner if nothing was ever answered."""
        return answers == self._answers and len(self._lists) >= (_IN_VAIN if answers else 1)


def is_retried(status: int) -> bool:
    """Whether a response of this status is worth asking for again."""
    return status in RETRIED_STATUSES or status >= 500  # noqa: PLR2004


def is_put_off(status: int, body: bytes) -> bool:
    """Whether a refusal says that it passes, as where the site's data is being cleared."""
    return status in _CONFLICTS and _PUT_OFF.search(_beginning(body)) is not None


def is_limit(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a refusal means what others say with a 429: that too much was asked for."""
    if status < HTTPStatus.BAD_REQUEST or status in _GONE:
        return False
    remaining = (value for name, value in headers.items() if "ratelimitremaining" in _letters(name))
    text = _beginning(body)
    if status == HTTPStatus.FORBIDDEN and ("Retry-After" in headers or "0" in remaining):
        return _NO_RIGHT.search(text) is None or _PLAIN_LIMIT.search(text) is not None
    words = _LIMIT if status in _IN_ANY_WORDS else _PLAIN_LIMIT
    return words.search(text) is not None and _NO_PASSING_LIMIT.search(text) is None


def _beginning(body: bytes) -> str:
    return body[:_LONGEST_REFUSAL].decode(errors="replace").lower()


def backoff(limits: Limits, retry: int) -> float:
    """Seconds before the nth retry after a fault: the factor, twice that, … with a little jitter on top."""
    doubled = limits.backoff_factor * 2.0 ** min(retry - 1, _MOST_DOUBLINGS)
    return min(doubled * random.uniform(1, 1 + _JITTER), limits.max_wait)  # noqa: S311


def outage_patience(limits: Limits) -> float:
    """Seconds from the first failure on in which the server may be down; 42 with the defaults."""
    retries = range(min(limits.max_retries, _MOST_DOUBLINGS))
    waits = sum(min(limits.backoff_factor * 2.0**retry, limits.max_wait) for retry in retries)
    return min(_OUTAGE * waits, _LONGEST_OUTAGE)


def refusal_wait(  # noqa: PLR0913
    limits: Limits,
    before: int,
    named: float | None,
    *,
    factor: float = 1,
    first: bool = True,
    blocks: bool = True,
) -> float | None:
    """Seconds to wait after a refusal, or None if it is time to give up.

    Args:
        limits: The client's.
        before: Refusals in a row before this one.
        named: Seconds that the server names.
        factor: How many times as long to wait as after a fault, where no time is named.
        first: Whether no refusal was waited out before: then no wait is short if there is a factor.
        blocks: Whether it may be one of a block of a minute, as a 429 may; else none is waited for.
    """
    waits = _refusal_waits(limits, named, factor, first=first, blocks=blocks)
    return next(islice(waits, before, None), None)


def _refusal_waits(
    limits: Limits, named: float | None, factor: float, *, first: bool, blocks: bool
) -> Iterator[float]:
    """The waits after one refusal upon another, never less than the server names.

    Short at first, then the back-off. Where the retries are used up, the window of the limit is waited for,
    once: some servers name a second, whenever that ends.
    """
    retries = range(limits.max_retries)
    if not retries:
        return
    quick: Sequence[float] = ()
    if named is not None:
        quick, factor = _QUICK_WHERE_NAMED, 1
    elif factor <= 1:
        quick, retries = _QUICK, retries[1:]  # the short waits stand for the first retry
    elif not first:
        quick = _QUICK
    doubled = (factor * 2.0 ** min(retry, _MOST_DOUBLINGS) for retry in retries)
    for share in chain(quick, doubled):
        yield max(named or 0.0, min(share * limits.backoff_factor, limits.max_wait))
    is_patient = blocks and limits.max_retries >= _SEVERAL and limits.max_wait >= _WINDOW
    if is_patient and (named or 0.0) < _WINDOW:
        yield _WINDOW


def failure_of(url: str | None, error: Exception, request_timeout: float, *, answered: bool) -> Exception:
    """What it means that there was no whole answer.

    Args:
        url: Where the request went.
        error: What came in its place.
        request_timeout: Seconds that it was waited for at most.
        answered: Whether any request was answered before.
    """
    if isinstance(error, ReadTimeoutError):
        return Retriable(f"no answer within {request_timeout:g} s", unanswered=True)
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        seconds = min(CONNECT_TIMEOUT, request_timeout)
        return Unconnected(f"no connection within {seconds:g} s", unanswered=True)
    if hopeless := messages.why_hopeless(url, error, answered=answered):
        return Hopeless(hopeless)
    if isinstance(error, (HTTPError, requests.RequestException)):
        kind = Retriable if isinstance(error, ProtocolError) else Unconnected
        return kind(messages.reason(error), unanswered=messages.is_unanswered(error))
    if isinstance(error, OSError):
        return Hopeless(f"{messages.sanitize(str(error), 300)}: check REQUESTS_CA_BUNDLE")
    return Retriable(f"the body can't be read ({messages.sanitize(str(error))})")


def named_wait(headers: Mapping[str, str], *, limited: bool) -> float | None:
    """Seconds that an answer asks to wait: Retry-After, or what its rate limits say.

    Args:
        headers: The answer's; points in time are compared with its own Date.
        limited: Whether it is a refusal (429), so that `X-RateLimit-Reset` and its kin matter.
    """
    now = _date(headers.get("Date")) or datetime.now(timezone.utc)
    thousandths = (value for name, value in headers.items() if _letters(name).endswith("retryafterms"))
    precise = _seconds(next(thousandths, None), now)
    wait = _seconds(headers.get("Retry-After"), now) if precise is None else precise / 1000
    if wait or not limited:
        return wait
    resets = [
        seconds
        for name, value in headers.items()
        if "ratelimitreset" in _letters(name)
        and _seconds(headers.get(re.sub("(?i)reset", "Remaining", name)), now) in {None, 0.0}
        and (seconds := _seconds(value, now)) is not None
    ]
    used_up = (_seconds("".join(found), now) for found in _USED_UP.findall(headers.get("RateLimit", "")))
    resets += [seconds for seconds in used_up if seconds is not None]
    return max(resets, default=wait)


def first_date(headers: Mapping[str, str]) -> datetime | None:
    """The moment at which an answer was made, by the server's clock; None if it doesn't say."""
    return _date(headers.get("Date"))


def _letters(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _seconds(value: str | None, now: datetime) -> float | None:
    """Seconds from now; None if the value is absent or makes no sense.

    Args:
        value: `120`, or a date such as `Fri, 31 Dec 2026 23:59:59 GMT`, or a Unix time.
        now: The moment that a date is compared with.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?", text):
        seconds = float(text)
        if seconds >= _FIRST_MILLISECONDS:
            seconds /= 1000
        if seconds >= _FIRST_EPOCH:
            seconds -= now.timestamp()
    elif moment := _date(text):
        seconds = (moment - now).total_seconds()
    else:
        return None
    return max(0.0, seconds) if seconds <= _LONGEST_BELIEVED else None


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
