"""Catalogs: whether one can be read, and what it says of a stream, settled before anything is requested."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.singerlib import Schema
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    REPLICATION_INCREMENTAL,
    CatalogEntry,
    Metadata,
)

from tap_core.account import ACCOUNT, account_columns, without_account
from tap_core.errors import raise_first
from tap_core.records.values import types_of
from tap_core.redaction import brief, first_few

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.singerlib import Catalog

_METHODS = (REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL)
_Type = Literal["array", "boolean", "integer", "null", "number", "object", "string"]
_RULES = (
    *("allOf", "anyOf", "oneOf", "enum", "pattern", "patternProperties", "required"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
)
"""What a schema can ask of values beyond their types: no tap says any of it, and no record is held to it."""

_NEW_ONE = "make a new one with --discover"


class _Field(msgspec.Struct):
    """A schema, as far as it is looked into."""

    type: _Type | list[_Type] | UnsetType = UNSET
    format: str | UnsetType = UNSET
    properties: dict[str, _Field] | UnsetType = UNSET
    items: _Field | UnsetType = UNSET
    anyOf: list[_Field] | UnsetType = UNSET  # noqa: N815  the name that schemas have for it
    oneOf: list[_Field] | UnsetType = UNSET  # noqa: N815
    required: list[str] | UnsetType = UNSET


class _Facts(msgspec.Struct, rename="kebab"):
    """What the metadata say of a stream or a field."""

    inclusion: str | None = None
    selected: bool | None = None
    selected_by_default: bool | None = None
    table_key_properties: list[str] | None = None
    replication_key: str | None = None
    replication_method: str | None = None
    forced_replication_method: str | None = None


class _Metadata(msgspec.Struct):
    breadcrumb: list[str]
    metadata: _Facts


class _Entry(msgspec.Struct):
    """What an entry of a catalog must look like; what is not named here can be anything."""

    stream: str | None = None
    schema: _Field | UnsetType = UNSET
    key_properties: list[str] | None = None
    replication_key: str | None = None
    replication_method: str | None = None
    metadata: list[_Metadata] | UnsetType = UNSET


def catalog_errors(catalog: Any) -> list[str]:
    """What is wrong with a catalog's form."""
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(streams, list):
        return [f"catalog: the file has no list `streams`; {_NEW_ONE}"]
    for stream in streams:
        name = stream.get("tap_stream_id") if isinstance(stream, dict) else None
        if not isinstance(name, str):
            return [f"catalog: a stream has no `tap_stream_id`; {_NEW_ONE}"]
        try:
            place = _misplaced(stream, _Entry)
        except RecursionError:
            return [f"catalog: {name} is nested too deep; {_NEW_ONE}"]
        except UnicodeError:
            return [f"catalog: {name} has half a character in it (a lone surrogate); {_NEW_ONE}"]
        if place:
            return [f"catalog: {name}: `{place}` is not what a catalog has there; {_NEW_ONE}"]
    return []


def _misplaced(entry: Any, kind: type) -> str | None:
    """Where a value is not of a kind, as names and places between dots; None if it is."""
    try:
        msgspec.convert(entry, kind)
    except msgspec.ValidationError as error:
        _, _, where = str(error).partition(" - at `$")
        path, found = [], entry
        for step in re.findall(r"[\w-]+|\.{3}", where):
            is_any = step == "..."  # one of the fields of an object
            name = (
                next(one for one in found if _misplaced(found[one], _Field) is not None) if is_any else step
            )
            path.append(name)
            found = found[int(name)] if isinstance(found, list) else found[name]
        return ".".join(path)
    return None


def with_methods(catalog: Mapping[str, Any], logger: logging.Logger) -> dict[str, Any]:
    """A catalog with the replication method that holds for each stream where the SDK looks for it.

    A forced one holds whatever else is said; then what the metadata say, then the entry itself.
    """
    settled = {**catalog, "streams": [dict(entry) for entry in catalog["streams"]]}
    for entry in settled["streams"]:
        entry["metadata"] = [
            {**found, "metadata": {**found["metadata"]}} for found in entry.get("metadata", [])
        ]
        roots = [found["metadata"] for found in entry["metadata"] if not found["breadcrumb"]]
        root = roots[-1] if roots else {}
        forced, wanted = root.get("forced-replication-method"), root.get("replication-method")
        if forced and wanted and forced != wanted:
            logger.warning(
                "catalog: %s: replication-method %s is ignored, as forced-replication-method is %s",
                *(entry["tap_stream_id"], wanted, forced),
            )
        method = forced or wanted
        entry["replication_method"] = method or entry.get("replication_method")
        if method == REPLICATION_FULL_TABLE:
            entry["replication_key"] = root["replication-key"] = None
    return settled


def complete_catalog(catalog: Catalog, streams: Iterable[Any], logger: logging.Logger) -> None:
    """Make a catalog say all that holds for the streams of a tap; those that it leaves out are deselected.

    Args:
        catalog: What the user gave, which is changed.
        streams: The streams as the tap knows them.
        logger: Told of streams in the catalog that the tap does not have.

    Raises:
        ApiError: The catalog asks for what can't be done.
    """
    known = {stream.name: stream for stream in streams}
    if unknown := [name for name in catalog if name not in known]:
        logger.warning("catalog: there is no stream %s: ignored", first_few(unknown))
    for name in unknown:
        del catalog[name]
    for name, stream in known.items():
        if name not in catalog:
            catalog[name] = CatalogEntry(name, stream.metadata, Schema.from_dict(stream.schema))
            stream.metadata.root.selected = False
        _complete(catalog[name], stream, logger)


