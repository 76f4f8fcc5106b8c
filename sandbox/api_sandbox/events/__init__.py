"""The events API: an organizer's events, their tickets, buyers and guests."""
