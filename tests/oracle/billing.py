"""The configuration of the document on billing.

Changes:

1. dlt's paginator has no `limit_param` and `limit`: the size of a page is one of the endpoint's parameters.
   It counts pages from 0 and looks for a total: here pages count from 1, and an empty one is the end.
2. Records are wrapped one by one, in a list: `customer` is in each of its elements.
3. The document has the selector of invoices in their path and their path in the selector, and so with
   transactions. Invoices have no `id`; their key is `uid`.
4. The API leaves out parts of invoices, prices of coupons and coupons that were archived unless it is
   asked for them, as the tap does.
"""

from __future__ import annotations

from typing import Any

from oracle.documents import Document
from tap_billing.tap import TapBilling

PAGES = {"type": "page_number", "page_param": "page", "base_page": 1, "total_path": None}  # 1
PARTS = ("line_items", "discounts", "taxes", "credits", "payments", "refunds", "custom_fields")


def resource(name: str, path: str, selector: str, **params: str) -> dict[str, Any]:
    """All resources of the document are alike but for these."""
    return {
        "name": name,
        "endpoint": {
            "path": path,
            "data_selector": selector,
            "paginator": PAGES,
            "params": {"per_page": 200, **params},  # 1
        },
    }


def as_the_tap_has_it(row: dict[str, Any]) -> dict[str, Any]:
    """A subscription without the keys to its customer's means of payment, and with two ids beside it."""
    row |= {f"{name}_id": row[name]["id"] for name in ("customer", "product")}
    for name in ("credit_card", "bank_account"):
        if isinstance(row.get(name), dict):
            row[name] = {field: value for field, value in row[name].items() if not field.endswith("_token")}
    return row


DOCUMENT = Document(
    tap=TapBilling,
    settings={"api_url": "/billing"},
    client={
        "base_url": "/billing",
        "auth": {"type": "http_basic", "username": "sandbox-key", "password": "x"},
    },
    resources=[
        resource("customers", "/customers.json", "[*].customer"),  # 2
        resource("subscriptions", "/subscriptions.json", "[*].subscription"),  # 2
        {
            **resource("invoices", "/invoices.json", "invoices", **dict.fromkeys(PARTS, "true")),  # 3, 4
            "primary_key": "uid",  # 3
        },
        resource(
            "coupons",
            "/coupons.json",
            "[*].coupon",  # 2
            **{"filter[include_archived]": "true", "currency_prices": "true"},  # 4
        ),
        resource("transactions", "/transactions.json", "[*].transaction"),  # 2, 3
    ],
    # The tap does not pass on the tokens of vaults, and puts the ids of customer and product beside them.
    mend={"subscriptions": as_the_tap_has_it},
)
