"""Runs Meltano for many accounts: reads `accounts.yml`, and runs each of its units."""
