"""What the taps share: requests to records to Singer messages. Knows no vendor."""
