"""`python -m tap_rewards`."""

from tap_rewards.tap import TapRewards

TapRewards.cli()
