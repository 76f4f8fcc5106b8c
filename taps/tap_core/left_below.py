"""What is left for the next run of lists below a stream: its bookmark stays before their rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context

    from tap_core.reading import Reading

Above = tuple["Reading", "Context | None", Any]
"""A stream above a list, the context of its list, and the replication key of the row that the list is of."""


@contextmanager
def stay_before_left(readings: Mapping[str, Reading], *above: Above) -> Iterator[None]:
    """Keep bookmarks of streams before rows of theirs, if meanwhile something below is left for the next run.

    Args:
        readings: What is read, by stream.
        *above: The streams, and their rows.
    """
    before = [_left(reading, readings) for reading, _, _ in above]
    yield
    for (reading, context, at), left in zip(above, before, strict=True):
        if _left(reading, readings) > left:
            reading.stay_before(context, at)


def followers(reading: Reading, readings: Mapping[str, Reading]) -> list[Reading]:
    """Those of lists that are asked for with rows of a stream alone."""
    names = [below.name for below in reading.stream.followers] if reading.bookmark else []
    return [readings[name] for name in names if name in readings]


def _left(reading: Reading, readings: Mapping[str, Reading]) -> int:
    return sum(found.may_come_yet for found in followers(reading, readings))
