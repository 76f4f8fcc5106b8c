"""What an organization of the rewards API has before the first order: products, campaigns, people, money."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from api_sandbox.fake import PLACES, slug

if TYPE_CHECKING:
    from api_sandbox.fake import Fake

    Row = dict[str, Any]

_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ0123456789"
_CATEGORIES = (
    "ach",
    "charity",
    "merchant_card",
    "merchant_card",
    "paypal",
    "visa_card",
    "cash_app",
    "wallet",
)
_SUBCATEGORIES = ("electronics", "entertainment", "fashion", "food_and_drink", "travel_and_hospitality")
_JOINED = datetime.fromisoformat("2025-01-06T08:00:00")


def code(fake: Fake) -> str:
    """An id of the API's kind: upper-case letters and digits."""
    return "".join(fake.rng.choices(_LETTERS, k=12))


def products(fake: Fake, count: int = 330) -> list[Row]:
    """What rewards can be redeemed for."""
    return [_product(fake) for _ in range(count)]


def _product(fake: Fake) -> Row:
    name, category = fake.company(), fake.pick(_CATEGORIES)
    places = fake.rng.sample(PLACES, fake.rng.randint(1, 3))
    image = f"https://img.example/{slug(name)}.png"
    row: Row = {
        "id": code(fake),
        "name": name,
        "description": fake.paragraph(),
        "category": category,
        "disclosure": fake.rng.choice((None, "<p>Terms &amp; conditions apply.</p>")),
        "skus": fake.rng.choice(([{"min": 5, "max": 250}], [], None)),
        "currency_codes": sorted({place.currency for place in places}),
        "countries": [{"abbr": abbr} for abbr in sorted({place.country_code for place in places})],
        "images": [{"src": image, "type": "card", "content_type": fake.rng.choice((None, "image/png"))}],
        "usage_instructions": fake.rng.choice((None, "<ol><li>Enter the code.</li></ol>")),
        "documents": fake.rng.choice((None, {"privacy_policy_url": "https://bank.example/privacy"})),
    }
    if category == "merchant_card":
        row["subcategory"] = fake.pick(_SUBCATEGORIES)
    for name in ("skus", "usage_instructions", "documents"):
        if fake.chance(0.1):
            del row[name]
    return row


def campaigns(fake: Fake, choices: list[Row], count: int = 24) -> list[Row]:
    """Sets of products under a name and a look."""
    rows = []
    for _ in range(count):
        rule = {"enabled": True, "countries": ["US"], "currencies": ["USD"]}
        page: Row = {"headline": fake.title(), "message": None, "logo_image_url": None}
        row: Row = {
            "id": code(fake),
            "name": fake.title(),
            "description": fake.rng.choice((None, fake.sentence())),
            "products": [product["id"] for product in fake.rng.sample(choices, 3)],
            "fee_charged_to": fake.rng.choice(("SENDER", "RECIPIENT", None)),
            "auto_add_product_rule": fake.rng.choice((None, {"enabled": False}, rule)),
            "webpage_style": {**page, "logo_image_height_px": fake.rng.choice((None, 120))},
            "email_style": fake.rng.choice((None, {"sender_name": fake.company(), "button_color": "#0a7"})),
        }
        if fake.chance(0.2):
            del row["description"], row["fee_charged_to"]
        rows.append(row)
    return rows


def members(fake: Fake, count: int = 37) -> list[Row]:
    """People who may use the account."""
    rows = []
    for number in range(count):
        person = fake.person()
        joined = _JOINED + timedelta(days=number, milliseconds=fake.rng.randrange(86_400_000))
        invited = fake.chance(0.2)
        row: Row = {
            "id": code(fake),
            "email": person.email,
            "name": None if invited else f"{person.first_name} {person.last_name}",
            "active": not invited,
            "role": fake.rng.choice((None, "Q3V9R1ZK7M0B", "ADMIN")),
            "status": "INVITED" if invited else "REGISTERED",
            "created_at": f"{joined.isoformat(timespec='milliseconds')}Z",
            "last_login_at": None if invited else f"{joined:%Y-%m-%dT%H:%M:%S}.903Z",
        }
        if fake.chance(0.1):
            del row["active"], row["last_login_at"]
        rows.append(row)
    return rows


def funding_sources(fake: Fake) -> list[Row]:
    """Where money comes from; what is known of it differs with the method."""
    card = {"network": "Visa", "last4": "4242", "expired": False, "year": "2027", "month": "09"}
    failure = {"return_code": "R01", "description": "Insufficient funds"}
    bank = {"account_number_mask": "6789", "bank_name": None, "last_payment_failed_at": None}
    metas: list[tuple[str, Row]] = [
        ("balance", {"available_amount": 5000, "available_cents": 500_000, "currency_code": "USD"}),
        ("credit_card", {**card, "accountholder_name": f"{fake.person().first_name} Ünal"}),
        ("bank_account", {**bank, "account_type": "checking", "refundable": True}),
        ("bank_account", {**bank, "failure_details": failure, "account_type": None}),
        ("invoice", {"net": "30", "interval": "monthly", "day_of_week": "0", "company_name": fake.company()}),
        ("invoice", {"net": "0", "interval": None, "emails": "a@mail.example,b@mail.example"}),
    ]
    rows = []
    for method, meta in metas * 2:
        row: Row = {
            "id": code(fake),
            "method": method,
            "usage_permissions": ["api_orders", "dashboard_orders"],
            "status": fake.pick(("active", "deleted", "failed")),
            "meta": meta,
        }
        if method == "invoice":
            row["type"] = fake.rng.choice(("COMMERCIAL", "PRO_FORMA", None))
        rows.append(row)
    return rows
