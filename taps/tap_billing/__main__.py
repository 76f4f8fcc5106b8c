"""`python -m tap_billing`."""

from tap_billing.tap import TapBilling

TapBilling.cli()
