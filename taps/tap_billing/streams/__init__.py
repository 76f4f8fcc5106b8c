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

STREAMS = (
    Customers,
    Subscriptions,
    Invoices,
    Coupons,
    Transactions,
    Site,
    Products,
    ProductFamilies,
    ProductPricePoints,
    Components,
    ComponentPricePoints,
    Offers,
    SubscriptionComponents,
    Usages,
    Allocations,
    SubscriptionGroups,
    PaymentProfiles,
    Events,
    InvoiceEvents,
    CreditNotes,
    ProformaInvoices,
    Statements,
    LegacyInvoices,
    ReasonCodes,
    SubscriptionMetafields,
    CustomerMetafields,
    SubscriptionMetadata,
    CustomerMetadata,
)
"""All streams, in the order in which they are listed and read."""
