"""Checks of what a user hands to a tap, with one line for each mistake that says what to do."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from datetime import datetime, timezone
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import SplitResult, urlsplit

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_core.account import account_errors
from tap_core.batches import are_by_list
from tap_core.bookmark_scope import damaged_lists, entries
from tap_core.positions import instant, instant_or_none
from tap_core.records.values import types_of
from tap_core.redaction import first_few
from tap_core.versions import is_too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def config_errors(
    schema: Mapping[str, Any], config: Mapping[str, Any], *, key: str, prefix: str
) -> list[str]:
    """What is wrong with the settings; no line quotes a value that may be secret.

    Args:
        schema: JSON schema of the settings.
        config: The settings.
        key: Name of the setting that holds the credential.
        prefix: Beginning of the environment variables' names, as `TAP_EVENTS_`.
    """
    # Stream maps are checked where the streams are known; the SDK's schema of them is none.
    plain = {name: value for name, value in config.items() if name != "stream_maps"}
    found = cast("Any", DEFAULT_JSONSCHEMA_VALIDATOR)(schema).iter_errors(plain)
    missing = [name for name in schema.get("required", ()) if name not in config]
    errors = [
        *(_missing(name, _preset_prefix() or prefix) for name in missing),
        *(_in_words(error) for error in found if error.validator != "required"),
    ]
    return errors or [
        *_url_errors(config),
        *_key_errors(key, config),
        *_date_errors(config),
        *_number_errors(config),
        *_header_errors(config),
        *account_errors(config),
    ]


def unknown_settings(schema: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """What is set that the tap does not know, each with the setting that may have been meant."""
    known = list(schema["properties"])
    near = {name: get_close_matches(name, known, n=1) for name in config if name not in known}
    return [
        f"{name} is no setting of this tap and is ignored" + (f"; is {found[0]} meant?" if found else "")
        for name, found in near.items()
    ]


def _missing(name: str, prefix: str) -> str:
    variable = f"{prefix}{name.upper()}"
    return f"{name} is missing: set it in the config file, or as {variable} in the environment"


def _in_words(error: Any) -> str:
    rule = error.validator_value
    name = ".".join(str(part) for part in error.absolute_path) or "The config"
    types = [rule] if isinstance(rule, str) else rule
    words: dict[str, Callable[[], str]] = {
        "type": lambda: "must be " + " or ".join(_TYPES.get(name, name) for name in types if name != "null"),
        "minimum": lambda: f"must be {rule} or more",
        "maximum": lambda: f"must be {rule} or less",
        "exclusiveMinimum": lambda: f"must be more than {rule}",
        "minLength": lambda: "must not be empty",
        "enum": lambda: "must be one of " + ", ".join(str(value) for value in rule),
    }
    said = words.get(error.validator, lambda: f"breaks the rule `{error.validator}` of its setting")
    return f"{name} {said()}"


def _preset_prefix() -> str | None:
    """How Meltano begins the variables of the plugin that it runs, which may be a preset of the tap."""
    plugin = os.environ.get("MELTANO_EXTRACTOR_NAME")
    return f"{plugin.upper().replace('-', '_')}_" if plugin else None


_LAST_IN_HEADERS = 0xFF
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

_MOST_QUOTED = 80
"""Letters of a value that a line quotes."""

_EARLIEST_YEAR, _LATEST_YEAR = 1900, 9000
"""Years that leave room to reckon with days before and after."""

_TYPES = {
    "string": "a text in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def _url_errors(config: Mapping[str, Any]) -> Iterator[str]:
    url = str(config["api_url"])
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), None
    if unfilled := re.search(r"\{\w*\}", url):
        yield f"api_url holds {unfilled[0]}, which is to be filled in: with your account's own name, mostly"
    elif parts.scheme not in {"http", "https"} or not host or any(letter.isspace() for letter in url):
        yield "api_url must be a whole URL such as https://api.example.com/v2"
    elif parts.query or parts.fragment or "@" in parts.netloc:
        yield "api_url must hold no user, query or fragment: only scheme, host and path"
    elif parts.scheme == "http" and not _is_loopback(host) and not config.get("allow_insecure_http"):
        yield f"api_url would send the key in the clear to {host}: use https://, or set allow_insecure_http"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _key_errors(key: str, config: Mapping[str, Any]) -> Iterator[str]:
    value = str(config[key])
    if not value.isascii() or not value.isprintable() or value != value.strip():
        yield f"{key} holds a blank, a line break or a letter that no key has: copy it again"


def _number_errors(config: Mapping[str, Any]) -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{name} must be a number, and not {value}"


def _header_errors(config: Mapping[str, Any]) -> Iterator[str]:
    agent = str(config.get("user_agent") or "")
    if (
        not agent.isprintable()
        or agent != agent.strip()
        or max(map(ord, agent), default=0) > _LAST_IN_HEADERS
    ):
        yield "user_agent must be one line of plain text: headers take no other letters"
    for name, value in config.items():
        if name.endswith("_header") and value is not None and not _HEADER_NAME.fullmatch(str(value)):
            yield f"{name} must be a header's name: letters, digits and hyphens"


def _date_errors(config: Mapping[str, Any]) -> Iterator[str]:
    moments = []
    for name in ("start_date", "end_date"):
        if given := config.get(name):
            try:
                moments.append(instant(given))
                if not _EARLIEST_YEAR <= moments[-1].year <= _LATEST_YEAR:
                    raise ValueError  # noqa: TRY301
            except ValueError:
                yield f"{name} is no date: write it as 2026-01-31 or 2026-01-31T00:00:00Z"
                return
    if len(moments) > 1 and moments[0] >= moments[1]:
        yield "end_date must be later than start_date: rows before it are read, from start_date on"


def settings_warnings(config: Mapping[str, Any], tap: str, *, incremental: bool) -> Iterator[str]:
    """What of settings that have no errors has no effect, or one that may not be meant.

    Args:
        config: The settings.
        tap: The tap's name.
        incremental: Whether it has incremental streams.
    """
    dates = [name for name in ("start_date", "end_date") if config.get(name)]
    if dates and not incremental:
        verb = "is" if len(dates) == 1 else "are"
        yield f"{' and '.join(dates)} {verb} ignored: {tap} reads all of its streams whole"
    elif config.get("start_date") and instant(config["start_date"]) > datetime.now(timezone.utc):
        yield "start_date lies in the future: streams that heed it read nothing yet"
    every = config.get("full_read_every")
    if dates and incremental and every:
        yield f"full_read_every is ignored: with {' and '.join(dates)}, no read is whole"
    if config.get("children_since") is not None and not every:
        yield "children_since without full_read_every: what changes in older lists is never seen"
    if are_by_list(config) and config.get("emit_activate_version_messages"):
        yield "emit_activate_version_messages is ignored: batches of JSON lines and Parquet carry no version"


def state_errors(state: Any) -> list[str]:
    """What is wrong with a STATE."""
    if not isinstance(state, dict):
        return ["state: the file holds no JSON object; give the last STATE's value, or start without --state"]
    bookmarks = state.get("bookmarks", {})
    entries = bookmarks.values() if isinstance(bookmarks, dict) else [None]
    if not all(isinstance(entry, dict) for entry in entries):
        return ["state: `bookmarks` must be an object with an object for each stream; start without --state"]
    return []


def state_warnings(state: Mapping[str, Any], streams: Mapping[str, Any], tap: str) -> Iterator[str]:
    """What of a STATE the tap passes over.

    Args:
        state: The STATE, which has no errors.
        streams: The tap's streams by name.
        tap: Its name.
    """
    if state and "bookmarks" not in state:
        yield "state: it has no `bookmarks`, so that the run begins without one"
    names = list(state.get("bookmarks", {}))
    unknown = first_few([name for name in names if name not in streams])
    if names and not set(names) & set(streams):
        yield f"state: it holds no stream of {tap} but {unknown}: is it another tap's?"
    elif unknown:
        yield f"state: {unknown}: no stream of {tap}; the bookmark is kept and not used"
    for name in names:
        if name in streams and is_too_large(state["bookmarks"][name].get("version")):
            yield f"state: {name}: `version` is larger than targets can hold; it is ignored"
        if name in streams and (damaged := damaged_lists(state["bookmarks"][name])):
            yield f"state: {name}: {damaged} is no object; it is ignored"
        key = streams[name].replication_key if name in streams and streams[name].selected else None
        if key and (foreign := _foreign(state["bookmarks"][name], key)):
            yield f"state: {name}: read from the start, as {foreign}"


def _foreign(entry: Mapping[str, Any], key: str) -> str:
    """Why a stream's entry has no bookmark of the stream's, though it has one; empty if it has its own."""
    value, of = entry.get("replication_key_value"), entry.get("replication_key")
    if value not in (None, "") and of == key:
        return ""
    if value not in (None, ""):
        return (
            f"its bookmark is of `{of}` and not of `{key}`" if of else "its bookmark lacks `replication_key`"
        )
    found = next((name for name in ("partitions", "progress_markers", key) if entry.get(name)), "")
    return f"`{found}` is no bookmark of this tap's" if found else ""


def bookmark_errors(state: Mapping[str, Any], streams: Mapping[str, Any]) -> Iterator[str]:
    """Which bookmarks of a STATE can't be ones of their streams.

    Args:
        state: The STATE, which has no errors.
        streams: The tap's streams by name.
    """
    found = [(name, entry) for name, whole in state.get("bookmarks", {}).items() for entry in entries(whole)]
    for name, entry in found:
        key = streams[name].replication_key if name in streams else None
        value = entry.get("replication_key_value")
        if not key or entry.get("replication_key") != key or value in (None, ""):
            continue
        bookmark = f"state: {name}: the bookmark {repr(value)[:_MOST_QUOTED]} of `{key}`"
        if "integer" in types_of(streams[name].schema["properties"].get(key, {})):
            if type(value) is not int:
                yield f"{bookmark} is no whole number; correct or remove it"
            continue
        if instant_or_none(value) is None:
            yield f"{bookmark} is no date and time; correct or remove it"
