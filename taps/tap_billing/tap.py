"""The tap for subscription billing."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from typing_extensions import override

from tap_billing.client import MOST_CONCURRENT
from tap_billing.streams import SUBJECTS
from tap_core import ApiTap, common_settings


class TapBilling(ApiTap):
    """Customers, products, subscriptions, usage, invoices and events from a subscription-billing site."""

    name = "tap-billing"
    subjects = SUBJECTS
    most_concurrent = MOST_CONCURRENT
    # Who gets a 429 is to stop for some minutes, says the vendor: half a minute, one, and two. A later one is
    # tried again shortly first.
    rate_limit_factor = 15
    refusal_hints: ClassVar = {
        401: "each site has keys of its own, test sites too (the key is meant, not its id), and api_url is "
        "the site's address; no key of a US site opens one in the EU, https://<site>.ebilling.maxio.com",
        404: "check that api_url is your site's address, which is https://<site>.chargify.com or, for "
        "accounts made in the EU, https://<site>.ebilling.maxio.com",
    }

    config_jsonschema = th.PropertiesList(
        *common_settings(
            key_help="API key of the site (the key, not its id), made in the site's web interface.",
            url_example="https://acme.chargify.com",
            concurrency=MOST_CONCURRENT,
            most_concurrent=MOST_CONCURRENT,
            incremental=True,
        ),
    ).to_dict()

    @cached_property
    @override
    def authenticator(self) -> BasicAuthenticator:
        """The key as the user; the password is the letter x for everybody."""
        return BasicAuthenticator(username=self.config["api_key"], password="x")  # noqa: S106
