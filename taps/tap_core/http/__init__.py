"""Requests: the client, its retries and limits, and what is fetched ahead."""
