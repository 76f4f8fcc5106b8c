"""What happens on a site: components of subscriptions and their use, events, notes, and custom fields."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from api_sandbox.billing.offerings import FAMILY

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_sandbox.fake import Fake

Row = dict[str, Any]

_KEYS = ("renewal_success", "payment_success", "subscription_state_change", "customer_update")
_CHANGES = ("issue_invoice", "apply_payment", "change_invoice_status")
_VARIED = 48
"""Subscriptions whose components are of all kinds; others have the first, which has no lists of its own."""

_LONG = {1: 73, 2: 50, 3: 230}
"""Rows below the components of some subscriptions; below others there are a few."""

_WITHOUT_ID = 2
"""Allocations of each list that are so old that they have no id."""


class Activity:
    """The tables of what happens, below the tables of a site that is there.

    Args:
        fake: The source of chance.
        stamp: Writes a moment as the API does.
        tables: Those of the site.
    """

    def __init__(self, fake: Fake, stamp: Callable[[datetime], str], tables: Row) -> None:
        self._fake = fake
        self._stamp = stamp
        self._site = tables
        self._components: list[Row] = []
        self._usages: dict[str, list[Row]] = {}
        self._allocations: dict[str, list[Row]] = {}

    def tables(self) -> Row:
        """All of them."""
        for number, subscription in enumerate(self._site["subscriptions"]):
            self._add_component(number, subscription)
        return {
            "subscription_components": self._components,
            "usages": self._usages,
            "allocations": self._allocations,
            "subscription_groups": self._groups(),
            "payment_profiles": self._profiles(),
            "events": [self._event(number) for number in range(430)],
            "invoice_events": [self._invoice_event(number) for number in range(220)],
            "reason_codes": [self._reason(number) for number in range(3)],
            **self._custom_fields("subscription", self._site["subscriptions"]),
            **self._custom_fields("customer", self._site["customers"]),
        }

    # Components and their use

    def _add_component(self, number: int, subscription: Row) -> None:
        """One component, mostly the first; the others are those that have lists of their own."""
        component = self._site["components"][number % 6 if number < _VARIED else 0]
        row = {
            "id": 64_401_882 + number,
            **{
                name: component[name]
                for name in ("name", "kind", "unit_name", "pricing_scheme", "recurring", "archived_at")
            },
            "currency": "USD",
            "allocated_quantity": self._fake.rng.choice((1, 12, "2.5")),
            "component_id": component["id"],
            "component_handle": component["handle"],
            "subscription_id": subscription["id"],
            "upgrade_charge": "prorated",
            "downgrade_credit": None,
            "price_point_id": component["default_price_point_id"],
            "price_point_type": "default",
            "product_family_id": FAMILY["id"],
            "product_family_handle": FAMILY["handle"],
            "created_at": subscription["created_at"],
            "updated_at": subscription["updated_at"],
            "use_site_exchange_rate": True,
            "allow_fractional_quantities": component["allow_fractional_quantities"],
        }
        self._components.append(row)
        place = f"{subscription['id']}/{component['id']}"
        count = range(_LONG.get(number, number % 4))
        if component["kind"] in {"metered_component", "prepaid_usage_component"}:
            self._usages[place] = [self._usage(row, at) for at in count]
        if component["kind"] in {"quantity_based_component", "on_off_component", "prepaid_usage_component"}:
            self._allocations[place] = [self._allocation(row, at) for at in count]

    def _usage(self, component: Row, number: int) -> Row:
        made = datetime.fromisoformat(component["created_at"]) + timedelta(hours=number)
        return {
            "id": 138_522_957 + 1000 * (component["subscription_id"] - 57_310_000) + number,
            "memo": self._fake.rng.choice((None, self._fake.sentence())),
            "created_at": self._stamp(made),
            "price_point_id": component["price_point_id"],
            "quantity": self._fake.rng.choice((1, 25, -3, "0.5")),
            "overage_quantity": 0,
            "component_id": component["component_id"],
            "component_handle": component["component_handle"],
            "subscription_id": component["subscription_id"],
        }

    def _allocation(self, component: Row, number: int) -> Row:
        made = datetime.fromisoformat(component["created_at"]).astimezone(timezone.utc)
        made += timedelta(hours=number)
        row = {
            "allocation_id": 2_370_199 + 100 * component["subscription_id"] + number,
            "component_id": component["component_id"],
            "subscription_id": component["subscription_id"],
            "quantity": self._fake.rng.choice((10, "5.5")),
            "previous_quantity": 0,
            "memo": "moving to 10",
            "timestamp": f"{made:%Y-%m-%dT%H:%M:%SZ}",
            "created_at": self._stamp(made),
            "accrue_charge": True,
            "upgrade_charge": "prorated",
            "downgrade_credit": None,
            "payment": None if number else {"id": 5, "amount_in_cents": 100, "success": True, "memo": ""},
        }
        if number < _WITHOUT_ID:
            del row["allocation_id"]
        return row

    # The site

    def _groups(self) -> list[Row]:
        balance = {"balance_in_cents": 500, "automatic_balance_in_cents": None}
        return [
            {
                "uid": subscription["group"]["uid"],
                "scheme": 1,
                "customer_id": subscription["customer"]["id"],
                "payment_profile_id": None,
                "subscription_ids": [subscription["id"]],
                "primary_subscription_id": subscription["id"],
                "next_assessment_at": subscription["next_assessment_at"],
                "state": subscription["state"],
                "cancel_at_end_of_period": False,
                "account_balances": dict.fromkeys(("prepayments", "service_credits"), balance),
                "group_type": "single_customer",
            }
            for subscription in self._site["subscriptions"]
            if subscription["group"]
        ]

    def _profiles(self) -> list[Row]:
        """Cards and bank accounts of the subscriptions, and one of another kind."""
        found = {}
        for row in self._site["subscriptions"]:
            profile = row.get("credit_card") or row.get("bank_account")
            if profile:
                kind = "credit_card" if row.get("credit_card") else "bank_account"
                found[profile["id"]] = {**profile, "payment_type": kind}
        other = {"id": 1, "payment_type": "paypal_account", "paypal_email": "pay@mail.example"}
        tokens = {"customer_vault_token": "vault_secret", "chargify_token": "vault_secret"}
        return [*found.values(), {**other, **tokens}]

    def _event(self, number: int) -> Row:
        """One of a year's events, every 20 hours; some have a means of payment in them."""
        subscription = self._fake.rng.choice(self._site["subscriptions"])
        key = _KEYS[number % len(_KEYS)]
        more: Row | None = None
        if key == "subscription_state_change":
            more = {"previous_subscription_state": "past_due", "new_subscription_state": "active"}
        elif key == "customer_update":
            card = {"masked_card_number": "XXXX-XXXX-XXXX-4242", "vault_token": "vault_secret"}
            more = {"payment_profile": {"bank": [card]}, "customer_vault_token": "vault_secret"}
        made = datetime(2025, 1, 2, tzinfo=timezone.utc) + timedelta(hours=20 * number)
        return {
            "id": 4_471_000_000 + 7 * number,
            "key": key,
            "message": self._fake.sentence(),
            "subscription_id": subscription["id"],
            "customer_id": subscription["customer"]["id"],
            "created_at": self._stamp(made),
            "event_specific_data": more,
        }

    def _invoice_event(self, number: int) -> Row:
        """One of an invoice's, with the invoice as it is now; the first has none, as those of long ago."""
        invoice = self._site["invoices"][number % len(self._site["invoices"])]
        made = datetime(2025, 2, 1, tzinfo=timezone.utc) + timedelta(hours=number)
        row = {
            "id": 7_720_000 + 3 * number,
            "event_type": _CHANGES[number % len(_CHANGES)],
            "timestamp": f"{made:%Y-%m-%dT%H:%M:%SZ}",
            "event_data": {"memo": self._fake.sentence(), "applied_amount": invoice["paid_amount"]},
        }
        return {**row, "invoice": invoice} if number else row

    def _reason(self, number: int) -> Row:
        times = dict.fromkeys(("created_at", "updated_at"), self._site["customers"][0]["created_at"])
        text = self._fake.sentence()
        code = {"id": 914 + number, "site_id": 61_204, "code": f"R{number}", "description": text}
        return {**code, "position": number + 1, **times}

    def _custom_fields(self, what: str, rows: list[Row]) -> Row:
        """Two fields and their values; one was deleted and given again, and some ids are not told."""
        shown = {**dict.fromkeys(("csv", "invoices", "portal"), "1"), "hosted": []}
        fields: list[Row] = [
            {"id": 7_715, "name": "Tier", "scope": shown, "data_count": 30, "input_type": "text"},
            {"id": 7_716, "name": "Lake", "scope": shown, "data_count": 0, "input_type": "radio"},
        ]
        fields[0]["enum"] = None
        fields[1]["enum"] = ["a", "b"] if what == "customer" else "a"
        values = [
            {
                "id": 30_018_822 + number,
                "value": self._fake.word("noun"),
                "resource_id": row["id"],
                "name": "Tier",
                "deleted_at": None,
                "metafield_id": 7_715,
            }
            for number, row in enumerate(rows[: 210 if what == "customer" else 30])
        ]
        values.append({**values[3], "id": 30_018_000, "deleted_at": rows[0]["created_at"]})
        values.append({**values[4], "id": None, "metafield_id": None})
        return {f"{what}_metafields": fields, f"{what}_metadata": values}
