"""One JSON schema per stream."""
