"""`python -m tap_scheduling`."""

from tap_scheduling.tap import TapScheduling

TapScheduling.cli()
