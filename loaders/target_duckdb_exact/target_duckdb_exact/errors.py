"""What ends a load, in words for the one who runs it."""

from __future__ import annotations


class LoadError(Exception):
    """The load can't go on; the text is one line, and holds no value of any row."""
