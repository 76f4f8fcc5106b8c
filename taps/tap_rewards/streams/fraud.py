"""The endpoints about fraud: rewards that were held back, and the rules that hold them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.records import jsonpath
from tap_core.records.keys import is_missing
from tap_rewards.client import DAY, RewardsStream, WholeStream

if TYPE_CHECKING:
    import requests

    from tap_core import Page


class FraudReviews(RewardsStream):
    """One row per reward that was flagged when it was redeemed, and what came of it."""

    name = "fraud_reviews"
    path = "/fraud_reviews"
    filters = ("status", "created_at[gte]", "created_at[lte]")
    primary_keys = ("reward_id",)
    replication_key = "redeemed_at"
    since_param = "redeemed_at[gte]"
    until_param = "redeemed_at[lte]"
    may_be_missing = True
    lookback = 30 * DAY
    """A reward is blocked or released after it was redeemed, which no filter knows."""

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The reviews, which have no id of their own, each with its reward's where it names none."""
        page = super().read_page(response)
        page.replace_records([_with_reward_id(review) for review in page.records])
        return page


class FraudRules(WholeStream):
    """One row per rule that flags or allows rewards; `config` differs with the kind of rule."""

    name = "fraud_rules"
    path = "/fraud_rules"
    primary_keys = ("rule_type",)
    may_be_missing = True


def _with_reward_id(review: Any) -> Any:
    row = jsonpath.decode(review)
    if not isinstance(row, dict) or not is_missing(row.get("reward_id")):
        return row
    return {**row, "reward_id": jsonpath.first(review, "$.reward.id")}
