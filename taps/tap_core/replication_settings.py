"""The settings of replication: from when on rows are read, which of them again, and when all of them."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_core.filters import filters_setting

_MOST_DAYS = 36_500
_OF_STREAMS = (
    "Read incremental streams in full again after this many days, to find deleted rows and changes that the "
    "bookmark missed."
)
_OF_PARENTS = (
    "Read the lists that `children_since` skips again after this many days, to find deleted rows and changes "
    "in them."
)


def replication_settings(*, incremental: bool, ending: bool) -> list[th.Property[Any]]:
    """The settings.

    Args:
        incremental: Whether any stream is incremental, so that there is a look-back to set.
        ending: Whether any stream has rows that end, so that their lists can be passed over.
    """
    return [
        _date("start_date", "read nothing older.", "2026-01-01T00:00:00Z"),
        _date("end_date", "read nothing from this moment on, and call no row gone.", "2026-02-01T00:00:00Z"),
        filters_setting(),
        *([_lookback(), _full_read_every(_OF_STREAMS)] if incremental else []),
        *([_children_since(), _full_read_every(_OF_PARENTS)] if ending else []),
    ]


def _date(name: str, effect: str, example: str) -> th.Property[Any]:
    return th.Property(
        name,
        th.DateTimeType,
        title=name.replace("_", " ").capitalize(),
        description=f"Incremental streams {effect} ISO 8601; UTC if it names no zone.",
        examples=[example],
    )


def _lookback() -> th.Property[Any]:
    return th.Property(
        "lookback",
        th.IntegerType(minimum=0, maximum=_MOST_DAYS * 86_400),
        title="Look-back",
        description="Seconds before its bookmark that an incremental stream reads again, for late changes; "
        "each stream has a default of its own.",
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
        description="Skip the child lists of rows, such as events, that ended more than this many days "
        'before the last run. A number, or an object with one per stream: `{"promotions": 7}`. Every '
        "`full_read_every` days all lists are read.",
    )


def _full_read_every(what: str) -> th.Property[Any]:
    return th.Property(
        "full_read_every",
        th.IntegerType(minimum=1, maximum=_MOST_DAYS),
        title="Full read every",
        description=f"{what} Never, if not set.",
    )
