"""What a site sells: products, components, their price points, and offers of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api_sandbox.fake import slug

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from api_sandbox.fake import Fake

Row = dict[str, Any]

FAMILY: Row = {"id": 2_208_117, "name": "Mapping", "handle": "mapping", "description": ""}
_FIRST = 57_310_000
"""Id of the subscription that custom price points are for."""

KINDS = (
    "event_based_component",
    "quantity_based_component",
    "on_off_component",
    "metered_component",
    "prepaid_usage_component",
    "metered_component",
)
"""What components there are; the last one is archived."""


class Offerings:
    """The tables of what is sold.

    Args:
        fake: The source of chance.
        stamp: Writes a moment as the API does.
        first: When the site began.
        products: Those that subscriptions are for.
    """

    def __init__(
        self, fake: Fake, stamp: Callable[[datetime], str], first: datetime, products: list[Row]
    ) -> None:
        self._fake = fake
        self._stamp = stamp
        self._first = first
        self._products = products

    def tables(self) -> Row:
        """All of them; the last of each list is archived."""
        products = [self._product(product) for product in self._products]
        for number in range(3):
            point = {"product_price_point_id": 3_381_900 + number}
            products.append({**products[0], "id": 6_120_400 + number, **point})
        components = [self._component(number, kind) for number, kind in enumerate(KINDS)]
        for row in (products[-1], components[-1]):
            row["archived_at"] = self._time(400)
        components[-1]["archived"] = True
        return {
            "products": products,
            "product_families": [{**FAMILY, **self._times(), "accounting_code": None, "archived_at": None}],
            "product_price_points": [row for product in products for row in self._product_prices(product)],
            "components": components,
            "component_price_points": [row for one in components for row in self._component_prices(one)],
            "offers": [self._offer(number, products, components) for number in range(4)],
        }

    def _time(self, days: float) -> str:
        return self._stamp(self._first + timedelta(days=days))

    def _times(self) -> Row:
        age = self._fake.rng.randrange(100)
        return {"created_at": self._time(age), "updated_at": self._time(age + 40)}

    def _product(self, product: Row) -> Row:
        return {
            **product,
            "trial_price_in_cents": None,
            "trial_interval_unit": "month",
            "return_params": "",
            "update_return_url": "",
            "update_return_params": "",
            "initial_charge_after_trial": False,
            "request_billing_address": False,
            "require_billing_address": False,
            "require_shipping_address": False,
            "tax_code": "",
            "use_site_exchange_rate": True,
            "item_category": self._fake.rng.choice((None, "Business Software")),
        }

    def _product_prices(self, product: Row) -> list[Row]:
        point = product["product_price_point_id"]
        shared = {
            "price_in_cents": product["price_in_cents"],
            "interval": 1,
            "interval_unit": "month",
            "trial_price_in_cents": None,
            "trial_type": None,
            "introductory_offer": False,
            "expiration_interval_unit": "never",
            "product_id": product["id"],
            "archived_at": None,
            **self._times(),
            "use_site_exchange_rate": True,
            "tax_included": False,
        }
        price = {
            "id": point,
            "currency": "EUR",
            "price": 12.5,
            "formatted_price": "€12.50",
            "role": "baseline",
        }
        return [
            {**shared, "id": point, "name": "Default", "type": "default", "currency_prices": [price]},
            {**shared, "id": point + 1_000, "name": "Old", "type": "catalog", "archived_at": self._time(90)},
            {
                **shared,
                "id": point + 2_000,
                "name": "Theirs",
                "type": "custom",
                "subscription_id": 57_310_000,
            },
        ]

    def _component(self, number: int, kind: str) -> Row:
        name = self._fake.title()
        point = 2_954_118 + number
        flat = kind == "on_off_component"
        price = self._price(1_877_310 + number, point)
        return {
            "id": 1_877_310 + number,
            "name": name,
            "handle": slug(name),
            "pricing_scheme": None if flat else "per_unit",
            "unit_name": "seat",
            "unit_price": "6.5",
            "product_family_id": FAMILY["id"],
            "product_family_name": FAMILY["name"],
            "product_family_handle": FAMILY["handle"],
            "price_per_unit_in_cents": None,
            "kind": kind,
            "archived": False,
            "description": self._fake.rng.choice((None, self._fake.sentence())),
            "default_price_point_id": point,
            "overage_prices": [price] if kind == "prepaid_usage_component" else None,
            **({} if flat else {"prices": [price]}),
            "price_point_count": 2,
            "price_points_url": f"https://acme.example/components/{1_877_310 + number}/price_points",
            "default_price_point_name": "Auto-created",
            "taxable": False,
            "tax_code": None,
            "recurring": True,
            "upgrade_charge": self._fake.rng.choice((None, "prorated")),
            "downgrade_credit": None,
            **self._times(),
            "archived_at": None,
            "allow_fractional_quantities": kind == "quantity_based_component",
        }

    def _price(self, component: int, point: int) -> Row:
        return {
            "id": point * 3,
            "component_id": component,
            "starting_quantity": 1,
            "ending_quantity": None,
            "unit_price": "6.5",
            "price_point_id": point,
            "formatted_unit_price": "$6.50",
            "segment_id": None,
        }

    def _component_prices(self, component: Row) -> list[Row]:
        shared = {
            "pricing_scheme": component["pricing_scheme"] or "per_unit",
            "component_id": component["id"],
            "archived_at": None,
            **self._times(),
            "tax_included": False,
            "prices": [self._price(component["id"], component["default_price_point_id"])],
        }
        first = {"id": component["default_price_point_id"], "type": "default", "default": True}
        other = {"id": first["id"] + 100, "type": "custom", "subscription_id": _FIRST}
        price = {"id": first["id"], "currency": "EUR", "price": "5.25", "formatted_price": "€5.25"}
        return [
            {**shared, **first, "name": "Auto-created", "currency_prices": [price]},
            {**shared, **other, "name": "Theirs"},
        ]

    def _offer(self, number: int, products: list[Row], components: list[Row]) -> Row:
        product, component = products[number], components[1]
        item = {
            "component_id": component["id"],
            "component_name": component["name"],
            "component_unit_price": "6.5",
            "price_point_id": component["default_price_point_id"],
            "starting_quantity": "5.0",
            "editable": True,
        }
        page = {"id": 401_790 + number, "nickname": "starter", "enabled": True, "return_url": ""}
        return {
            "id": 5_521 + number,
            "site_id": 61_204,
            "product_family_id": FAMILY["id"],
            "product_family_name": FAMILY["name"],
            "product_id": product["id"],
            "product_name": product["name"],
            "product_price_in_cents": product["price_in_cents"],
            "product_revisable_number": 3,
            "product_price_point_id": product["product_price_point_id"],
            "product_price_point_name": "Default",
            "name": self._fake.title(),
            "handle": f"offer-{number}",
            "description": "",
            **self._times(),
            "archived_at": self._time(200) if number == 0 else None,
            "offer_items": [item],
            "offer_discounts": [],
            "offer_signup_pages": [{**page, "url": "https://acme.example/subscribe/b71kfq"}],
        }
