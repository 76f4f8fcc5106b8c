"""The endpoints of the scheduling API, by whose they are."""
