"""`python -m tap_events`."""

from tap_events.tap import TapEvents

TapEvents.cli()
