"""Singer tap for event management: events, attendees, tickets, orders."""
