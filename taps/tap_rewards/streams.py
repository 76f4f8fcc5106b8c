"""The endpoints of the rewards API."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_rewards.client import DAY, RewardsStream
from tap_rewards.ledger import LedgerPages, Line, keyed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_core.paging.page import Rows


class Orders(RewardsStream):
    """One row per order, with the rewards in it; `deliver_at` is a day, or a moment, as it was sent."""

    name = "orders"
    path = "/orders"
    replication_key = "created_at"
    since_param = "created_at[gte]"
    lookback = 30 * DAY
    """Status, payment and deliveries change long after an order was made, and nothing tells when."""


class Products(RewardsStream):
    """One row per gift card, charity or way of payment that a reward can be redeemed for."""

    name = "products"
    path = "/products"


class FundingSources(RewardsStream):
    """One row per source of money for orders, deleted ones too; `meta` differs with `method`."""

    name = "funding_sources"
    path = "/funding_sources"


class Campaigns(RewardsStream):
    """One row per campaign: the products to choose from, and the look of page and e-mail."""

    name = "campaigns"
    path = "/campaigns"


class Organizations(RewardsStream):
    """One row: the organization that the key belongs to."""

    name = "organizations"
    path = "/organizations"
    mended = ("created_at",)


class BalanceTransactions(RewardsStream):
    """One row per line of the balance's ledger.

    The API gives lines no id. `_sdc_key` is a hash of what never changes of a line, and of its number
    among equal lines, counted from the oldest; see `ledger.Line.key`.
    """

    name = "balance_transactions"
    path = "/balance_transactions"
    primary_keys = ("_sdc_key",)
    replication_key = "created_at"
    since_param = "created_at[gte]"
    newest_first = True
    records_jsonpath = "$.transactions[*]"
    lookback = 30 * DAY
    """`balance` comes late at times, and a refund changes the payment in `order`, as it does in `orders`."""

    @override
    def get_new_paginator(self) -> LedgerPages:
        """Offset paging that tells equal lines apart; the list has no total."""
        return LedgerPages(
            size=self.page_size,
            until_param="created_at[lte]",
            time_field="created_at",
        )

    @cached_property
    @override
    def key_of(self) -> Callable[[Any], Line]:
        """Lines are told apart by what never changes of them."""
        return Line.of

    resumable = False
    """Lines that wait for the next page have no place in STATE."""

    @override
    def in_groups(self, pages: Iterable[Rows]) -> Iterator[Rows]:
        """The pages, each with its lines under their keys.

        The lines of the last moment wait for the next page: how many equals they have is not known before.
        """
        waiting: list[Any] = []
        last = None
        for rows in pages:
            last = rows
            waiting += rows.raws
            lines = [Line.of(record) for record in waiting]
            whole = sum(1 for line in lines if line.time != lines[-1].time)
            yield rows._replace(raws=keyed(waiting[:whole], lines[:whole]))
            del waiting[:whole]
        if last:
            yield last._replace(raws=keyed(waiting, [Line.of(record) for record in waiting]))


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


class MembersStream(RewardsStream):
    """One row per person who may use the account; two streams are made of one answer."""

    path = "/members"
    records_jsonpath = "$.members[*]"
    mended = ("created_at", "last_login_at")


class AccountMembers(MembersStream):
    """One row per person who may use the account: the same as `members`."""

    name = "account_members"


class Members(MembersStream):
    """One row per person who may use the account, or was invited to."""

    name = "members"


class Invoices(RewardsStream):
    """One row per invoice; deleted ones are not in the list."""

    name = "invoices"
    path = "/invoices"
    page_size = 10
    """The API's cap, whatever is asked for."""
    mended = ("created_at", "paid_at")  # days in older answers
