"""What each tap's `--discover` says, one field a line: a change of keys or types is seen in the diff."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from suite import alternatives, types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_core.tap import ApiTap

FOLDER = "tests/docs/discovered"


def snapshot(tap: type[ApiTap]) -> str:
    """The catalog that a tap has by itself, as JSON: of each stream the keys, and each field with its type.

    `date-time?` can be null; `customer.id` is in an object, `lines[].id` in each one of a list.
    """
    catalog = tap(config={}, validate_config=False, setup_mapper=False).catalog_dict
    return (
        json.dumps({entry["tap_stream_id"]: _stream(entry) for entry in catalog["streams"]}, indent=1) + "\n"
    )


def _stream(entry: Mapping[str, Any]) -> dict[str, Any]:
    (root,) = (part["metadata"] for part in entry["metadata"] if not part["breadcrumb"])
    return {
        "keys": ", ".join(entry["key_properties"]),
        "replication_key": entry.get("replication_key"),
        "selected_by_default": root["selected-by-default"],
        "fields": dict(_fields(entry["schema"], "")),
    }


def _fields(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for part in (schema, *alternatives(dict(schema))):
        for name, field in part.get("properties", {}).items():
            yield prefix + name, _type(field)
            yield from _fields(field, f"{prefix}{name}.")
            if items := field.get("items"):
                yield f"{prefix}{name}[]", _type(items)
                yield from _fields(items, f"{prefix}{name}[].")


def _type(field: dict[str, Any]) -> str:
    """The JSON types of a field, with a question mark where it can be null."""
    named = [field.get("format", name) if name == "string" else name for name in types(field)]
    nullable = any("null" in one.get("type", ()) for one in (field, *alternatives(field)))
    return "|".join(named) + "?" * nullable
