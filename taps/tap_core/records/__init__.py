"""From bytes to typed records to Singer messages."""
