"""Singer tap for scheduling: event types, bookings, schedules, calendars, conferencing apps."""
