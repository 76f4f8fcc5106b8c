"""The files that a BATCH message names."""

from __future__ import annotations

from urllib.parse import unquote

from upath import UPath


def named_file(name: str) -> UPath:
    """The file of a URL or a path: as it is written or, where no file of this machine is called so, decoded.

    SDKs write paths as they are in some URLs, and in others, as `file:///a%20b/c%3D1.jsonl`, encoded.
    """
    path = UPath(name)
    return UPath(unquote(name)) if name.startswith("file:") and not path.exists() else path
