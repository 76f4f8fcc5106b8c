"""One page of a list: what one response held."""

from __future__ import annotations

import re
from copy import copy
from datetime import datetime, timezone
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec import Raw

from tap_core.paging.failures import explains_no_rows, is_nothing, says_failed, tells_limit
from tap_core.records import jsonpath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MORE = re.compile(r"(?!.*(_at|At|[Dd]ate|[Tt]ime|_on|On)$)(?i:next|has_?(more|next)|@odata\.next)")
_FLAG = re.compile(r"(?i)(more|is_?truncated)$")
_LAST = re.compile(r"(?i)(is_?)?last(_?page)?$")
_TOTAL = re.compile(
    r"(?i)total_?(count|items|records|results|entries|elements|size)$|records_?total$|@odata\.count$"
)
_PAGES = re.compile(r"(?i)(total_?pages|page_?count|num_?pages|last_?page)$")
_PER_PAGE = re.compile(r"(?i)(per_?page|page_?size|items_?per_?page|limit|size)$")
_ABOUT_PAGES = re.compile(r"(?i)_?meta$|pagination$|paging$|pager$|paginator$|page(_?info)?$|result_?info$")
"""Objects beside the list whose counters are of the list: a bare `total` in them is no sum of money."""

_NEXT_LINK = re.compile(r"""(?i);\s*rel\s*=\s*["']?next\b""")
_LONGEST_NUMBER = 20
"""Digits of a total in a text."""

_FEWEST = 2
"""Rows that a page has at least, where there are several and none says how many it has."""

_DEEPEST = 3
"""Levels beside the list that are looked at, as in `"meta": {"pagination": {"next": …}}`."""


class Page:
    """Undecoded records of one response, and the rest of its envelope.

    Args:
        document: The parsed response body; None for a list that the API says is empty.
        records_path: JSONPath of the records.
        key_of: Reads from a record what tells it apart from the others in its list.
        links: The response's Link header.

    Attributes:
        document: The whole envelope, undecoded.
        records_path: JSONPath of the records in it.
        records: The records, undecoded.
        fresh: Those that were not read before; the paginator narrows it.
        fresh_keys: Theirs, once the paginator has narrowed it.
        overtaken: Rows behind it that were read before it was.
        span: Places of the list that the page covers: its records, and rows that the server can't send.
        unreadable: Places of these rows, counted from 0.
        safe_size: Rows to ask for at a time, where the page was too much at once; else None.
        why_incomplete: Why rows that the account has are not on it; empty if they are.
        is_cut: Whether it ends early, as rows were moved while it was put together: more may follow.
    """

    def __init__(
        self,
        document: Any,
        records_path: str,
        key_of: Callable[[Any], Any],
        *,
        links: str | None = None,
    ) -> None:
        self.document = document
        self.records, self._places = jsonpath.find_in_places(document, records_path)
        self.fresh = self.records
        self.fresh_keys: list[Any] | None = None
        self.overtaken = 0
        self.unreadable: list[int] = []
        self.safe_size: int | None = None
        self.why_incomplete = ""
        self.is_cut = False
        self.time_extracted = datetime.now(timezone.utc)
        self.key_of = key_of
        self.records_path = records_path
        self._links = links or ""

    @cached_property
    def keys(self) -> list[Any]:
        """What tells each record apart, in the order of the records."""
        of_all = getattr(self.key_of, "of_all", None)
        return of_all(self.records) if of_all else [self.key_of(record) for record in self.records]

    @property
    def weights(self) -> Iterable[int]:
        """Bytes of each record; none if they were decoded."""
        is_raw = {Raw}.issuperset(map(type, self.records))
        return map(len, map(cast("Any", memoryview), self.records)) if is_raw else ()

    @cached_property
    def weight(self) -> int:
        """Bytes of the records; 0 if they were decoded."""
        return sum(self.weights)

    def holds_lists(self, is_record: Callable[[Any], bool], *, null_is_empty: bool) -> bool:
        """Whether a list stands in each place where the records are to be; or a record alone, or null."""
        return all(
            isinstance(found, list)
            or (found is None and present and null_is_empty)
            or (isinstance(found, dict) and is_record(found))
            for present, found in self._places
        )

    @property
    def span(self) -> int:
        """Places of the list that the page covers."""
        return len(self.records) + len(self.unreadable)

    @cached_property
    def more(self) -> str | None:
        """What says that there is more: a field beside the list, such as `hasMore`; None if nothing does."""
        if _NEXT_LINK.search(self._links):
            return "Link"
        first = jsonpath.steps(self.records_path)[:1]
        levels = 1 if first == ("*",) else _DEEPEST  # a lone object there can be a record
        for name, value in self._beside:
            for inner, item in _within(name, value, levels):
                if (about := _flag(inner)) and _says_more(about, jsonpath.decode(item)):
                    return inner
        return None

    @property
    def least_total(self) -> int:
        """How many records the list has at least, by counters whose names tell: a total, or of pages.

        0 where there is none. The API documents none of them, and it may count other rows too.
        """
        if jsonpath.steps(self.records_path)[:1] == ("*",):
            return 0  # a lone object there can be a record
        said = dict(_counters(self._beside, _DEEPEST))
        full_pages = said.get("pages", 0) - 1
        by_pages = full_pages * max(said.get("per_page", _FEWEST), 1) + 1 if full_pages > 0 else 0
        return max(said.get("total", 0), by_pages)

    @property
    def failure(self) -> str | None:
        """What says beside the list that the answer is none: `"status": "error"`; None if nothing does.

        Where there are rows, it has to be said plainly; of a lone record in the list's place, nothing is.
        """
        if self.records and jsonpath.steps(self.records_path)[:1] == ("*",):
            return None
        says = says_failed if self.records else explains_no_rows
        return next((member for member, name, value in self._remarks if says(name, value)), None)

    @property
    def limit(self) -> str | None:
        """What says beside the list of an answer that failed that too much was asked for; or None."""
        return next((member for member, name, value in self._remarks if tells_limit(name, value)), None)

    @property
    def _remarks(self) -> Iterator[tuple[str, str, Any]]:
        """What stands beside the list, and within what is about the answer: member, name, decoded value."""
        for member, value in self._beside:
            found = jsonpath.decode(value)
            yield member, member, found
            if member.lower() in {"meta", "status", "response"} and isinstance(found, dict):
                yield from ((member, name, item) for name, item in found.items())

    @property
    def _beside(self) -> Iterator[tuple[str, Any]]:
        """The members of the envelope that do not hold the list."""
        first = jsonpath.steps(self.records_path)[:1]
        return ((name, value) for name, value in _members(self.document) if name not in first)

    def replace_records(self, records: list[Any]) -> None:
        """Hold these records instead, all of them new."""
        self.records = self.fresh = records
        self.__dict__.pop("keys", None)

    def kept(self) -> Page:
        """A page with the same records, that the release of this one leaves alone."""
        twin = copy(self)
        twin.records = twin.fresh = list(self.records)
        return twin

    def release(self) -> None:
        """Let go of the response body; whether it says that there is more stays known."""
        _ = self.more
        self.records = self.fresh = self._places = []
        self.document = None

    def find(self, path: str | None) -> Any:
        """The first value at a JSONPath of the envelope, or None."""
        return jsonpath.first(self.document, path) if path else None

    def total(self, path: str | None) -> int | None:
        """The number of records that the API says the whole list has, if it says so."""
        return _as_count(self.find(path))


