"""Checks of `stream_maps` and flattening, before the SDK takes them and raises all sorts of things."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import defaultdict
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.helpers._flattening import FlatteningOptions, flatten_key
from singer_sdk.mapper import NULL_STRING, RemoveRecordTransform

from tap_core.account import account_map_errors
from tap_core.catalog import key_problems, selected_schemas
from tap_core.redaction import brief
from tap_core.selection import did_you_mean
from tap_core.settings import RECEIPT
from tap_core.typed_maps import TypedMap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from singer_sdk.mapper import PluginMapper
    from singer_sdk.singerlib import Catalog

FUNCTIONS = frozenset(object.__new__(TypedMap).functions)  # they are of the class, not of a map
"""What an expression can call: as the installed SDK has it."""

_OWN_NAME = "__stream_name__"
_NAMES = {"_", "record", "config", "fake", _OWN_NAME, "__original_stream_name__"}
"""What an expression can use besides the fields of the record, and `self` where its own is one of them."""

MAPS_FAIL = (
    *(MapExpressionError, StreamMapConfigError),
    *(ArithmeticError, LookupError, NotImplementedError, TypeError, ValueError),
)
"""What the SDK raises for stream maps and flattening that make no sense."""

KEY_LENGTH = "flattening_max_key_length"
"""Name of the setting."""

_LONGEST = 63
"""Letters in a column's name in PostgreSQL, which takes fewer than most databases."""

_ELSE, _FILTER, _ALIAS, _KEYS = "__else__", "__filter__", "__alias__", "__key_properties__"
_SOURCE = "__source__"
_OTHER_RULES = {_ELSE, _ALIAS, _SOURCE, _KEYS}
_NULLS = (None, NULL_STRING)
_WORD = re.compile("__.*__")
_PLAIN_NAME = re.compile(r"[\w./-]+")

_AS_IT_IS = FlatteningOptions(enabled=False)


def with_short_names(setting: dict[str, Any]) -> dict[str, Any]:
    """The setting of how long names may be that flattening makes, which the SDK lets be 255 letters long."""
    text = (
        "Letters that a name made by flattening may have; longer ones have their first parts shortened. "
        f"PostgreSQL takes {_LONGEST}."
    )
    return {**setting, "description": text, "default": _LONGEST}


def mapping_errors(config: Mapping[str, Any], catalog: Catalog) -> Iterator[str]:
    """What is wrong with the settings that change records, given what is read."""
    maps = config.get("stream_maps", {})
    if maps == {} and not config.get("flattening_enabled"):
        return  # the schemas of all streams take a tenth of a second
    schemas = selected_schemas(catalog)
    fields = {name: schema["properties"] for name, schema in schemas.items()}
    yield from map_errors(maps, fields, catalog)
    yield from account_map_errors(maps) if config.get("account") else ()
    written = {name: schema for name, schema in schemas.items() if not _takes_away(maps, name)}
    yield from flattening_errors(config, written)


def map_errors(maps: Any, fields: Mapping[str, Collection[str]], streams: Collection[str]) -> Iterator[str]:
    """Mistakes in `stream_maps`; what they say of streams that are not read does not matter.

    Args:
        maps: The setting.
        fields: Names of the fields that are read of each stream that is.
        streams: Names of all streams.
    """
    if not isinstance(maps, dict):
        yield "stream_maps must be an object: null, or an object of expressions, for each stream"
        return
    for name, given in maps.items():
        rules = {} if given in _NULLS else given
        if name == _ELSE:
            if given not in _NULLS:
                yield f"stream_maps: `{_ELSE}` can only be null"
            continue
        if not isinstance(rules, dict):
            yield f"stream_maps: {name}: must be null, or an object with an expression for each field"
            continue
        source = str(rules.get(_SOURCE, name))
        meant = [stream for stream in streams if stream == source or fnmatch(stream, source)]
        if not meant:
            yield f"stream_maps: {source}: no stream of that name{did_you_mean(source, streams)}"
        for stream in (stream for stream in meant if stream in fields):
            yield from _rule_errors(name, rules, fields[stream])


def register_maps(mapper: PluginMapper, catalog: Catalog) -> list[str]:
    """Give each stream its maps: one that is not read, and may lack even its key's fields, has none.

    One that is not written is not flattened either.

    Returns:
        Names of the streams that are selected, and of which their maps leave nothing.

    Raises:
        Exception: One of `MAPS_FAIL`: they make no sense.
    """
    schemas, maps, flattening = selected_schemas(catalog), mapper.stream_maps_dict, mapper.flattening_options
    # The SDK has taken that one out of them.
    otherwise = {_ELSE: None} if mapper.default_mapper_type is RemoveRecordTransform else {}
    taken_away = [name for name in schemas if _takes_away({**maps, **otherwise}, name)]
    for entry in catalog.streams:
        name = entry.tap_stream_id
        schema = schemas.get(name)
        mapper.stream_maps_dict = {} if schema is None else maps
        mapper.flattening_options = _AS_IT_IS if schema is None or name in taken_away else flattening
        mapper.register_raw_stream_schema(name, schema or entry.schema.to_dict(), entry.key_properties)
    mapper.stream_maps_dict, mapper.flattening_options = maps, flattening
    return taken_away


def _takes_away(maps: Mapping[str, Any], stream: str) -> bool:
    """Whether maps leave nothing of a stream: of those that are no copies the last one holds."""
    own = maps.get(_ELSE, {})
    for name, rules in maps.items():
        is_copy = isinstance(rules, dict) and _SOURCE in rules
        if not fnmatch(stream, str(rules[_SOURCE]) if is_copy else name):
            continue
        if is_copy:
            return False
        own = rules
    return own in _NULLS


