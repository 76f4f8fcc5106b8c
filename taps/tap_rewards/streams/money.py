"""The endpoints about money: where it comes from, where it went, and what it is worth."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.errors import Retriable
from tap_core.paging.walk import Walk
from tap_core.records import jsonpath
from tap_core.records.values import as_moment, number_in
from tap_rewards.client import DAY, TOTAL, UNSTATED_SIZE, OffsetAlone, RewardsStream, WholeStream
from tap_rewards.ledger import LedgerPages, TimeGroups
from tap_rewards.lines import Line, LineReader, keyed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import requests

    from tap_core import Page
    from tap_core.paging.page import Rows


_UNTIL = "created_at[lte]"


class FundingSources(RewardsStream):
    """One row per source of money for orders, deleted ones too; `meta` differs with `method`."""

    name = "funding_sources"
    path = "/funding_sources"


class BalanceTransactions(RewardsStream):
    """One row per line of the balance's ledger.

    The API gives lines no id. `_sdc_key` is a hash of what never changes of a line, and of its number
    among equal lines, counted from the oldest; see `lines.keyed`.
    """

    name = "balance_transactions"
    path = "/balance_transactions"
    primary_keys = ("_sdc_key",)
    replication_key = "created_at"
    since_param = "created_at[gte]"
    until_param = _UNTIL
    newest_first = True
    records_jsonpath = "$.transactions[*]"
    lookback = 30 * DAY
    """`balance` comes late at times, and a refund changes the payment in `order`, as it does in `orders`."""
    resumable = False
    """Lines that wait for the next page have no place in STATE."""

    @override
    def get_new_paginator(self) -> LedgerPages:
        """Offset paging that tells equal lines apart; the list has no total."""
        return LedgerPages(
            size=self.page_size,
            until_param=_UNTIL,
            time_field="created_at",
        )

    @cached_property
    @override
    def key_of(self) -> Callable[[Any], Line]:
        """Lines are told apart by what never changes of them."""
        return LineReader()

    @override
    def transform_pages(self, pages: Iterable[Rows]) -> Iterator[Rows]:
        """The pages, each with its lines under their keys.

        The lines of the last moment wait for the next page: how many equals they have is not known before.
        Those without a time can stand anywhere, and equal ones are numbered as they come.
        """
        waiting, lines = list[Any](), list[Line]()
        moments, last = TimeGroups(), None
        counts: dict[tuple[str, ...], int] = {}
        for rows in pages:
            last, new = rows, list(_lines(rows))
            timed = [line.has_time for line in new]
            apart = [place for place, is_timed in enumerate(timed) if not is_timed][::-1]
            timeless = keyed([rows.raws[place] for place in apart], [new[place] for place in apart], counts)
            waiting += compress(rows.raws, timed)
            lines += compress(new, timed)
            whole = moments.count_complete(lines)
            yield rows._replace(raws=timeless + keyed(waiting[:whole], lines[:whole]))
            del waiting[:whole], lines[:whole]
        if last:
            yield last._replace(raws=keyed(waiting, lines))


def _lines(rows: Rows) -> Iterable[Line]:
    """Those of the new rows of a page; they were read for its keys."""
    keys = rows.page.keys if rows.page.fresh_keys is None else rows.page.fresh_keys
    return (line for line, _ in keys) if len(keys) == len(rows.raws) else map(Line.of, rows.raws)


class Invoices(RewardsStream):
    """One row per invoice; deleted ones are not in the list."""

    name = "invoices"
    path = "/invoices"
    page_size = 10
    """The API's cap, whatever is asked for."""
    repairs = {"created_at": as_moment, "paid_at": as_moment}  # days in older answers


class Topups(RewardsStream):
    """One row per sum that was to be added to the balance; its state changes later."""

    name = "topups"
    path = "/topups"

    @override
    def get_new_paginator(self) -> Walk:
        """Offsets alone, newest first: the list knows no page size."""
        return Walk(OffsetAlone(), size=UNSTATED_SIZE, total=TOTAL)


class Forex(WholeStream):
    """One row per currency: what a US dollar is worth in it when it is read.

    The API names no time, so each run writes over the rates of the last one.
    """

    name = "forex"
    path = "/forex"
    primary_keys = ("base", "currency_code")
    params = {"base": "USD"}
    records_jsonpath = "$.forex"

    @override
    def is_record(self, node: Mapping[str, Any]) -> bool:
        """The rates are one object, by currency."""
        return True

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The rates, each as a record.

        Raises:
            Retriable: They are in a list, or none of them is a number.
        """
        page = super().read_page(response)
        if any(isinstance(found, list) and found for found in map(jsonpath.open_node, page.records)):
            raise Retriable("the answer has a list at `$.forex`, and no rates by currency", divisible=False)
        rates = [rate for found in page.records for rate in _members(found)]
        if rates and not any(rate is None or _is_number(rate) for _, rate in rates):
            raise Retriable("the answer has no rates at `$.forex`", divisible=False)
        page.replace_records([{**self.params, "currency_code": code, "rate": rate} for code, rate in rates])
        self.check_failure(page)
        return page


def _is_number(rate: Any) -> bool:
    return isinstance(rate, (int, Decimal)) or (isinstance(rate, str) and number_in(rate) is not None)


def _members(node: Any) -> Iterator[tuple[str, Any]]:
    """The members of an object; none of a list, as which an empty one may be sent."""
    opened = jsonpath.open_node(node)
    if isinstance(opened, dict):
        yield from ((name, jsonpath.decode(value)) for name, value in opened.items())