class Rows(NamedTuple):
    """New records of one page, undecoded, and the query that the page answers."""

    query: dict[str, Any]
    page: Page
    raws: list[Any]
    before: int
    """Records of the list that were read before the page, in earlier runs too."""


def _as_count(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONGEST_NUMBER:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _members(node: Any) -> Iterator[tuple[str, Any]]:
    opened = jsonpath.open_node(node)
    if isinstance(opened, dict):
        yield from opened.items()


@lru_cache(maxsize=1024)
def _flag(name: str) -> str | None:
    """What a member can say of more rows, by its name."""
    return _matching(name, next=_MORE, more=_FLAG, last=_LAST)


def _says_more(about: str, value: Any) -> bool:
    return not is_nothing(value) if about == "next" else value is (about == "more")


def _counters(members: Iterable[tuple[str, Any]], levels: int) -> Iterator[tuple[str, int]]:
    """The counters among members beside a list, and in those about its pages; the outer ones last."""
    for name, value in members:
        if levels > 1 and _ABOUT_PAGES.match(name):
            yield from _counters(_inside(value), levels - 1)
        if about := _counter(name, is_outer=levels == _DEEPEST):
            count = _as_count(jsonpath.decode(value))
            if count is not None:
                yield about, count


@lru_cache(maxsize=1024)
def _counter(name: str, *, is_outer: bool) -> str | None:
    """What a member counts, by its name."""
    if name == "total" and not is_outer:
        return "total"
    return _matching(name, total=_TOTAL, pages=_PAGES, per_page=_PER_PAGE)


def _matching(name: str, **patterns: re.Pattern[str]) -> str | None:
    return next((about for about, pattern in patterns.items() if pattern.match(name)), None)


def _within(name: str, value: Any, levels: int) -> Iterator[tuple[str, Any]]:
    """A member and those below it."""
    yield name, value
    if levels > 1:
        for inner, item in _inside(value):
            yield from _within(inner, item, levels - 1)


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """The members of an object; a list of one counts as what it holds, as in `[{"next": 2}]`."""
    opened = jsonpath.open_node(value)
    return _members(opened[0] if isinstance(opened, list) and len(opened) == 1 else opened)
