"""The tap for scheduling."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from typing_extensions import override

from tap_core import ApiTap, api_version_setting, common_settings
from tap_scheduling.streams.bookings import BookingAttendees, Bookings, OrganizationBookings, TeamBookings
from tap_scheduling.streams.organization import (
    AttributeOptions,
    Attributes,
    OrganizationMemberships,
    OrganizationOutOfOffice,
    OrganizationTeams,
    OrganizationUsers,
    RoutingFormResponses,
    RoutingForms,
)
from tap_scheduling.streams.teams import TeamEventTypes, TeamMemberships, Teams
from tap_scheduling.streams.user import (
    Calendars,
    Conferencing,
    EventTypes,
    MyProfile,
    OutOfOffice,
    Schedules,
    Webhooks,
)

REQUESTS_PER_MINUTE = 120
"""What the API allows a key; one that asks for more is blocked for a minute, for other programs too."""


class TapScheduling(ApiTap):
    """Event types, bookings, schedules, calendars, teams and more from a scheduling account."""

    name = "tap-scheduling"
    subjects: ClassVar = {
        "Bookings": (EventTypes, Bookings, BookingAttendees),
        "The user": (MyProfile, Schedules, OutOfOffice, Calendars, Conferencing, Webhooks),
        "Teams": (Teams, TeamMemberships, TeamEventTypes, TeamBookings),
        "The organization": (
            OrganizationUsers,
            OrganizationMemberships,
            OrganizationTeams,
            OrganizationBookings,
            OrganizationOutOfOffice,
            Attributes,
            AttributeOptions,
        ),
        "Routing forms": (RoutingForms, RoutingFormResponses),
    }
    refusal_hints: ClassVar = {
        401: "keys can expire, and a server of one's own has other keys than https://api.cal.com, as have "
        "accounts made in the EU, at https://api.cal.eu; make a new one under Settings → Security → API keys",
        404: "check api_url, and api_version: Cal.com has v2 only, at https://api.cal.com or, for accounts "
        "made in the EU, at https://api.cal.eu",
        403: "the key's user lacks the role or the plan for this",
    }

    config_jsonschema = th.PropertiesList(
        *common_settings(
            key_help="API key of a user, made under Settings → Security → API keys; the tap reads what that "
            "user can see. Accounts made in Cal.com's EU cloud have https://api.cal.eu as `api_url`.",
            url_example="https://api.example.com",
            requests_per_minute=REQUESTS_PER_MINUTE,
            incremental=True,
        ),
        api_version_setting("v1", "Cal.com has v2 only."),
    ).to_dict()

    @cached_property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        """The key, in the Authorization header."""
        return BearerTokenAuthenticator(token=self.config["api_key"])
