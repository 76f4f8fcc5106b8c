"""Runs that claim deletes by versions, and what they claimed."""

from __future__ import annotations

from in_process import call, select
from json_api import JsonApi

CLAIMS = {"emit_activate_version_messages": True, "concurrency": 1}


def versions(output):
    """The versions that are whole, and those that records have, by stream."""
    whole, seen = {}, {}
    for message in output.messages:
        if message["type"] == "ACTIVATE_VERSION":
            whole[message["stream"]] = message["version"]
        elif message["type"] == "RECORD":
            seen.setdefault(message["stream"], set()).add(message.get("version"))
    return whole, seen


def read(tap, folder, handle, *streams, **more):
    with JsonApi(handle) as api:
        return call(tap, folder, url=api.url, catalog=select(tap, *streams), **{**CLAIMS, **more})
