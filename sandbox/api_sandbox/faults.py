"""Faults that tests ask for, and which requests they hit."""

from __future__ import annotations

import math
import random
import time
from collections import Counter, deque
from email.utils import formatdate
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from api_sandbox.matching import check_pattern, path_matches, query_matches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api_sandbox.log import Entry

Kind = Literal[
    "latency",
    "hang",
    "status",
    "reset",
    "close",
    "cut",
    "malformed",
    "html",
    "raw_body",
    "page_cap",
    "ignore_paging",
    "empty_page",
    "wrong_total",
    "wrong_cursor",
    "limit_per_minute",
    "max_concurrent",
]
LIMITS = frozenset({"limit_per_minute", "max_concurrent"})
ANSWERS = LIMITS | {"hang", "status", "reset", "close", "html", "raw_body"}
"""Kinds after which the API itself is not asked."""
_MINUTE = 60.0

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Status = Annotated[int, msgspec.Meta(ge=200, le=599)]
_Later = Annotated[str, msgspec.Meta(pattern=r"^date:-?[0-9]{1,9}(\.[0-9]{1,9})?$")]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
_Value = Annotated[str, msgspec.Meta(pattern=r"^[\t\x20-\x7e\x80-\xff]*$")]


class Fault(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, eq=False):
    """A rule: which requests are hit, how often, and by what.

    All rules that match a request apply to it, in the order in which they were made, up to the first that
    gives an answer.
    """

    kind: Kind | None = None
    """What happens; may be left out where ``limit_per_minute`` or ``max_concurrent`` says it."""
    path: str = ""
    """Prefix of the path, or a regular expression that matches from its start."""
    query: str = ""
    """Regular expression that is found in the query."""
    times: _Count | None = None
    """How many requests are hit before the rule is spent; None is for ever."""
    after: _Count = 0
    """How many matching requests are spared first."""
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    """Share of requests that are hit: the same ones in every run, in whatever order they come."""
    seed: int = 0
    """Another seed, other requests for the same rate."""
    first_attempts: bool | int = False
    """Hits only the first attempt (or the first n) at each distinct URL."""

    status: _Status | None = None
    """status (default 500), raw_body (default 200): the status to answer."""
    retry_after: _Seconds | _Later | None = None
    """status: seconds, or "date:N" for the date N seconds from now."""
    seconds: _Seconds | None = None
    """latency, hang: how long. A hang ends without an answer."""
    size: int = 0
    """page_cap: the largest page. wrong_total: added to the total."""
    limit_honoured: bool = False
    """ignore_paging: always the first page, in the place of always the whole list."""
    cursor: int | str | None = None
    """wrong_cursor: the cursor to send."""
    body: str | None = None
    """status, html, raw_body: the body to answer."""
    raw: bytes | None = None
    """raw_body: the body as bytes (base64 in JSON)."""
    headers: dict[_Name, _Value] = {}
    """status, raw_body: more headers."""
    limit_per_minute: _Count | None = None
    """Requests that are let through in ``window`` seconds; more get 429 and Retry-After."""
    window: _Seconds = _MINUTE
    max_concurrent: _Count | None = None
    """Requests that may run at the same time; more get 429."""

    hits: int = 0
    """Requests hit so far."""
    _seen: int = 0
    _attempts: Counter[str] = msgspec.field(default_factory=Counter)
    _passed: deque[float] = msgspec.field(default_factory=deque)

    def __post_init__(self) -> None:
        """Refuse a rule that could not work."""
        if self.kind is None and self.limit_per_minute is not None:
            self.kind = "limit_per_minute"
        elif self.kind is None and self.max_concurrent is not None:
            self.kind = "max_concurrent"
        elif self.kind is None:
            raise ValueError("a fault needs a `kind`")
        if self.kind in LIMITS and getattr(self, self.kind) is None:
            raise ValueError(f"{self.kind} needs the number of that name")
        if self.kind == "page_cap" and self.size < 1:
            raise ValueError("page_cap needs a `size` of at least 1")
        if self.kind in {"latency", "hang"} and self.seconds is None:
            raise ValueError(f"{self.kind} needs `seconds`")
        check_pattern(self.path)
        check_pattern(self.query)
        if self.status in {204, 205, 304} and (self.body or self.raw or self.kind == "status"):
            raise ValueError(f"an answer of {self.status} has no body: take raw_body without one")

    def fires(self, entry: Entry, in_progress: Sequence[Entry]) -> bool:
        """Whether this request is hit; counts it either way."""
        if not self._matches(entry):
            return False
        self._seen += 1
        if self._seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        if not self._chosen(f"{entry.path}?{entry.query}") or not self._exceeded(entry, in_progress):
            return False
        self.hits += 1
        return True

    def _matches(self, entry: Entry) -> bool:
        return path_matches(self.path, entry.path) and query_matches(self.query, entry.query)

    def _chosen(self, url: str) -> bool:
        """Chance, from the URL and the number of its attempt alone, so that concurrency changes nothing."""
        attempt = self._attempts[url]
        self._attempts[url] += 1
        if self.first_attempts and attempt >= int(self.first_attempts):
            return False
        return self.rate >= 1 or random.Random(f"{self.seed}/{url}/{attempt}").random() < self.rate  # noqa: S311

    def _exceeded(self, entry: Entry, in_progress: Sequence[Entry]) -> bool:
        """Whether a limit is passed; a rule without a limit always hits."""
        if self.max_concurrent is not None:
            refused = "max_concurrent"
            running = sum(self._matches(other) and refused not in other.faults for other in in_progress)
            return running > self.max_concurrent
        if self.limit_per_minute is None:
            return True
        while self._passed and self._passed[0] <= entry.time - self.window:
            self._passed.popleft()
        if len(self._passed) >= self.limit_per_minute:
            return True
        self._passed.append(entry.time)
        return False

    def answer_headers(self) -> dict[str, str]:
        """The headers that the rule adds to its answer."""
        headers = dict(self.headers)
        if self.kind == "limit_per_minute":
            wait = self._passed[0] + self.window - time.monotonic() if self._passed else self.window
            headers["retry-after"] = str(max(1, math.ceil(wait)))
        elif isinstance(self.retry_after, str) and self.retry_after.startswith("date:"):
            headers["retry-after"] = formatdate(time.time() + float(self.retry_after[5:]), usegmt=True)
        elif self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after).removesuffix(".0")
        return headers

    def public(self) -> dict[str, Any]:
        """The rule as the control endpoint shows it: what differs from the defaults, and its hits."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__ if not name.startswith("_")}
        plain = Fault(kind="reset")
        return {
            name: value
            for name, value in shown.items()
            if name in {"kind", "hits"} or value != getattr(plain, name)
        }


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        """Start without any."""
        self.rules: list[Fault] = []

    def firing(self, entry: Entry, in_progress: Sequence[Entry]) -> list[Fault]:
        """The rules that hit this request, in order, up to one that gives an answer."""
        firing = []
        for rule in self.rules:
            if rule.fires(entry, in_progress):
                firing.append(rule)
                if rule.kind in ANSWERS:
                    break
        return firing

    def clear(self) -> None:
        """Forget all rules."""
        self.rules.clear()
