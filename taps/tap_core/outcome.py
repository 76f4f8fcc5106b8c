"""What a run came to: nothing, a part, or all that was selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.errors import ApiError, PartlyRead
from tap_core.progress import measure_partly_read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_core.errors import RunEnds
    from tap_core.reading import Reading
    from tap_core.sdk import SdkTap
    from tap_core.stream import ApiStream


def raise_if_incomplete(tap: SdkTap, readings: Mapping[str, Reading], ended_by: RunEnds | None) -> None:
    """Fail if something could not be read.

    Args:
        tap: Whose run is over.
        readings: What was read, by stream.
        ended_by: What ended the run before all was tried.

    Raises:
        PartlyRead: Something was read, and something was not.
        ApiError: Nothing was read.
    """
    failed = [reading.name for reading in readings.values() if reading.failures]
    if not failed and not ended_by:
        return
    causes = [str(ended_by)] if ended_by else []
    causes += [failure for reading in readings.values() for failure in reading.failures]
    if not any(reading.rows or reading.ends for reading in readings.values()):
        raise ApiError(f"nothing could be read: {causes[0]}")
    if ended_by:
        tap.logger.error("%s", ended_by)
    streams: list[Any] = [one for one in tap.streams.values() if one.selected or one.name in failed]
    partly = [stream.name for stream in streams if _lacks_rows(stream, readings)]
    measure_partly_read(partly, tap.metrics_logger)
    outcome = PartlyRead(partly, list(dict.fromkeys(causes)))
    if not tap.config.get("allow_partial") or ended_by:
        raise outcome
    tap.logger.warning("%s", outcome.summary)


def _lacks_rows(stream: ApiStream, readings: Mapping[str, Reading]) -> bool:
    """Whether something of a stream, or of one above it, was not read."""
    reading = readings.get(stream.name)
    if not reading or not reading.done or reading.failures:
        return True
    return stream.parent is not None and _lacks_rows(stream.parent, readings)
