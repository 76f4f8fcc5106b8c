"""`python -m tap_promotions`."""

from tap_promotions.tap import TapPromotions

TapPromotions.cli()
