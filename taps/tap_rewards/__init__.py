"""Singer tap for rewards and gift cards: orders, rewards, invoices, the balance's ledger."""
