"""Which requests a fault, a change or a look into the log is about."""

from __future__ import annotations

import functools
import re


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def check_pattern(pattern: str) -> None:
    """See that a pattern is a regular expression.

    Raises:
        ValueError: It is none.
    """
    try:
        _compiled(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error


def path_matches(pattern: str, path: str) -> bool:
    """Whether the pattern, a regular expression or simply a prefix, matches the path from its start."""
    return _compiled(pattern).match(path) is not None


def query_matches(pattern: str, query: str) -> bool:
    """Whether the regular expression is found anywhere in the query."""
    return _compiled(pattern).search(query) is not None
