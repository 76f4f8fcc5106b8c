"""Checks that selection patterns match something, and suggests what was meant."""

from __future__ import annotations

import json
import os
import re
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_PATTERNS = ("MELTANO_EXTRACT__SELECT", "MELTANO_EXTRACT__SELECT_FILTER")
"""Variables in which Meltano tells a tap by which patterns its catalog was made."""


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The known name that may have been meant by another, as the end of a sentence."""
    near = get_close_matches(name, known, n=1)
    return f"; is {near[0]} meant?" if near else f": there are {', '.join(sorted(known))}"


def select_errors(fields: Mapping[str, Any]) -> Iterator[str]:
    """Patterns of Meltano's `select` that match nothing.

    Args:
        fields: The fields of each stream of the tap, as a JSON schema's properties.
    """
    for variable in _PATTERNS:
        setting = variable.removeprefix("MELTANO_EXTRACT__").lower()
        for pattern in _patterns(os.environ.get(variable, "")):
            stream, *names = re.split(r"(?<!\\)\.", pattern.removeprefix("!"))
            found = [name for name in fields if fnmatchcase(name, stream)]
            if not found:
                yield f"{setting}: `{pattern}` matches no stream{did_you_mean(stream, fields)}"
            elif names and not any(fnmatchcase(field, names[0]) for name in found for field in fields[name]):
                yield f"{setting}: `{pattern}` matches no field of {', '.join(found)}"


def _patterns(text: str) -> list[str]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return [pattern for pattern in found if isinstance(pattern, str)] if isinstance(found, list) else []
