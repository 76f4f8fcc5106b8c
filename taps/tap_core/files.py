"""Config, catalog and state files as people and programs leave them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tap_core.errors import ApiError
from tap_core.redaction import brief

if TYPE_CHECKING:
    import logging

_MARK = "\ufeff"
"""The byte order mark; it begins a later line where files were joined."""

_PARTS = ("completed", "partial")
"""What `meltano state get` prints: the state of the last run that ended well, and of those after it."""


def read_config(paths: tuple[str, ...]) -> dict[str, Any]:
    """The settings of one or more config files, the later ones first in rank.

    Raises:
        ApiError: A file can't be read or holds no object.
    """
    config: dict[str, Any] = {}
    for path in paths:
        what = f"config: {path}"
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ApiError(unopened("config", path, error)) from None
        content = _parsed(_text(data, what), what)
        if not isinstance(content, dict):
            raise ApiError(f"{what} must hold a JSON object of settings")
        config |= content
    return config


def unopened(what: str, given: str, error: BaseException | None) -> str:
    """Why a file can't be opened; what may be its content, or a key, is not quoted.

    Args:
        what: What the file is for: `config`.
        given: What was given as its path.
        error: What opening it failed with.
    """
    if given.lstrip().startswith(("{", "[")):
        return f"{what}: give the path of a file, not its content"
    name = given if given.endswith(".json") else "the file"
    return f"{what}: {name} can't be read ({getattr(error, 'strerror', None)})"


def read_catalog(file: IO[Any]) -> Any:
    """What a catalog file holds.

    Raises:
        ApiError: It is no JSON.
    """
    return _parsed(_text(_data(file, "catalog"), "catalog"), "catalog")


def read_state(file: IO[Any], logger: logging.Logger) -> Any:
    """The value of the last STATE that a file holds.

    It may stand alone, in a STATE message, behind lines of others, or in what `meltano state get` prints; and
    be indented. An empty file is no state.

    Raises:
        ApiError: It holds no JSON, or a message of another kind.
    """
    text = _text(_data(file, "state"), "state").strip()
    if not text:
        logger.warning("state: the file is empty; the run begins without one")
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        # `splitlines` would split at ends of lines that JSON's texts can hold.
        last = re.split(f"[\r\n](?={_MARK}?{{)", text)[-1]
        lines_before = text[: -len(last)].count("\n")  # so that a mistake is named with its place in the file
        found = _parsed("\n" * lines_before + last.removeprefix(_MARK), "state")
    if isinstance(found, dict) and "type" in found:
        if found["type"] != "STATE":
            raise ApiError(f"state: its last line is no STATE but {brief(found['type'], 20)!r}")
        found = found.get("value")
    return _unpacked(found)


def _unpacked(found: Any) -> Any:
    """The state in what `meltano state get` prints: what runs wrote that were cut short comes on top."""
    if not isinstance(found, dict) or "bookmarks" in found:
        return found
    if found.keys() & set(_PARTS):
        state: dict[str, Any] = {}
        for part in map(found.get, _PARTS):
            if part is not None:
                unpacked = _unpacked(part)
                if not isinstance(unpacked, dict):
                    return unpacked
                _merge(unpacked, state)
        return state
    return found.get("singer_state", found)


def _merge(new: dict[str, Any], old: dict[str, Any]) -> None:
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(name), dict):
            _merge(value, old[name])
        else:
            old[name] = value


def _data(file: IO[Any], what: str) -> bytes:
    try:
        content = file.read()
    except OSError as error:
        raise ApiError(f"{what}: the file can't be read ({error.strerror})") from None
    return content if isinstance(content, bytes) else str(content).encode()


def _text(data: bytes, what: str) -> str:
    """The text of a file; a mark at its beginning that says it is UTF-8, as some editors write, goes."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        coding = json.detect_encoding(data).upper() if data else ""
        found = f" but {coding}" if coding.startswith(("UTF-16", "UTF-32")) else ""
        raise ApiError(f"{what} is no UTF-8 text{found}: save it as UTF-8")
    return text


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ApiError(f"{what} is nested too deep") from None
    except ValueError as error:
        raise ApiError(f"{what} is no JSON: {error}") from None
