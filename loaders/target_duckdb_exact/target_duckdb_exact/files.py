"""The files that a BATCH message names."""

from __future__ import annotations

import contextlib
import errno
import os
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
from upath import UPath

from target_duckdb_exact.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BROKEN = (OSError, EOFError, ValueError, zlib.error, pa.ArrowException)
"""What the readers of all formats raise at a file that is none of theirs, or was cut off."""


def encoding(message: Mapping[str, Any]) -> tuple[Any, Any]:
    """Format and compression of a BATCH message's files."""
    told = message.get("encoding")
    return (told.get("format"), told.get("compression")) if isinstance(told, dict) else (None, None)


def manifest(message: Mapping[str, Any]) -> list[str]:
    """The names of a BATCH message's files.

    Raises:
        LoadError: There is no list of them: rows would be lost, and STATE passed on.
    """
    stream, names = message.get("stream"), message.get("manifest")
    if names is None:
        raise LoadError(f"{stream}: a BATCH message has no manifest, the list of its files")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise LoadError(f"{stream}: the manifest of a BATCH message is no list of texts")
    return names


def named_file(name: str) -> UPath:
    """The file of a URL or a path: as it is written or, where no file of this machine is called so, decoded.

    SDKs write paths as they are in some URLs, and in others, as `file:///a%20b/c%3D1.jsonl`, encoded.

    Raises:
        OSError: Nothing here reads files of such a URL.
    """
    try:
        path = UPath(name)
        _ = path.fs  # made when it is asked for
    except (ImportError, ValueError) as error:  # as `Install s3fs to access S3`
        raise OSError(errno.EPROTONOSUPPORT, str(error)) from None
    return UPath(unquote(name)) if name.startswith("file:") and not path.exists() else path


def short_name(name: str) -> str:
    """A file's name for messages: of a URL without its query, which can hold a signature."""
    return name.partition("?")[0].rpartition("/")[2]


@contextlib.contextmanager
def failures_told(stream: str, name: str, form: str) -> Iterator[None]:
    """Tell of a file that can't be read, without a word of what it holds.

    Raises:
        LoadError: It can't.
    """
    try:
        yield
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or f"it is no whole {form} file"
        raise LoadError(f"{stream}: {short_name(name)} of a BATCH message can't be read ({reason})") from None


@contextlib.contextmanager
def file_for_arrow(name: str) -> Iterator[pa.NativeFile]:
    """A file that Arrow reads by itself where it can.

    A thread of Arrow's that still holds a file of Python's when the interpreter ends would abort it.
    """
    path = named_file(name)
    with path.open("rb") as file:
        if not isinstance(path, os.PathLike):  # not of this machine
            yield pa.PythonFile(file)
            return
        with pa.OSFile(os.fspath(path)) as own:
            yield own
