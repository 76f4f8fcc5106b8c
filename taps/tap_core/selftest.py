"""`--test`: tries the credentials and every selected stream with one small request each."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from tap_core.errors import ApiError, NotFound, PageFailed, RunEnds
from tap_core.redaction import printable, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_core.stream import ApiStream
    from tap_core.tap import ApiTap

_RETRIES = 1
"""Retries at most: somebody waits."""

_PARENTS = 5
"""Parents at most that are asked for until one has the child's list."""


def try_out(tap: ApiTap) -> bool:
    """Try each selected stream, and print a line about it.

    Returns:
        Whether all of them could be read.
    """
    width = max(map(len, tap.streams))
    fine, hope = True, True
    tap.client.limits = replace(tap.client.limits, max_retries=min(_RETRIES, tap.client.limits.max_retries))
    for stream in _streams(tap):
        if not stream.selected:
            continue
        begun = time.monotonic()
        try:
            outcome = _outcome(stream) if hope else "FAILED  not tried, as the first line says why"
        except ApiError as failure:
            unanswered = isinstance(failure, PageFailed) and not tap.client.answered
            fine, hope = False, hope and not (unanswered or isinstance(failure, RunEnds))
            outcome = f"FAILED  {printable(redacted(str(failure)))}"
        print(f"{stream.name:{width}}  {outcome} ({time.monotonic() - begun:.1f} s)", flush=True)  # noqa: T201
    return fine


def _outcome(stream: ApiStream) -> str:
    contexts = list(_contexts(stream))
    if not contexts:
        return "ok      not tried: there is no parent to try it with"
    for context in contexts:
        try:
            records = _sample(stream, context)
        except NotFound:
            if context is None or context is contexts[-1]:
                raise
            continue
        return "ok      a record was read" if records else "ok      nothing in it"
    return "ok      nothing in it"


def _sample(stream: ApiStream, context: Any) -> list[Any]:
    """The first records of a list, decoded: as few as the API lets one ask for."""
    _, fetch = stream.request(context, stream.get_new_paginator().sample())
    return stream.decode(fetch().records, context)


def _streams(tap: ApiTap) -> list[ApiStream]:
    return cast("list[ApiStream]", list(tap.streams.values()))


def _contexts(stream: ApiStream) -> Iterator[Any]:
    """The parents to try a stream with; None alone for a stream that has no parent."""
    parent = next((other for other in _streams(stream.tap) if stream in other.child_streams), None)
    if parent is None:
        yield None
        return
    for context in _contexts(parent):
        _, fetch = parent.request(context, parent.get_new_paginator().current_value)
        for record in parent.decode(fetch().records[:_PARENTS], context):
            yield parent.get_child_context(record, context)
        return
