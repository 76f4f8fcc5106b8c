"""The endpoints about rewards: what was ordered, for whom, and what it can be redeemed for."""

from __future__ import annotations

from tap_rewards.client import DAY, RewardsStream


class Orders(RewardsStream):
    """One row per order, with the rewards in it; `deliver_at` is a day, or a moment, as it was sent."""

    name = "orders"
    path = "/orders"
    filters = ("campaign_id", "external_id")
    replication_key = "created_at"
    since_param = "created_at[gte]"
    until_param = "created_at[lte]"
    lookback = 30 * DAY
    """Status, payment and deliveries change long after an order was made, and nothing tells when."""


class Rewards(RewardsStream):
    """One row per reward: what somebody was sent, and whether it arrived.

    `deliver_at` is a day, or a moment, as it was sent.

    The list has no filter by date but comes newest first: reading stops at the bookmark. What changes of
    rewards older than the look-back is not seen; read the stream as full table for that.
    """

    name = "rewards"
    path = "/rewards"
    replication_key = "created_at"
    newest_first = True
    lookback = 30 * DAY
    """The delivery's status changes after a reward was made, and nothing tells when."""


class Products(RewardsStream):
    """One row per gift card, charity or way of payment that a reward can be redeemed for."""

    name = "products"
    path = "/products"
    filters = ("country", "currency", "subcategory")


class Campaigns(RewardsStream):
    """One row per campaign: the products to choose from, and the look of page and e-mail."""

    name = "campaigns"
    path = "/campaigns"
