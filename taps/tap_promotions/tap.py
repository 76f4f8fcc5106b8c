"""The tap for promotions."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from typing_extensions import override

from tap_core import ApiTap, common_settings
from tap_promotions.streams import (
    CoinTransactions,
    OrganizingBrands,
    Participations,
    PointsOfSale,
    PrizeInventory,
    Prizes,
    Promotions,
    Rankings,
    RegistrationFields,
    Stages,
    Users,
)

REQUESTS_PER_MINUTE = 200
"""Reported by users of the API; its reference names no number."""


class TapPromotions(ApiTap):
    """Promotions, their stages, participants, prizes and rankings from a promotions account."""

    name = "tap-promotions"
    key_setting = "bearer_token"
    subjects: ClassVar = {
        "Promotions": (Promotions, OrganizingBrands, Stages, RegistrationFields),
        "Participants": (Users, Participations, Rankings, CoinTransactions),
        "Prizes": (Prizes, PrizeInventory, PointsOfSale),
    }
    refusal_hints: ClassVar = {
        401: "tokens expire, by default after 30 days: make a new one under Settings → Integrations → "
        "Developers",
        403: "the token may have expired, or the account's plan may have no API: that takes White Label or "
        "Corporate",
    }

    config_jsonschema = th.PropertiesList(
        *common_settings(
            "bearer_token",
            key_help="Access token of the account, made under Settings → Integrations → Developers; "
            "it expires, by default after 30 days.",
            url_example="https://api.easypromosapp.com/v2",
            requests_per_minute=REQUESTS_PER_MINUTE,
            ending=True,
        ),
        th.Property(
            "full_participations",
            th.BooleanType,
            default=False,
            title="Full participations",
            description="Ask for participations with their user, prize and requirement embedded.",
        ),
    ).to_dict()

    @cached_property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        """The token, in the Authorization header."""
        return BearerTokenAuthenticator(token=self.config["bearer_token"])
