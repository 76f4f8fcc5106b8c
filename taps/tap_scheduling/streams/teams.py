"""The endpoints of the teams that the key's user is in."""

from __future__ import annotations

from tap_scheduling.client import WHOLE_PAGE, SchedulingStream, TeamStream


class Teams(SchedulingStream):
    """One row per team that the user is in; the organization itself is one of them."""

    name = "teams"
    path = "/teams"
    child_keys = {"teamId": "id"}
    may_be_missing = True


class TeamMemberships(TeamStream):
    """One row per member of a team that the user administers."""

    name = "team_memberships"
    path = "/teams/{teamId}/memberships"
    filters = ("emails",)
    parent_stream_type = Teams
    page_size = WHOLE_PAGE


class TeamEventTypes(TeamStream):
    """One row per kind of meeting that can be booked with a team, in the documented shape.

    `event_types` has them too, in the shape of an older version, where the server knows that.
    """

    name = "team_event_types"
    path = "/teams/{teamId}/event-types"
    filters = ("eventSlug",)
    params = {"sortCreatedAt": "asc"}
    parent_stream_type = Teams
