"""The configuration of the document on rewards.

Changes:

1. Orders, rewards and invoices tell their size as `total_count`, not `total`. The ledger
   (balance transactions) tells none: dlt reads on to the empty page.
2. The other lists know neither offset nor limit: dlt would read the same list for ever, and is stopped
   after one page.
3. Products have no `limit` in the document, and dlt needs one.
4. Invoices come in pages of 10, whatever is asked for. With the document's limit of 100 dlt goes on from
   the 100th, and loses nine of ten.
5. Lines of the ledger have no `id`, and no other key: they are only appended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle.documents import Document, offset
from tap_rewards.tap import TapRewards

if TYPE_CHECKING:
    from oracle.documents import Row

TOTAL = {"total_path": "total_count"}  # 1
NO_TOTAL = {"total_path": None}  # 1
WHOLE = {"paginator": offset(10, **NO_TOTAL, maximum_offset=10)}  # 2


def without_token(row: Row) -> Row:
    """The tap does not pass on secrets."""
    return {name: value for name, value in row.items() if name != "access_token"}


DOCUMENT = Document(
    tap=TapRewards,
    settings={"api_url": "/rewards"},
    client={"base_url": "/rewards", "auth": {"type": "bearer", "token": "sandbox-key"}},
    resources=[
        {
            "name": "orders",
            "endpoint": {"path": "/v2/orders", "data_selector": "orders", "paginator": offset(100, **TOTAL)},
        },
        {
            "name": "products",
            "endpoint": {"path": "/v2/products", "data_selector": "products", **WHOLE},  # 3
        },
        {
            "name": "funding_sources",
            "endpoint": {"path": "/v2/funding_sources", "data_selector": "funding_sources", **WHOLE},
        },
        {
            "name": "account_members",
            "endpoint": {"path": "/v2/members", "data_selector": "members", **WHOLE},
        },
        {
            "name": "campaigns",
            "endpoint": {"path": "/v2/campaigns", "data_selector": "campaigns", **WHOLE},
        },
        {
            "name": "organizations",
            "endpoint": {"path": "/v2/organizations", "data_selector": "organizations", **WHOLE},
        },
        {
            "name": "balance_transactions",
            "primary_key": None,  # 5
            "write_disposition": "append",  # 5
            "endpoint": {
                "path": "/v2/balance_transactions",
                "data_selector": "transactions",
                "paginator": offset(10, **NO_TOTAL),
            },
        },
        {
            "name": "rewards",
            "endpoint": {"path": "/v2/rewards", "data_selector": "rewards", "paginator": offset(10, **TOTAL)},
        },
        {
            "name": "members",
            "endpoint": {
                "path": "/v2/members",
                "data_selector": "members",
                "paginator": offset(100, **NO_TOTAL, maximum_offset=100),  # 2
            },
        },
        {
            "name": "invoices",
            "endpoint": {
                "path": "/v2/invoices",
                "data_selector": "invoices",
                "paginator": offset(10, **TOTAL),  # 4
            },
        },
    ],
    mend={"organizations": without_token},
)
