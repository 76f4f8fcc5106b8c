"""The billing API: customers, subscriptions, invoices, coupons and transactions of a site."""
