"""`--test`: tries the credentials and every selected stream with one small request each."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from tap_core.errors import ApiError, NotFound, PageFailed, RunEnds
from tap_core.http.client import Traffic
from tap_core.redaction import printable, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query
    from tap_core.sdk import SdkTap
    from tap_core.stream import ApiStream

_RETRIES = 1
"""Retries at most: somebody waits."""

_PARENTS = 5
"""Parents at most that are asked for until one has the child's list."""


def try_out(tap: SdkTap) -> bool:
    """Try each selected stream, and print a line about it.

    Returns:
        Whether all of them could be read.
    """
    width = max(map(len, tap.streams))
    fine, hope = True, True
    missing: list[tuple[str, ApiError]] = []
    tap.client.limits = replace(tap.client.limits, max_retries=min(_RETRIES, tap.client.limits.max_retries))
    for stream in cast("list[ApiStream]", list(tap.streams.values())):
        if not stream.selected:
            continue
        begun = time.monotonic()
        try:
            outcome = _outcome(stream) if hope else "FAILED  not tried, as the first line says why"
        except ApiError as failure:
            if stream.means_no_such_list(failure):
                missing.append((stream.name, failure))  # a right answer only if the address is right
                continue
            unanswered = isinstance(failure, PageFailed) and not tap.client.answered
            fine, hope = False, hope and not (unanswered or isinstance(failure, RunEnds))
            outcome = f"FAILED  {printable(redacted(str(failure)))}"
        _tell(f"{stream.name:{width}}  {outcome} ({time.monotonic() - begun:.1f} s)")
    for name, answer in missing:
        if tap.client.answered:
            why = f"this account has no such list ({answer.status})" if answer.status else str(answer)
            _tell(f"{name:{width}}  ok      {why}")
        else:
            fine = False
            _tell(f"{name:{width}}  FAILED  {printable(redacted(str(answer)))}")
    return fine


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def _outcome(stream: ApiStream) -> str:
    contexts = list(_contexts(stream))
    if not contexts:
        return "ok      not tried: there is no parent to try it with"
    for context in contexts:
        try:
            page = _page(stream, context, stream.get_new_paginator().sample())
        except NotFound:
            if context is None or context is contexts[-1]:
                raise
            continue
        records = stream.decode(page.records, context)
        return "ok      a record was read" if records else "ok      nothing in it"
    return "ok      nothing in it"


def _page(stream: ApiStream, context: Any, query: Query) -> Page:
    request = stream.request(context, query)
    return stream.tap.client.get(request.url, request.params, request.headers, stream.read_page, Traffic())


def _contexts(stream: ApiStream) -> Iterator[Any]:
    """The parents to try a stream with; None alone for a stream that has no parent."""
    parent = stream.parent
    if parent is None:
        yield None
        return
    for context in _contexts(parent):
        page = _page(parent, context, parent.get_new_paginator().current_value)
        for record in parent.decode(page.records[:_PARENTS], context):
            if stream.has_list(parent, record):
                yield from parent.child_contexts(record, context)
        return
