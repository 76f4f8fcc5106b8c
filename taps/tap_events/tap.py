"""The tap for event management."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from typing_extensions import override

from tap_core import ApiTap, api_version_setting, common_settings
from tap_events.streams import Attendees, Categories, Donations, Events, Tickets, Transactions, Users


class TapEvents(ApiTap):
    """Events, their attendees, tickets and orders from an event-management account."""

    name = "tap-events"
    subjects: ClassVar = {
        "Events": (Events, Categories),
        "Attendees and tickets": (Attendees, Tickets, Donations, Transactions),
        "The account": (Users,),
    }
    # How the API tells a wrong key is not documented.
    refusal_hints: ClassVar = {
        403: "it may be wrong or revoked, or lack the right to this",
        404: "check api_url, and api_version: Eventzilla has v2 at https://www.eventzillaapi.net/api",
    }

    config_jsonschema = th.PropertiesList(
        *common_settings(
            key_help="Key of an application registered in the account's API settings.",
            url_example="https://api.example.com",
            ending=True,
        ),
        api_version_setting("v1", "Eventzilla has v2."),
        th.Property(
            "api_key_header",
            th.StringType(min_length=1),
            default="x-api-key",
            title="API key header",
            description="Name of the header that carries the API key.",
        ),
    ).to_dict()

    @cached_property
    @override
    def authenticator(self) -> APIKeyAuthenticator:
        """The key, in the header that the settings name."""
        return APIKeyAuthenticator(key=self.config["api_key_header"], value=self.config["api_key"])
