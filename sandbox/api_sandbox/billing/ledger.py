"""What subscriptions were billed: invoices, and the transactions that legacy sites have for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_sandbox.fake import Fake

Row = dict[str, Any]

_SELLER: Row = {
    "name": "Acme Maps",
    "address": {"street": "9 Pier Rd", "line2": "", "city": "Portland", "state": "ME", "country": "US"},
    "phone": "555-0100",
    "logo_url": None,
}
_NONE = "0.0"


class Ledger:
    """Invoices and transactions of a site, numbered in the order of their dates."""

    def __init__(self, fake: Fake, stamp: Callable[[datetime], str]) -> None:
        self._fake = fake
        self._stamp = stamp
        self._invoices: list[tuple[datetime, Row]] = []
        self._transactions: list[tuple[datetime, Row]] = []

    def bill(self, subscription: Row) -> None:
        """Bill a subscription for its first months."""
        first = datetime.fromisoformat(subscription["created_at"]) + timedelta(seconds=2)
        for month in range(self._fake.rng.randint(0, 3)):
            self._bill_month(subscription, first + timedelta(days=30 * month))

    def _bill_month(self, subscription: Row, moment: datetime) -> None:
        fake, paid = self._fake, self._fake.chance(0.85)
        price = f"{Decimal(subscription['product_price_in_cents']) / 100:.1f}"
        late = moment + timedelta(seconds=5) if paid else moment + timedelta(days=fake.rng.randrange(40))
        customer = subscription["customer"]
        day = self._stamp(moment)[:10]
        who = {name: customer[name] for name in ("first_name", "last_name", "organization", "email")}
        address = {"street": customer["address"], "city": customer["city"], "zip": customer["zip"]}
        row = {
            "site_id": 61204,
            "customer_id": customer["id"],
            "subscription_id": subscription["id"],
            "transaction_time": self._stamp(moment),
            "created_at": self._stamp(moment),
            "updated_at": self._stamp(late),
            "issue_date": day,
            "due_date": day,
            "paid_date": day if paid else None,
            "status": "paid" if paid else fake.pick(("open", "voided", "draft")),
            "role": "renewal",
            "collection_method": subscription["payment_collection_method"],
            "payment_instructions": fake.paragraph(),
            "currency": "USD",
            "consolidation_level": "none",
            "parent_invoice_uid": None,
            "parent_invoice_number": None,
            "group_primary_subscription_id": None,
            "product_name": subscription["product"]["name"],
            "product_family_name": "Mapping",
            "seller": _SELLER,
            "customer": {"chargify_id": customer["id"], **who, "vat_number": None},
            "recipient_emails": [customer["email"]],
            "net_terms": 0,
            "memo": fake.pick(("", "Thank you.")),
            "billing_address": address,
            "shipping_address": address,
            **dict.fromkeys(("discount_amount", "tax_amount", "credit_amount", "refund_amount"), _NONE),
            "subtotal_amount": price,
            "total_amount": price,
            "paid_amount": price if paid else _NONE,
            "due_amount": _NONE if paid else price,
            **self._parts(subscription, moment, price, paid=paid),
        }
        if fake.chance(0.03):  # as in the vendor's own sample
            del row["created_at"], row["updated_at"]
        self._invoices.append((moment, row))
        self._book(subscription, moment, paid=paid)

    def _parts(self, subscription: Row, moment: datetime, price: str, *, paid: bool) -> Row:
        """What an invoice is made of, which answers have only when asked for it."""
        fake = self._fake
        line = {
            "uid": f"li_{fake.digits(12)}",
            "title": subscription["product"]["name"],
            "description": fake.sentence(),
            "quantity": "1.0",
            "unit_price": fake.pick((price, "0.09567901")),
            "subtotal_amount": price,
            "total_amount": price,
            "tiered_unit_price": False,
            "period_range_start": self._stamp(moment)[:10],
            "period_range_end": self._stamp(moment + timedelta(days=30))[:10],
            "transaction_id": 902_000_000 + fake.rng.randrange(999_999),
            "product_id": subscription["product"]["id"],
            "component_cost_data": fake.rng.choice((None, {"rates": []})),
        }
        payment = {
            "transaction_time": self._stamp(moment),
            "memo": "Renewal payment",
            "original_amount": price,
            "applied_amount": price,
            "payment_method": {"type": "credit_card", "card_brand": "visa", "last_four": "4242"},
            "transaction_id": 902_000_000 + fake.rng.randrange(999_999),
            "prepayment": False,
            "gateway_used": "bogus",
            "received_on": None,
        }
        field = {"owner_id": subscription["id"], "owner_type": "Subscription", "name": "segment"}
        return {
            "line_items": [line],
            "discounts": [],
            "taxes": [],
            "credits": [],
            "payments": [payment] if paid else [],
            "refunds": [],
            "custom_fields": [{**field, "value": fake.word("noun")}] if fake.chance(0.3) else [],
        }

    def _book(self, subscription: Row, moment: datetime, *, paid: bool) -> None:
        """A charge, and the payment in the same second if there was one."""
        fake, cents = self._fake, subscription["product_price_in_cents"]
        shared = {
            "subscription_id": subscription["id"],
            "success": True,
            "amount_in_cents": cents,
            "created_at": self._stamp(moment),
            "product_id": subscription["product"]["id"],
            "customer_id": subscription["customer"]["id"],
            "tax_id": None,
            "currency": "USD",
            "exchange_rate": fake.rng.choice((Decimal("1.0"), Decimal("1.08375000"))),
        }
        charge = {
            **shared,
            "type": "Charge",
            "kind": "baseline",
            "transaction_type": "charge",
            "memo": f"{subscription['product']['name']} ({fake.sentence()})",
            "starting_balance_in_cents": 0,
            "ending_balance_in_cents": cents,
            "payment_id": None,
            "item_name": subscription["product"]["name"],
            "period_range_start": fake.pick((f"{moment:%Y-%m-%d}", f"{moment:%m/%d/%Y}")),
            "quantity": fake.rng.choice((None, "1.0", 2)),
            "original_amount_in_cents": cents,
            "taxations": [],
        }
        self._transactions.append((moment, charge))
        if paid:
            payment = {
                **shared,
                "type": "Payment",
                "kind": None,
                "transaction_type": "payment",
                "memo": None,
                "starting_balance_in_cents": cents,
                "ending_balance_in_cents": 0,
                "gateway_used": "bogus",
                "gateway_transaction_id": fake.digits(5),
                "gateway_order_id": fake.rng.choice((None, 70213, "A-70213")),
                "card_number": "XXXX-XXXX-XXXX-4242",
                "refunded_amount_in_cents": 0,
            }
            self._transactions.append((moment, payment))

    def tables(self) -> Row:
        """The rows, oldest first, with their ids and numbers."""
        invoices = [row for _, row in sorted(self._invoices, key=itemgetter(0))]
        transactions = [row for _, row in sorted(self._transactions, key=itemgetter(0))]
        return {
            "invoices": [self._numbered(number, row) for number, row in enumerate(invoices, 1)],
            "transactions": [
                {"id": 902_000_000 + 5 * number, **row} for number, row in enumerate(transactions)
            ],
        }

    def _numbered(self, number: int, row: Row) -> Row:
        uid = f"inv_{self._fake.digits(6)}{number:06d}"
        url = f"https://acme.example/invoice/{uid}?token=example"
        ids = {"uid": uid, "number": str(number), "sequence_number": number, "public_url": url}
        return {"id": 918_223_344_556_000_000 + number, **ids, **row}