def filters_of(maps: Mapping[str, Any], stream: str) -> dict[str, Any]:
    """The filters of a stream's maps, and of copies of it, by map; the maps have no errors."""
    filtering = {name: rules for name, rules in maps.items() if isinstance(rules, dict) and _FILTER in rules}
    return {
        name: rules[_FILTER]
        for name, rules in filtering.items()
        if fnmatch(stream, str(rules.get(_SOURCE, name)))
    }


def _rule_errors(name: str, rules: Mapping[str, Any], fields: Collection[str]) -> Iterator[str]:
    if rules.get(_ELSE) not in _NULLS:
        yield f"stream_maps: {name}: `{_ELSE}` can only be null"
    if _ALIAS in rules and (problem := _alias_problem(rules)):
        yield f"stream_maps: {name}: `{_ALIAS}` {problem}"
    keys = rules.get(_KEYS)
    if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
        yield f"stream_maps: {name}: `{_KEYS}` must be null or a list of names"
    words = {*_OTHER_RULES, _FILTER}
    for field, expression in rules.items():
        if _WORD.fullmatch(field) and field not in {*words, *fields}:
            yield f"stream_maps: {name}: `{field}` has no meaning{did_you_mean(field, words)}"
        if field in _OTHER_RULES or (field != _FILTER and expression in _NULLS):
            continue
        known = {*fields, *FUNCTIONS, *_NAMES, *(["self"] if field in fields else [])}
        if problem := _problem(expression, known):
            yield f"stream_maps: {name}: `{field}` {problem}"


def _alias_problem(rules: Mapping[str, Any]) -> str:
    alias = rules[_ALIAS]
    if _SOURCE in rules:  # the SDK would make it a column
        return f"is not possible beside `{_SOURCE}`: a copy has the name of its map"
    tree = _tree(alias) if isinstance(alias, str) else None
    if tree is None:
        return "must be a name, or an expression that makes one"
    # With a name that it does not know the SDK takes all of it for the stream's.
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    unknown = [name for name in names if name not in {_OWN_NAME, *FUNCTIONS}]
    if unknown and not _PLAIN_NAME.fullmatch(alias):
        return f"uses `{unknown[0]}`: it can use `{_OWN_NAME}` alone, or be a name"
    return ""


def _problem(expression: Any, known: Collection[str]) -> str:
    if not isinstance(expression, str):
        return "must be an expression, as a text in quotes"
    tree = _tree(expression)
    if tree is None:
        return f"is no expression: {brief(expression, 80)!r}"
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    unknown = next((name.id for name in names if name.id not in known and name.id not in made), None)
    if any(name.id == "fake" for name in names) and not importlib.util.find_spec("faker"):
        return "uses `fake`, which is of the package Faker: install it beside the tap (`pip install faker`)"
    return f"uses `{unknown}`, which is neither a field that is read nor a function" if unknown else ""


def _tree(expression: str) -> ast.Expression | None:
    try:
        return ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def made_errors(streams: Iterable[Any]) -> Iterator[str]:
    """What is wrong with what the maps would make: keys that are none, and streams under one name.

    Rows of one of these would overwrite those of another.

    Args:
        streams: The tap's, with the maps that they have.
    """
    sources = {RECEIPT: "the receipt"}
    for stream in streams:
        for found in stream.stream_maps if stream.selected else ():
            if isinstance(found, RemoveRecordTransform):
                continue
            name = found.stream_alias
            if not isinstance(name, str) or not name:
                yield f"stream_maps: {stream.name}: `{_ALIAS}` makes {brief(name, 80)!r}, which is no name"
            elif name in sources:
                other = sources[name]
                two = f"two maps of {other}" if other == stream.name else f"{other} and {stream.name}"
                yield f"stream_maps: {two} would both be the stream `{name}`; name one of them otherwise"
            sources[name] = stream.name
            keys, fields = found.transformed_key_properties, found.transformed_schema["properties"]
            for problem in key_problems(keys, fields) if isinstance(found, TypedMap) else ():
                yield f"stream_maps: {stream.name}: `{_KEYS}`: {problem}"


def flattening_errors(config: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Why records can't be flattened as the settings say.

    Args:
        config: The settings.
        schemas: JSON schema of each stream, of the fields that are read.
    """
    if not config.get("flattening_enabled"):
        return
    if config.get("flattening_max_depth", -1) < 0:
        yield "flattening_max_depth must be set, to 0 or more, as flattening_enabled is"
        return
    options = FlatteningOptions.from_dict({**config})  # type: ignore[typeddict-item]
    for stream, schema in schemas.items():
        columns = defaultdict(list)
        for path in _paths(schema, (), options.max_level):
            *parents, name = path
            column = flatten_key(name, parents, options.separator, max_key_length=options.max_key_length)
            columns[column].append(path)
        for column, (first, *others) in columns.items():
            for other in others[:1]:
                joined = options.separator.join(first) == options.separator.join(other)
                setting = "flattening_separator" if joined else KEY_LENGTH
                fields = f"{'.'.join(first)} and {'.'.join(other)}"
                yield f"{setting}: {stream}: {fields} would both be the column `{column}`; set another"


def _paths(schema: Mapping[str, Any], above: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    """The fields that become columns."""
    for name, field in schema.get("properties", {}).items():
        if depth > 0 and "object" in field.get("type", ()) and "properties" in field:
            yield from _paths(field, (*above, name), depth - 1)
        else:
            yield (*above, name)
