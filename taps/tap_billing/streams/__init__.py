"""The endpoints of the billing API, by what they are about."""

from tap_billing.streams.consumption import Allocations, SubscriptionComponents, Usages
from tap_billing.streams.customers import Coupons, Customers, Subscriptions
from tap_billing.streams.invoicing import (
    CreditNotes,
    InvoiceEvents,
    Invoices,
    LegacyInvoices,
    ProformaInvoices,
    Statements,
    Transactions,
)
from tap_billing.streams.offerings import (
    ComponentPricePoints,
    Components,
    Offers,
    ProductFamilies,
    ProductPricePoints,
    Products,
)
from tap_billing.streams.site import (
    CustomerMetadata,
    CustomerMetafields,
    Events,
    PaymentProfiles,
    ReasonCodes,
    Site,
    SubscriptionGroups,
    SubscriptionMetadata,
    SubscriptionMetafields,
)

SUBJECTS = {
    "Customers and subscriptions": (
        Customers,
        Subscriptions,
        SubscriptionGroups,
        PaymentProfiles,
        ReasonCodes,
    ),
    "What is sold": (
        Products,
        ProductFamilies,
        ProductPricePoints,
        Components,
        ComponentPricePoints,
        Offers,
        Coupons,
    ),
    "Components in use": (SubscriptionComponents, Usages, Allocations),
    "Invoices and payments": (Invoices, InvoiceEvents, CreditNotes, ProformaInvoices),
    "Legacy statement billing": (Statements, LegacyInvoices, Transactions),
    "Custom fields": (SubscriptionMetafields, SubscriptionMetadata, CustomerMetafields, CustomerMetadata),
    "The site": (Site, Events),
}
"""All streams by what they are about."""
