"""The settings that say which rows are read, and which of them again."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_core.filters import filters_setting

_MOST_DAYS = 36_500


def again_settings(*, incremental: bool, ending: bool) -> list[th.Property[Any]]:
    """The settings.

    Args:
        incremental: Whether any stream is incremental, so that there is a look-back to set.
        ending: Whether any stream has rows that end, so that their lists can be passed over.
    """
    return [
        *_dates(),
        filters_setting(),
        *([_lookback(), _full_read_every()] if incremental else []),
        *([_children_since(), _all_parents_every()] if ending else []),
    ]


def _dates() -> list[th.Property[Any]]:
    return [
        th.Property(
            "start_date",
            th.DateTimeType,
            title="Start date",
            description="Incremental streams read nothing older. ISO 8601; UTC if it names no zone.",
            examples=["2026-01-01T00:00:00Z"],
        ),
        th.Property(
            "end_date",
            th.DateTimeType,
            title="End date",
            description="Incremental streams read nothing from this moment on, and call no row gone. "
            "ISO 8601; UTC if it names no zone.",
            examples=["2026-02-01T00:00:00Z"],
        ),
    ]


def _lookback() -> th.Property[Any]:
    return th.Property(
        "lookback",
        th.IntegerType(minimum=0),
        title="Look-back",
        description="Seconds before its bookmark that an incremental stream reads again, for late changes; "
        "each stream has a default of its own.",
    )


def _full_read_every() -> th.Property[Any]:
    return th.Property(
        "full_read_every",
        th.IntegerType(minimum=1),
        title="Full read every",
        description="Days after which an incremental stream is read whole once more, so that rows which are "
        "gone, or changed unseen, are found; never if not set.",
    )


def _children_since() -> th.Property[Any]:
    days = {"type": "integer", "minimum": 0, "maximum": _MOST_DAYS}
    return th.Property(
        "children_since",
        th.CustomType(
            {
                "type": ["integer", "object", "null"],
                **{name: days[name] for name in ("minimum", "maximum")},
                "additionalProperties": days,
            }
        ),
        title="Children since",
        description="Days since their end after which rows that have ended have their lists read no more: a "
        "number, or an object with one for each such stream; all are read every `full_read_every` days.",
    )


def _all_parents_every() -> th.Property[Any]:
    return th.Property(
        "full_read_every",
        th.IntegerType(minimum=1, maximum=_MOST_DAYS),
        title="Full read every",
        description="Days after which the lists that `children_since` passes over are read once more, so "
        "that what changed in them, or is gone, is found; never if not set.",
    )
