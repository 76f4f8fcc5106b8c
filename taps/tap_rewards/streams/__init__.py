"""The endpoints of the rewards API, by what they are about."""
