"""Where a value of a replication key stands: a moment or an integer, and never a text."""

from __future__ import annotations

import contextlib
import operator
import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from tap_core.records.values import is_upper_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)([T ](?P<time>\d\d:\d\d:\d\d)(\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_PLAIN_LENGTHS = frozenset(
    map(len, ("2026-01-31T00:00:00Z", "2026-01-31T00:00:00.123Z", "2026-01-31T00:00:00.123456Z"))
)
"""Of times in UTC that `fromisoformat` takes in every version of Python, once their `Z` is an offset."""

_LONGEST = len("2026-01-31T00:00:00.123456Z")
"""Of a time that is sure to have no digits below microseconds."""
_read_moments = msgspec.json.Decoder(list[Annotated[datetime, Meta(tz=True)]]).decode
_as_text = msgspec.json.Encoder().encode

_KEPT = 2000
"""Times whose place is remembered: those of a page."""

_PAGES = 4
"""Lists of times whose places are remembered: each is looked at up to four times."""


def position(value: Any) -> Any:
    """Where a value stands, to be compared with others of its kind; None if it is no real time or integer.

    Returns:
        An integer; or a moment to the microsecond, and the digits below.
    """
    if isinstance(value, str):
        return _moment(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@lru_cache(_KEPT)  # each value is looked at up to three times
def _moment(text: str) -> tuple[datetime, str] | None:
    if len(text) in _PLAIN_LENGTHS and text[10] == "T" and text[19] in "Z." and text[-1] == "Z":
        plain, below = f"{text[:-1]}+00:00", ""
    elif match := _TIME.fullmatch(text):
        fraction = (match["fraction"] or "").ljust(6, "0")
        zone = (match["zone"] or "Z").replace("Z", "+00:00").replace(":", "")
        plain = f"{match['day']}T{match['time'] or '00:00:00'}.{fraction[:6]}{zone[:3]}:{zone[3:]}"
        below = fraction[6:].rstrip("0")
    else:
        return None
    try:
        return datetime.fromisoformat(plain), below
    except ValueError:
        return None


def positions(values: Sequence[Any]) -> Sequence[Any]:
    """Where some values stand; quicker than one by one where all are plain times, or integers."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return values
    return _of_texts(tuple(values)) if kinds == {str} else list(map(position, values))


@lru_cache(_PAGES)
def _of_texts(texts: tuple[str, ...]) -> list[Any]:
    if max(map(len, texts)) <= _LONGEST:
        with contextlib.suppress(msgspec.DecodeError, UnicodeError):
            written = _as_text(texts)
            if is_upper_case(written):
                return [(moment, "") for moment in _read_moments(written)]
    return list(map(position, texts))


def instant(value: Any) -> datetime:
    """The moment that a setting or STATE names, to the microsecond; UTC if it names no zone.

    Raises:
        ValueError: It is no timestamp.
    """
    place = position(value)
    if isinstance(place, tuple):
        moment: datetime = place[0]
        return moment
    if not re.match(r"\d{4}", str(value), re.ASCII):  # such as "now", or a time of day
        msg = f"{value!r} is no date and time"
        raise ValueError(msg)
    import pendulum  # noqa: PLC0415  loaded only for times that are written in other ways

    parsed = pendulum.parse(str(value))
    if not isinstance(parsed, pendulum.DateTime):
        msg = f"{value!r} is no date and time"
        raise ValueError(msg)  # noqa: TRY004
    return datetime.fromisoformat(parsed.isoformat())


def instant_or_none(value: Any) -> datetime | None:
    """The same of a text; None if it names no moment, or is no text."""
    try:
        return instant(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


class Order:
    """The order of a list by its replication key.

    Args:
        descending: Whether it is to fall.
    """

    def __init__(self, *, descending: bool = False) -> None:
        self._follows = operator.ge if descending else operator.le
        self._last: dict[type, list[Any]] = {}
        self.is_shown = False
        """Whether values have differed: those that are all equal come in any order."""

    def holds(self, values: Iterable[Any]) -> bool:
        """Whether these values follow on those of the last call, and on one another, in order.

        Those without a place stand nowhere; integers and moments stand in no order to each other.
        """
        places, holds = positions([*values]), True
        for kind in {*map(type, places)} - {type(None)}:
            own = self._last.get(kind, []) + [place for place in places if type(place) is kind]
            self._last[kind] = own[-1:]
            self.is_shown = self.is_shown or own[0] != own[-1]
            holds = holds and all(map(self._follows, own, own[1:]))
        return holds
