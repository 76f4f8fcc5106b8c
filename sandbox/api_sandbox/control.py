"""The control endpoints under ``/_sandbox``: faults, changes, and the log of requests."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from api_sandbox.api import Reply
from api_sandbox.changes import Change
from api_sandbox.faults import Fault

if TYPE_CHECKING:
    from starlette.requests import Request

    from api_sandbox.state import State

T = TypeVar("T")


def _state(request: Request) -> State:
    state: State = request.app.state.sandbox
    return state


def _json(body: Any, status: int = 200) -> Response:
    return Response(Reply(body).encoded(), status, media_type="application/json")


async def _parsed(request: Request, model: type[T]) -> T | Response:
    """The request's body, or the answer that says what is wrong with it. Numbers keep their digits."""
    try:
        return msgspec.json.Decoder(model, float_hook=Decimal).decode(await request.body())
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        return _json({"message": str(error)}, 422)


async def about(request: Request) -> Response:
    """Who answers here."""
    return _json({"name": "api-sandbox", "pid": os.getpid(), "apis": sorted(_state(request).apis)})


async def faults(request: Request) -> Response:
    """List, add or clear faults."""
    state = _state(request)
    if request.method == "DELETE":
        state.faults.clear()
    elif request.method == "POST":
        rule = await _parsed(request, Fault)
        if isinstance(rule, Response):
            return rule
        state.faults.rules.append(rule)
    return _json(
        {"faults": [rule.public() for rule in state.faults.rules]}, 201 if request.method == "POST" else 200
    )


async def requests(request: Request) -> Response:
    """Show (``?path=`` prefix or regular expression, ``?headers=true``) or clear the log."""
    log = _state(request).log
    if request.method == "DELETE":
        log.clear()
    headers = request.query_params.get("headers") == "true"
    return _json(log.report(request.query_params.get("path", ""), headers=headers))


async def changes(request: Request) -> Response:
    """Change rows now or later."""
    state = _state(request)
    change = await _parsed(request, Change)
    if isinstance(change, Response):
        return change
    try:
        state.changes.add(change)
    except KeyError as error:
        return _json({"message": f"there is no API or resource {error}"}, 422)
    except ValueError as error:
        return _json({"message": str(error)}, 422)
    return _json({"waiting": change.after > 0}, 201)


async def reset(request: Request) -> Response:
    """Start afresh: rows, faults, changes and log."""
    _state(request).reset()
    return _json({})


ROUTES = [
    Route("/", about),
    Route("/faults", faults, methods=["GET", "POST", "DELETE"]),
    Route("/requests", requests, methods=["GET", "DELETE"]),
    Route("/changes", changes, methods=["POST"]),
    Route("/reset", reset, methods=["POST"]),
]
