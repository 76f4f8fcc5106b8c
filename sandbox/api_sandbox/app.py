"""The ASGI app: every API under its prefix, the control endpoints, and the gate in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Mount, Route

from api_sandbox import control
from api_sandbox.api import Call
from api_sandbox.billing.api import API as BILLING
from api_sandbox.data import SEED
from api_sandbox.events.api import API as EVENTS
from api_sandbox.gate import CONTROL, Gate
from api_sandbox.promotions.api import API as PROMOTIONS
from api_sandbox.rewards.api import API as REWARDS
from api_sandbox.scheduling.api import API as SCHEDULING
from api_sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request

    from api_sandbox.api import Api, Reply

APIS: tuple[Api, ...] = (BILLING, EVENTS, PROMOTIONS, REWARDS, SCHEDULING)
"""The APIs that the sandbox speaks; a new one is a folder whose ``api.py`` has an ``API``, listed here."""


def create_app(
    apis: Sequence[Api] = APIS, *, seed: int = SEED, data: Mapping[str, Any] | None = None
) -> Starlette:
    """An app with fresh rows; ``app.state.sandbox`` holds its data, faults, changes and log."""
    state = State(apis, seed, data)
    app = Starlette(
        routes=[Mount(CONTROL, routes=control.ROUTES), *(_mounted(api, state) for api in apis)],
        middleware=[Middleware(Gate, state=state)],
        exception_handlers={HTTPException: _no_route},
    )
    app.state.sandbox = state
    return app


def _mounted(api: Api, state: State) -> Mount:
    return Mount(
        api.prefix,
        routes=[Route(path, _endpoint(api, handler, state)) for path, handler in api.routes.items()],
    )


def _endpoint(
    api: Api, handler: Callable[[Call], Reply], state: State
) -> Callable[[Request], Awaitable[Response]]:
    """A handler behind the check of the key."""

    async def endpoint(request: Request) -> Response:
        if api.authorized(request.headers):
            paging = request.scope["api_sandbox.paging"]
            reply = handler(Call(request, state.data[api.name], paging))
        else:
            reply = api.error(401, "The key is missing or wrong.")
        return _response(reply)

    return endpoint


def _response(reply: Reply) -> Response:
    return Response(reply.encoded(), reply.status, {"content-type": "application/json", **reply.headers})


async def _no_route(request: Request, error: Exception) -> Response:
    """A path or method that does not exist, in the shape of the API that was asked."""
    state: State = request.app.state.sandbox
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _response(state.error(request.url.path, status, str(error)))