def _complete(entry: CatalogEntry, stream: Any, logger: logging.Logger) -> None:
    """What an entry leaves out is as the tap knows it, fields that are newer than the catalog too."""
    schema = stream.without_secrets(entry.schema.to_dict())
    known = stream.schema["properties"]
    given = {name: field for name, field in schema.get("properties", {}).items() if name != ACCOUNT}
    fields = schema["properties"] = {**known, **given}
    entry.schema = Schema.from_dict(schema)
    renamed, entry.stream = entry.stream, stream.name
    root = entry.metadata.root
    said = [found and without_account(found) for found in (root.table_key_properties, entry.key_properties)]
    own_keys = without_account(stream.primary_keys)
    keys = [*account_columns(stream.config), *_edited(own_keys, *said)]
    entry.key_properties = keys
    for name in {*keys, *stream.primary_keys, *stream.fields_for_children} & fields.keys():
        entry.metadata["properties", name].inclusion = Metadata.InclusionType.AUTOMATIC
    key = _edited(stream.replication_key, root.replication_key, entry.replication_key)
    method = entry.replication_method
    if not method or (method == stream.replication_method and key != stream.replication_key):
        method = REPLICATION_INCREMENTAL if key else REPLICATION_FULL_TABLE
    selection = entry.metadata.resolve_selection()
    if selection.get((), True):
        if renamed not in (None, stream.name):
            text = "catalog: %s: `stream` is ignored: `__alias__` in stream_maps has rows written as %s"
            logger.warning(text, stream.name, brief(renamed, 80))
        for place, rule in _rules({**schema, "properties": given}):
            if selection["properties", place.split(".")[0]]:
                logger.warning(
                    "catalog: %s: %s has the rule `%s`: it goes into SCHEMA, but no record is held to it",
                    *(stream.name, f"`{place}`" if place else "its schema", rule),
                )
        problems = list[str]()
        if own_keys and (said[0] == [] or (said[1] == [] and not said[0])):
            problems.append(
                "table-key-properties is empty: `__key_properties__` in stream_maps takes keys away"
            )
        problems += [f"table-key-properties: {problem}" for problem in key_problems(keys, fields)]
        problems += _method_problems(method, key, fields, entry, stream)
        raise_first(problems, prefix=f"catalog: {stream.name}: ")
    entry.replication_method = method
    entry.replication_key = root.replication_key = key if method == REPLICATION_INCREMENTAL else None


def _edited(own: Any, *said: Any) -> Any:
    """What is said that differs from what the tap says of itself, as its own stands in every catalog."""
    return next((found for found in said if found and found != own), own)


def _rules(schema: Mapping[str, Any], *path: str) -> Iterator[tuple[str, str]]:
    """The places of a schema that ask for more than a type, each with what it asks for."""
    yield from ((".".join(path), rule) for rule in _RULES if schema.get(rule, []) != [])
    for name, field in schema.get("properties", {}).items():
        yield from _rules(field, *path, name)
    for word in ("items", "additionalProperties"):
        if isinstance(inner := schema.get(word), dict):
            yield from _rules(inner, *path, word)


def key_problems(keys: Sequence[str], fields: Mapping[str, Any]) -> Iterator[str]:
    """Why fields can't be a table's key, given the schemas of all fields."""
    for at, name in enumerate(keys):
        if name not in fields:
            yield f"`{name}` is no field of it"
        elif name in keys[:at]:
            yield f"`{name}` is in it twice"
        elif {"array", "object"} & {*types_of(fields[name])}:
            yield f"`{name}` is an object or a list, and no key"


def _method_problems(
    method: str, key: str | None, fields: Mapping[str, Any], entry: CatalogEntry, stream: Any
) -> Iterator[str]:
    if method == REPLICATION_FULL_TABLE:
        return
    field = fields.get(key or "")
    if method not in _METHODS:
        yield f"replication-method {method} is not possible; {' and '.join(_METHODS)} are"
    elif not key:
        yield f"replication-method {method} needs a `replication-key`"
    elif stream.parent_stream_type and key != stream.replication_key:
        yield f"replication-key `{key}` is not possible, as it has a list for each of its parents"
    elif field is None:
        yield f"replication-key `{key}` is no field of it"
    elif not _has_order(field):
        yield f"replication-key `{key}` is no time and no whole number"
    elif not entry.metadata.resolve_selection()["properties", key]:
        yield f"replication-key `{key}` is deselected: select it, or set replication-method FULL_TABLE"


def _has_order(field: Mapping[str, Any]) -> bool:
    return field.get("format") in {"date", "date-time"} or set(types_of(field)) - {"null"} == {"integer"}


def deselect(streams: Iterable[Any]) -> None:
    """Leave streams out, whatever the catalog says of them."""
    for stream in streams:
        stream.metadata.root.inclusion = Metadata.InclusionType.AVAILABLE
        stream.selected = False


def selected_schemas(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """The schema of each stream that is selected, of the fields that are."""
    selections = {entry.tap_stream_id: entry.metadata.resolve_selection() for entry in catalog.streams}
    schemas = {
        name: catalog[name].schema.to_dict() for name, mask in selections.items() if mask.get((), True)
    }
    for name, schema in schemas.items():
        if not all(selections[name].values()):  # the SDK copies all of a schema to take something out
            schemas[name] = get_selected_schema(name, schema, selections[name])
    return schemas
