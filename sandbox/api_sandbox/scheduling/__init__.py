"""The scheduling API: a person's kinds of meeting, calendars and bookings."""
