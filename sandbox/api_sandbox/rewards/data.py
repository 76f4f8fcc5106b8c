"""The rows of the rewards API: an organization that pays people for taking part in studies."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from api_sandbox.fake import Fake
from api_sandbox.rewards.catalog import campaigns, code, funding_sources, members, products
from api_sandbox.rewards.extras import extras

if TYPE_CHECKING:
    from random import Random

    Row = dict[str, Any]

_START = datetime.fromisoformat("2025-02-03T09:00:00")
_CURRENCY_NAMED = datetime.fromisoformat("2026-04-01T00:00:00")
"""When the API began to say what currency an amount is in."""

_STATUSES = ("EXECUTED",) * 8 + ("CANCELED", "FAILED", "OPEN", "PENDING APPROVAL", "PENDING SETTLEMENT")
_CHANNELS = ("API", "API", "UI", "EMBED", "QUALTRICS", "SURVEY MONKEY")
_DELIVERIES = ("SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "PENDING", "FAILED", "SCHEDULED")


def stamp(moment: datetime) -> str:
    """A time as the API writes it: UTC, with milliseconds."""
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def generate(rng: Random, orders: int = 420) -> Row:
    """All tables of one organization."""
    account = Account(Fake(rng))
    moment = _START
    for number in range(orders):
        # Every so often some things happen in one and the same millisecond.
        if number % 7:
            moment += timedelta(milliseconds=rng.randrange(60_000, 200_000_000))
        account.add_order(moment)
        if number % 3 == 0:
            account.add_invoice(number, moment)
        if number % 5 == 0:
            account.add_deposit(moment)
    return account.newest_first()


class Account:
    """Tables that are being filled, oldest rows first."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.balance = Decimal(5000)
        self.products = products(fake)
        self.campaigns = campaigns(fake, self.products)
        self.tables: dict[str, list[Row]] = {
            name: [] for name in ("orders", "rewards", "transactions", "invoices")
        }

    def newest_first(self) -> dict[str, list[Row]]:
        """The tables as the API lists them."""
        self.tables["rewards"].sort(key=lambda row: str(row["created_at"]))
        organization = {
            "id": code(self.fake),
            "name": f"{self.fake.company()} 🎁",
            "website": None,
            "currency_code": "USD",
            "status": "APPROVED",
            "access_token": "secret-of-the-organization",
        }
        return {
            **{name: rows[::-1] for name, rows in self.tables.items()},
            "products": self.products,
            "campaigns": self.campaigns,
            "funding_sources": funding_sources(self.fake),
            "members": members(self.fake),
            "organizations": [organization],
            **extras(self.fake, self.tables["rewards"]),
        }

    def add_order(self, moment: datetime) -> None:
        """An order with its rewards, and what it does to the balance."""
        fake, order_id = self.fake, code(self.fake)
        rewards = [
            self._reward(order_id, moment, number) for number in range(fake.rng.choice((1, 1, 1, 2, 4)))
        ]
        self.tables["rewards"] += rewards
        order: Row = {
            "id": order_id,
            "external_id": fake.pick((f"study-{fake.digits(3)}-participant-{fake.digits(5)}", "")) or None,
            "campaign_id": fake.rng.choice(self.campaigns)["id"],
            "created_at": stamp(moment),
            "status": fake.pick(_STATUSES),
            "channel": fake.pick(_CHANNELS),
            "payment": self._payment(rewards, moment),
            "invoice_id": None,
            "rewards": rewards[::-1],
        }
        for name in ("campaign_id", "channel", "invoice_id"):
            if fake.chance(0.2):
                del order[name]
        if order["status"] == "CANCELED":
            order["payment"]["refund"] = {"total": order["payment"]["total"]}
        self.tables["orders"].append(order)
        if order["status"] in {"EXECUTED", "CANCELED"}:
            self._pay(order, moment)

    def _reward(self, order_id: str, moment: datetime, number: int) -> Row:
        fake, person = self.fake, self.fake.person()
        time = moment + timedelta(milliseconds=23 + number // 2)
        recipient: Row = {"name": f"{person.first_name} {person.last_name}", "email": person.email}
        if fake.chance(0.2):
            recipient = {"name": recipient["name"], "email": None, "phone": fake.phone()}
        label = {"label": "Study"} if fake.chance(0.9) else {}
        field = {"id": "FR3Q8X1T5M2P", "value": fake.rng.choice(("118", "119", None)), **label}
        row: Row = {
            "id": code(fake),
            "order_id": order_id,
            "created_at": stamp(time),
            "expires_at": fake.rng.choice((None, stamp(time + timedelta(days=365)))),
            "value": self._currency({"denomination": fake.rng.choice((5, 20, 50, Decimal("12.5")))}, moment),
            "recipient": recipient,
            "deliver_at": fake.rng.choice((None, f"{time:%Y-%m-%d}")),
            "custom_fields": fake.rng.choice(([], [field], [field], None)),
            "delivery": {"method": fake.pick(("EMAIL", "LINK", "PHONE")), "status": fake.pick(_DELIVERIES)},
        }
        for name in ("expires_at", "recipient", "deliver_at", "custom_fields"):
            if fake.chance(0.05):
                del row[name]
        return row

    def _currency(self, amounts: Row, moment: datetime) -> Row:
        return {**amounts, "currency_code": "USD"} if moment >= _CURRENCY_NAMED else amounts

    def _payment(self, rewards: list[Row], moment: datetime) -> Row:
        subtotal = sum((Decimal(reward["value"]["denomination"]) for reward in rewards), Decimal(0))
        fees = (subtotal * Decimal("0.03")).quantize(Decimal("0.01"))
        discount = {"discount": Decimal("0.0")} if moment.month > 2 else {}  # noqa: PLR2004  not in old orders
        return self._currency(
            {"subtotal": subtotal, "total": subtotal + fees, "fees": fees, **discount}, moment
        )

    def _pay(self, order: Row, moment: datetime) -> None:
        """The ledger's line for an order; some orders are split into equal lines."""
        parts = 2 if self.fake.chance(0.1) else 1
        short = {name: order[name] for name in ("id", "external_id", "payment")}
        for _ in range(parts):
            amount = -order["payment"]["total"] / parts
            self._add_line(moment, amount, "Order", f"Order {order['id']}", order=short)

    def add_deposit(self, moment: datetime) -> None:
        """Money for the balance: at times several equal sums in one millisecond, alike in all but nothing."""
        for _ in range(self.fake.rng.choice((1, 1, 2, 3))):
            self._add_line(
                moment, Decimal(500), "Deposit", self.fake.rng.choice((None, "Top-up")), order=None
            )

    def _add_line(
        self, moment: datetime, amount: Decimal, action: str, text: str | None, **more: Any
    ) -> None:
        self.balance += amount
        late = self.fake.chance(0.3) or action == "Deposit"
        line: Row = {
            "created_at": stamp(moment),
            "amount": amount,
            "balance": None if late else self.balance,
            "action": action,
            "description": text,
            **({} if more["order"] is None and self.fake.chance(0.5) else more),
        }
        self.tables["transactions"].append(self._currency(line, moment))

    def add_invoice(self, number: int, moment: datetime) -> None:
        """An invoice; old ones have days in the place of times."""
        fake = self.fake
        paid = fake.chance(0.7)
        times = (moment, moment + timedelta(days=6))
        days = number < 100  # noqa: PLR2004
        created_at, paid_at = (f"{time:%Y-%m-%d}" if days else stamp(time) for time in times)
        order = self.tables["orders"][-1]
        status = fake.pick(("PAID", "MARKED_AS_PAID")) if paid else fake.pick(("OPEN", "OPEN", "DELETED"))
        row: Row = {
            "id": f"PPS-{30_000 + number}",
            "po_number": fake.pick((f"PO-{fake.digits(4)}", "")) or None,
            "amount": order["payment"]["total"],
            "currency_code": "USD",
            "currency": "USD",
            "international": fake.rng.choice((True, False, None)),
            "status": status,
            "orders": fake.rng.choice(([order["id"]], [], None)),
            "rewards": [reward["id"] for reward in order["rewards"]],
            "created_at": created_at,
            "paid_at": paid_at if paid else None,
        }
        if fake.chance(0.1):
            del row["currency"], row["international"]
        self.tables["invoices"].append(row)
