"""The endpoints of the billing API: what a site sells, and at which prices. Short lists, read whole."""

from __future__ import annotations

from typing_extensions import override

from tap_billing.client import DATES, FILTER_DATES, BillingStream
from tap_core import WholeList
from tap_core.paging.places import ByNumber


class Products(BillingStream):
    """One row per product, archived ones included, at the price of its default price point.

    Read whole: nothing says that a change of a product's pages or prices moves `updated_at`. The `url` of a
    sign-up page opens it without a login.
    """

    name = "products"
    path = "/products.json"
    wrapper = "product"
    filters = (*DATES, "filter[ids]", "filter[use_site_exchange_rate]")
    params = {"include_archived": "true"}


class ProductFamilies(BillingStream):
    """One row per family of products and components."""

    name = "product_families"
    path = "/product_families.json"
    wrapper = "product_family"
    filters = DATES

    @override
    def get_new_paginator(self) -> WholeList:
        """One request: pages are documented nowhere, and page 2 may be page 1 again, without an end."""
        return WholeList(ByNumber())


class PricePoints(BillingStream):
    """What price points of products and of components have in common."""

    records_jsonpath = "$.price_points[*]"
    # By default, custom ones are left out; and prices in other currencies come only if asked for.
    params = {"direction": "asc", "filter[type]": "catalog,default,custom", "include": "currency_prices"}
    filters = (*FILTER_DATES, "filter[ids]", "filter[archived_at]")


class ProductPricePoints(PricePoints):
    """One row per price point of a product, custom and archived ones included, with all currencies."""

    name = "product_price_points"
    path = "/products_price_points.json"


class Components(BillingStream):
    """One row per component that can be added to a subscription, archived ones included."""

    name = "components"
    path = "/components.json"
    wrapper = "component"
    filters = (*DATES, "filter[ids]", "filter[use_site_exchange_rate]")
    params = {"include_archived": "true"}


class ComponentPricePoints(PricePoints):
    """One row per price point of a component, custom and archived ones included, with all currencies."""

    name = "component_price_points"
    path = "/components_price_points.json"


class Offers(BillingStream):
    """One row per offer, a product with components and coupons, archived ones included.

    The `url` of a sign-up page opens it without a login.
    """

    name = "offers"
    path = "/offers.json"
    records_jsonpath = "$.offers[*]"
    params = {"include_archived": "true"}
    may_be_missing = True
