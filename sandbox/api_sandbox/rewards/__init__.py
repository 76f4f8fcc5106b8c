"""The rewards API: orders of an organization, the rewards in them, and the ledger."""
