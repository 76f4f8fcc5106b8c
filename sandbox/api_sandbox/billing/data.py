"""The rows of the billing API: a site with its customers, their subscriptions, and coupons."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from api_sandbox.billing.activity import Activity
from api_sandbox.billing.ledger import Ledger
from api_sandbox.billing.notes import notes
from api_sandbox.billing.offerings import FAMILY, Offerings
from api_sandbox.fake import Fake, slug

if TYPE_CHECKING:
    from random import Random

    from api_sandbox.fake import Person, Place

Row = dict[str, Any]

SITE_ZONE = ZoneInfo("America/New_York")
"""The zone of the site's clock, which its timestamps have the offset of."""

_FIRST = datetime(2025, 1, 2, tzinfo=timezone.utc)
_LAST = datetime(2025, 12, 28, tzinfo=timezone.utc)
_CLOCK_CHANGE = datetime(2025, 11, 2, 5, 10, tzinfo=timezone.utc)
"""01:10 in the first of two hours that begin at 01:00 on the site's clock."""

_STATES = ("active", "active", "active", "trialing", "canceled", "past_due", "on_hold", "expired")
_VAULT: Row = {"current_vault": "bogus", "gateway_handle": None, "site_gateway_setting_id": None}


def stamp(moment: datetime) -> str:
    """A moment as the API writes it: whole seconds, with the offset that the site has then."""
    return moment.astimezone(SITE_ZONE).isoformat(timespec="seconds")


def generate(rng: Random, customers: int = 260, subscriptions: int = 230, coupons: int = 210) -> Row:
    """All tables of one site."""
    site = Site(Fake(rng))
    for number in range(customers):
        site.add_customer(number, number / customers)
    for number in range(coupons):
        site.add_coupon(number, number / coupons)
    for number in range(subscriptions):
        site.add_subscription(number, number / subscriptions)
    ledger = Ledger(site.fake, stamp)
    for subscription in site.tables["subscriptions"]:
        ledger.bill(subscription)
    tables = {**site.tables, **ledger.tables()}
    tables |= Offerings(site.fake, stamp, _FIRST, site.products).tables()
    tables |= Activity(site.fake, stamp, tables).tables()
    return {**tables, **notes(site.fake, tables)}


