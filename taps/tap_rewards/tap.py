"""The tap for rewards and gift cards."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from requests import codes
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from typing_extensions import override

from tap_core import ApiTap, api_version_setting, common_settings
from tap_rewards.streams.fraud import FraudReviews, FraudRules
from tap_rewards.streams.money import BalanceTransactions, Forex, FundingSources, Invoices, Topups
from tap_rewards.streams.orders import Campaigns, Orders, Products, Rewards
from tap_rewards.streams.organization import (
    AccountMembers,
    ConnectedOrganizationMembers,
    ConnectedOrganizations,
    Fields,
    Members,
    Organizations,
    Roles,
    Webhooks,
)

_HOSTS = {"TEST_": "testflight.tremendous.com", "PROD_": "api.tremendous.com"}


class TapRewards(ApiTap):
    """Orders, rewards, invoices and the balance's ledger from a rewards account."""

    name = "tap-rewards"
    subjects: ClassVar = {
        "Orders and rewards": (Orders, Rewards, Products, Campaigns, Fields),
        "Money": (FundingSources, BalanceTransactions, Invoices, Topups, Forex),
        "Fraud": (FraudReviews, FraudRules),
        "The organization": (Organizations, Members, AccountMembers, Roles, Webhooks),
        "Connected organizations": (ConnectedOrganizations, ConnectedOrganizationMembers),
    }

    config_jsonschema = th.PropertiesList(
        *common_settings(
            key_help="API key from the account's team settings, under Developers; read-only is enough. A key "
            "of the test environment, TEST_…, goes with https://testflight.tremendous.com/api as `api_url`.",
            url_example="https://api.tremendous.com/api",
            incremental=True,
        ),
        api_version_setting("v2"),
    ).to_dict()

    @override
    def refusal_hint(self, status: int) -> str:
        """Keys mostly begin with the environment that they are of, which has a host of its own."""
        if status != codes.unauthorized:
            return ""
        environment = next((name for name in _HOSTS if str(self.config["api_key"]).startswith(name)), None)
        if environment is None:
            return "the sandbox (testflight.tremendous.com) and production have keys of their own"
        return f"one that begins with {environment} is for https://{_HOSTS[environment]}/api as api_url"

    @cached_property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        """The key, as a bearer token."""
        return BearerTokenAuthenticator(token=self.config["api_key"])
