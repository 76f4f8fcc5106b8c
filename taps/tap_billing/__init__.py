"""Singer tap for subscription billing: customers, subscriptions, invoices, coupons, transactions."""