class Site:
    """Tables that are being filled."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.tables: Row = {
            "site": {
                "id": 61204,
                "name": "Acme Maps",
                "subdomain": "acme",
                "currency": "USD",
                "relationship_invoicing_enabled": True,
                "test": True,
                "seller_id": 2_209,
                "non_primary_currencies": ["EUR"],
                "allocation_settings": {"upgrade_charge": "prorated", "accrue_charge": "true"},
                "default_payment_collection_method": "automatic",
                "organization_address": {"street": "9 Pier Rd", "country": "US"},
                "tax_configuration": {"kind": "custom", "fully_configured": False},
                "net_terms": {"default_net_terms": 0},
            },
            "customers": [],
            "coupons": [],
            "subscriptions": [],
        }
        self.products = [self._product(number) for number in range(4)]

    def _times(self, age: float) -> tuple[datetime, datetime]:
        """When a row was made, so far into the site's life, and when it was changed last."""
        made = _FIRST + (_LAST - _FIRST) * age + timedelta(seconds=self.fake.rng.randrange(3600))
        changed = made + (_LAST - made) * self.fake.rng.random() ** 4
        if self.fake.chance(0.04) and made < _CLOCK_CHANGE:
            changed = _CLOCK_CHANGE + timedelta(minutes=10 * self.fake.rng.randrange(11))
        return made, max(made, changed).replace(microsecond=0)

    def add_customer(self, number: int, age: float) -> None:
        """Somebody who pays, or somebody below them."""
        fake, rows = self.fake, self.tables["customers"]
        made, changed = self._times(age)
        person, place = fake.person(), fake.place()
        row = {
            **self._person(person, place),
            "id": 81_240_000 + 7 * number,
            "organization": fake.pick(("", fake.company())),
            "reference": f"crm-{20_000 + number}" if fake.chance(0.8) else None,
            "created_at": stamp(made),
            "updated_at": stamp(changed),
            "portal_customer_created_at": stamp(made + timedelta(seconds=1)),
            "portal_invite_last_sent_at": stamp(made + timedelta(seconds=1)) if fake.chance(0.5) else None,
            "portal_invite_last_accepted_at": None,
            "parent_id": fake.rng.choice(rows)["id"] if rows and fake.chance(0.05) else None,
            "default_subscription_group_uid": None,
            "default_auto_renewal_profile_id": None,
        }
        if fake.chance(0.7):  # newer records have more fields
            row |= {"state_name": place.region or None, "country_name": place.country, "salesforce_id": None}
            row |= {"vat_number": fake.digits(9) if fake.chance(0.2) else None, "tax_exempt_reason": None}
        rows.append(row)

    def _person(self, person: Person, place: Place) -> Row:
        return {
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
            "cc_emails": self.fake.rng.choice((None, "ap@mail.example, cfo@mail.example")),
            "address": self.fake.street(),
            "address_2": "",
            "city": place.city,
            "state": place.region,
            "zip": place.zip_code,
            "country": place.country_code,
            "phone": self.fake.pick(("", self.fake.phone())),
            "verified": self.fake.rng.choice((None, None, True, False)),
            "tax_exempt": self.fake.chance(0.1),
            "locale": self.fake.rng.choice((None, "en-US", "de-DE")),
        }

    def add_coupon(self, number: int, age: float) -> None:
        """A discount by a share or by an amount; conversions and shares can come as numbers."""
        fake = self.fake
        made, changed = self._times(age)
        share, cents = fake.chance(0.6), 50 * fake.rng.randint(1, 60)
        amount = None if share else Decimal(cents) / 100
        row = {
            "id": 1_190_000 + 3 * number,
            "name": fake.title(),
            "code": f"{slug(fake.word('adjective')).upper()}{number}",
            "description": fake.sentence(),
            "amount": amount,
            "amount_in_cents": None if share else cents,
            "product_family_id": 2_208_117,
            "product_family_name": "Mapping",
            "start_date": stamp(made.replace(hour=5, minute=0, second=0)),
            "end_date": stamp(made + timedelta(days=365)) if fake.chance(0.3) else None,
            "percentage": fake.rng.choice(("10", "12.5", 25, Decimal("7.5"))) if share else None,
            "recurring": fake.chance(0.5),
            "recurring_scheme": fake.pick(("do_not_recur", "recur_indefinitely", "recur_with_duration")),
            "duration_period_count": fake.rng.choice((None, 6)),
            "duration_interval": fake.rng.choice((None, 6)),
            "duration_interval_unit": fake.rng.choice((None, "month")),
            "duration_interval_span": fake.rng.choice((None, "6 months")),
            "allow_negative_balance": False,
            "archived_at": stamp(changed) if fake.chance(0.15) else None,
            "conversion_limit": fake.rng.choice((None, "500", 20)),
            "stackable": True,
            "compounding_strategy": fake.rng.choice((None, "compound", "full-price")),
            "use_site_exchange_rate": True,
            "created_at": stamp(made),
            "updated_at": stamp(changed),
            "discount_type": "percent" if share else "amount",
            "exclude_mid_period_allocations": False,
            "apply_on_cancel_at_end_of_period": False,
            "currency_prices": []
            if amount is None
            else [{"id": number, "currency": "EUR", "price": amount, "coupon_id": 1_190_000 + 3 * number}],
        }
        if fake.chance(0.5):
            product = fake.rng.choice(self.products)
            item = {"item_id": product["id"], "name": product["name"], "handle": product["handle"]}
            row["coupon_restrictions"] = [{"id": number, "item_type": "Product", **item}]
        self.tables["coupons"].append(row)

    def _product(self, number: int) -> Row:
        name = self.fake.title()
        price = 100 * self.fake.rng.randint(9, 300)
        return {
            "id": 6_120_455 + number,
            "name": name,
            "handle": slug(name),
            "description": self.fake.rng.choice((None, self.fake.paragraph())),
            "accounting_code": f"SKU-{number}",
            "request_credit_card": True,
            "expiration_interval": None,
            "expiration_interval_unit": "never",
            "created_at": stamp(_FIRST),
            "updated_at": stamp(_FIRST + timedelta(days=40)),
            "price_in_cents": price,
            "interval": 1,
            "interval_unit": "month",
            "initial_charge_in_cents": None,
            "trial_interval": None,
            "archived_at": None,
            "require_credit_card": True,
            "taxable": False,
            "version_number": 3,
            "product_family": FAMILY,
            "public_signup_pages": [{"id": 401_772 + number, "url": "https://acme.example/subscribe/plan"}],
            "product_price_point_name": "Default",
            "default_product_price_point_id": 3_381_920 + number,
            "product_price_point_id": 3_381_920 + number,
            "product_price_point_handle": "default",
        }

    def add_subscription(self, number: int, age: float) -> None:
        """A customer's subscription to a product."""
        fake = self.fake
        made, changed = self._times(age)
        customer, product = fake.rng.choice(self.tables["customers"]), fake.rng.choice(self.products)
        coupon = fake.rng.choice(self.tables["coupons"])["code"] if fake.chance(0.2) else None
        state, month = fake.pick(_STATES), timedelta(days=30)
        row = {
            "id": 57_310_000 + 11 * number,
            "state": state,
            "balance_in_cents": fake.rng.choice((0, 0, 0, -500, product["price_in_cents"])),
            "total_revenue_in_cents": product["price_in_cents"] * fake.rng.randint(1, 12),
            "product_price_in_cents": product["price_in_cents"],
            "product_version_number": 3,
            "current_period_ends_at": stamp(changed + month),
            "next_assessment_at": None if state in {"canceled", "expired"} else stamp(changed + month),
            "activated_at": stamp(made + timedelta(seconds=3)),
            "expires_at": None,
            "created_at": stamp(made),
            "updated_at": stamp(changed),
            "cancellation_message": fake.sentence() if state == "canceled" else None,
            "cancellation_method": "merchant_ui" if state == "canceled" else None,
            "cancel_at_end_of_period": fake.rng.choice((None, True, False)),
            "canceled_at": stamp(changed) if state == "canceled" else None,
            "current_period_started_at": stamp(changed),
            "previous_state": "active",
            "signup_payment_id": 902_000_000 + number,
            "signup_revenue": f"{Decimal(product['price_in_cents']) / 100:.2f}",
            "coupon_code": coupon,
            "snap_day": fake.rng.choice((None, None, 15, "28", "end")),
            "payment_collection_method": fake.pick(("automatic", "remittance")),
            "customer": {key: value for key, value in customer.items() if key != "vat_status"},
            "product": product,
            "group": {"uid": f"grp_{number}", "scheme": 1, "primary": True} if fake.chance(0.1) else None,
            "referral_code": slug(fake.title())[:6],
            "coupon_codes": [coupon] if coupon else [],
            "payer_id": customer["id"],
            "product_price_point_id": product["product_price_point_id"],
            "product_price_point_type": "default",
            "net_terms": 0,
            "stored_credential_transaction_id": fake.rng.choice((None, 9_007_199_254_740_993)),
            "reference": fake.rng.choice((None, f"sub-{number}")),
            "on_hold_at": stamp(changed) if state == "on_hold" else None,
            "dunning_communication_delay_enabled": False,
            "receives_invoice_emails": fake.rng.choice((None, True)),
            "currency": "USD",
            "credit_balance_in_cents": 0,
            "prepayment_balance_in_cents": 0,
            **self._payment(customer),
        }
        self.tables["subscriptions"].append(row)

    def _payment(self, customer: Row) -> Row:
        """A card, a bank account, or neither; the key of what there is not is absent."""
        fake = self.fake
        profile = {
            **_VAULT,
            "id": 44_000_000 + fake.rng.randrange(999_999),
            "first_name": customer["first_name"],
            "last_name": customer["last_name"],
            "customer_id": customer["id"],
            "vault_token": fake.digits(4),
            "billing_city": customer["city"],
        }
        if fake.chance(0.7):
            card = {"masked_card_number": "XXXX-XXXX-XXXX-4242", "card_type": "visa"}
            until = {"expiration_month": fake.rng.randint(1, 12), "expiration_year": 2029}
            card_type = {"payment_type": "credit_card", "disabled": False}
            return {"payment_type": "credit_card", "credit_card": {**profile, **card, **until, **card_type}}
        if fake.chance(0.5):
            bank = {"bank_name": "Sparbank Åre", "masked_bank_account_number": None, "verified": True}
            return {"payment_type": "bank_account", "bank_account": {**profile, **bank}}
        return {"payment_type": None}
