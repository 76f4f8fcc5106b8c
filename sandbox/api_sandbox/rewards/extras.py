"""What an organization of the rewards API has beside its orders: top-ups, fraud, roles, who is connected."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from api_sandbox.rewards.catalog import code

if TYPE_CHECKING:
    from api_sandbox.fake import Fake

    Row = dict[str, Any]

_REVIEWS = 105
"""More than a page has."""

_FROM = datetime.fromisoformat("2026-02-01T08:00:00")
_REASONS = ("VPN detected", "Disallowed country", "Multiple emails")


def extras(fake: Fake, rewards: list[Row]) -> dict[str, list[Row]]:
    """These tables; the paged ones newest first. `rewards` are those that may have been reviewed."""
    organizations = [_organization(fake, number) for number in range(12)]
    return {
        "topups": [_topup(fake, number) for number in range(23)][::-1],
        "fraud_reviews": [_review(fake, reward, number) for number, reward in enumerate(rewards[:_REVIEWS])][
            ::-1
        ],
        "fraud_rules": [
            {"rule_type": "review_redeemed_rewards_count", "config": {"amount": 3, "period": "30"}},
            {"rule_type": "review_ip", "config": {"ips": ["203.0.113.9"], "operator": "in"}},
            {"rule_type": "review_vpn", "config": None},
            {"rule_type": "review_tremendous_flag_list"},
        ],
        "fields": [
            {
                "id": "FR3Q8X1T5M2P",
                "label": "Study",
                "data_type": "Dropdown",
                "data": {"options": ["118", "119"], "labels": {"118": "Spring study", "119": "Été"}},
                "required": False,
                "scope": "REWARD",
            },
            {"id": code(fake), "label": "Note", "data_type": "Text", "data": None, "required": True},
        ],
        "roles": [
            {"id": "Q3V9R1ZK7M0B", "title": "Admin", "description": "Full access"},
            {"id": code(fake), "title": "Analyst 📈", "description": None},
        ],
        "webhooks": [
            {"id": code(fake), "url": "https://hooks.example/rewards", "private_key": "key-of-the-webhook"}
        ],
        "forex": [
            {"currency_code": name, "rate": Decimal(rate)}
            for name, rate in (
                ("EUR", "0.8531"),
                ("GBP", "0.741200000000000001"),
                ("JPY", "151.27"),
                ("USD", "1"),
            )
        ],
        "connected_organizations": organizations,
        "connected_organization_members": [
            _member(fake, organization["id"], number)
            for at, organization in enumerate(organizations)
            for number in range((11, 0, 2)[at % 3])
        ],
    }


def _stamp(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def _topup(fake: Fake, number: int) -> Row:
    created = _FROM + timedelta(days=number)
    credited = number % 3 != 0
    row: Row = {
        "id": code(fake),
        "amount": Decimal("1000.0"),
        "currency_code": "USD",
        "processing_fee": Decimal(number) / 4,
        "funding_source_id": code(fake),
        "status": "fully_credited" if credited else fake.pick(("created", "reversed", "rejected")),
        "created_at": _stamp(created),
        "fully_credited_at": _stamp(created + timedelta(days=3)) if credited else None,
        "rejected_at": None,
        "reversed_at": None,
        "reversed_reason": None,
        "idempotency_key": f"topup-{number}",
        "instant_credit_amount": Decimal("1000.0") if credited else 0,
        "settled_amount": Decimal("0.0"),
        "expected_settlement_at": None if credited else f"{created + timedelta(days=5):%Y-%m-%d}",
    }
    if number % 5 == 0:
        del row["currency_code"], row["reversed_reason"]
    return row


def _review(fake: Fake, reward: Row, number: int) -> Row:
    """A review; every so often two rewards are redeemed in one moment."""
    redeemed = _FROM + timedelta(hours=9 * (number - number % 2))
    status = fake.pick(("flagged", "blocked", "released"))
    row: Row = {
        "status": status,
        "reasons": fake.rng.sample(_REASONS, fake.rng.choice((1, 1, 2))),
        "device_id": fake.rng.choice((None, f"d-{fake.digits(5)}")),
        "redemption_method": fake.pick(("paypal", "merchant card", "bank transfer")),
        "redeemed_at": _stamp(redeemed),
        "geo": fake.rng.choice((None, {"ip": "203.0.113.9", "country": "US", "city": fake.place().city})),
        "reward": reward,
    }
    if status != "flagged":
        row |= {"reviewed_by": "Automatic Review", "reviewed_at": _stamp(redeemed + timedelta(days=2))}
    return row


def _organization(fake: Fake, number: int) -> Row:
    founded = {
        "id": code(fake),
        "name": fake.company(),
        "website": "https://client.example",
        "status": "APPROVED",
    }
    return {
        "id": code(fake),
        "client_id": "app-31f0",
        "created_at": _stamp(_FROM + timedelta(days=number)),
        "organization": {**founded, "currency_code": "EUR", "created_at": "2026-02-03"}
        if number % 2
        else None,
    }


def _member(fake: Fake, organization_id: str, number: int) -> Row:
    person = fake.person()
    member = {
        "id": code(fake),
        "email": person.email,
        "name": person.first_name,
        "active": True,
        "role": None,
        "status": "REGISTERED",
        "created_at": _stamp(_FROM),
        "last_login_at": None,
    }
    return {
        "id": code(fake),
        "connected_organization_id": organization_id,
        "external_name": fake.rng.choice((None, f"{person.first_name} {person.last_name}")),
        "external_email": person.email,
        "created_at": _stamp(_FROM + timedelta(hours=number)),
        "member": fake.rng.choice((member, None)),
    }
