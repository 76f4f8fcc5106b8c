"""Answers about teams, the organization, and what else the user of the scheduling API has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_sandbox.scheduling.answers import cut, error, success

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_sandbox.api import Call, Reply

    Row = dict[str, Any]
    Handler = Callable[[Call], Reply]


def _whole(name: str) -> Handler:
    """All rows: the list knows no pages."""
    return lambda call: success(call.tables[name])


def _paged(name: str) -> Handler:
    return lambda call: cut(call, _ordered(call, call.tables[name]))


def _of_team(handler: Callable[[Call, int], Reply]) -> Handler:
    """A handler of a path below a team, which must be one of the user's."""

    def checked(call: Call) -> Reply:
        team = next((row for row in call.tables["teams"] if str(row["id"]) == call.path["team_id"]), None)
        return error(404, "Team not found") if team is None else handler(call, team["id"])

    return checked


def _of_organization(handler: Handler) -> Handler:
    """A handler of a path below the organization, which must be the user's."""

    def checked(call: Call) -> Reply:
        mine = call.path["org_id"] == str(call.tables["me"][0]["organizationId"])
        return handler(call) if mine else error(403, "You are no admin of this organization")

    return checked


def _ordered(call: Call, rows: list[Row]) -> list[Row]:
    """In the order asked for, if the list knows it."""
    for name, field in (("sortStart", "start"), ("sortCreatedAt", "createdAt")):
        if name in call.query:
            return sorted(rows, key=lambda row: str(row.get(field)), reverse=call.query[name] == "desc")
    return rows


@_of_team
def _team_memberships(call: Call, team: int) -> Reply:
    return cut(call, call.tables["team_memberships"].get(team, []))


@_of_team
def _team_event_types(call: Call, team: int) -> Reply:
    """The whole list, whatever page is asked for."""
    return success(call.tables["team_event_types"].get(team, []))


def _responses(call: Call) -> Reply:
    """The responses to a form, from a moment on."""
    form, since = call.path["form_id"], call.query.get("afterCreatedAt", "")
    if not any(row["id"] == form for row in call.tables["routing_forms"]):
        return error(404, "Routing form not found")
    rows = [row for row in call.tables["routing_form_responses"].get(form, []) if row["createdAt"] >= since]
    return cut(call, _ordered(call, rows))


def _options(call: Call) -> Reply:
    """The options of an attribute: the whole list, whatever page is asked for."""
    return success(call.tables["attribute_options"].get(call.path["attribute_id"], []))


_ORGANIZATION: dict[str, Handler] = {
    "users": _paged("organization_users"),
    "memberships": _paged("organization_memberships"),
    "teams": _paged("organization_teams"),
    "ooo": _paged("organization_out_of_office"),
    "routing-forms": _paged("routing_forms"),
    "routing-forms/{form_id}/responses": _responses,
    "attributes": _paged("attributes"),
    "attributes/{attribute_id}/options": _options,
}

ROUTES: dict[str, Handler] = {
    "/me/ooo": _paged("out_of_office"),
    "/webhooks": _paged("webhooks"),
    "/teams": _whole("teams"),
    "/teams/{team_id}/memberships": _team_memberships,
    "/teams/{team_id}/event-types": _team_event_types,
    **{
        f"/organizations/{{org_id}}/{path}": _of_organization(handler)
        for path, handler in _ORGANIZATION.items()
    },
}
