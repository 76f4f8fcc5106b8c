"""The window of `start_date` and `end_date`: who cuts it out of which stream, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_core.positions import instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_core.stream import ApiStream


def describe_window(streams: Iterable[ApiStream]) -> str:
    """Who cuts the window out of the streams that are selected, and which are read whole all the same."""
    cut: dict[str, list[str]] = {"cut by the API": [], "cut by the tap": [], "read whole": []}
    for stream in streams:
        if stream.selected:
            cut[_cut(stream)].append(stream.name)
    return "; ".join(f"{by}: {', '.join(names)}" for by, names in cut.items() if names)


def _cut(stream: ApiStream) -> str:
    incremental = stream.replication_method == REPLICATION_INCREMENTAL and stream.replication_key
    if not incremental:
        above = stream.parent
        return "read whole" if above is None or above.is_fetched_whole else _cut(above)
    if stream.replication_key != type(stream).replication_key:
        return "cut by the tap" if _is_time(stream) else "read whole"
    end = instant(stream.config["end_date"])
    by_id = type(stream.stream_state.get("replication_key_value")) is int
    asked = not stream.is_fetched_whole and not by_id and stream.until(end)
    return "cut by the API" if asked else "cut by the tap"


def _is_time(stream: ApiStream) -> bool:
    field = stream.schema["properties"].get(stream.replication_key, {})
    return field.get("format") in {"date", "date-time"}
