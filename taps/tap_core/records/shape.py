"""An object's schema as a `msgspec` struct."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import or_
from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from tap_core.records.checks import NUMBERS_OR_NULL
from tap_core.records.conform import UNMAPPED, path_of
from tap_core.records.loose import Loose
from tap_core.records.values import has_shape, integer_in, is_open, map_in, number_in, plain_types, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from tap_core.records.conform import Path
    from tap_core.records.values import Schema


class _Nothing:
    """The type of a field that no API may fill."""


class Shape(Loose):
    """What decodes an object of a schema, and puts right what its struct takes loosely.

    Numbers and times are checked after decoding (`checks.py`). Fields that an object may have besides those
    of its schema stay where they are once they are learned; in other objects they are kept as unmapped.

    Args:
        schema: JSON schema of the object.
        loose: Paths below the object of the fields to be taken loosely; those that its schema does not know
            are kept in the unmapped field.
        dropped: Paths below the object of the fields that are not to be emitted.
        repairs: What puts right the texts of some fields, by their path below the object.
        keys: Fields that may be missing or null here, as they can come from the parent.
        unmapped: What the unmapped field holds where all fits: null, or nothing where it is not emitted.
        watched: Fields that `fits_as_sent` looks at; None for all.
        utc: Whether moments are to be written in UTC.
        constants: Columns of the tap's own, with what each record has in them.
    """

    def __init__(  # noqa: PLR0913
        self,
        schema: Schema,
        loose: Iterable[Path],
        dropped: Iterable[Path] = (),
        repairs: Mapping[Path, Callable[[Any], Any]] | None = None,
        *,
        keys: Sequence[str] = (),
        unmapped: UnsetType | None = UNSET,
        watched: Collection[str] | None = None,
        utc: bool = False,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        properties = schema["properties"]
        super().__init__(utc=utc)
        self._loose_paths, self._dropped_paths = frozenset(loose), frozenset(dropped)
        self._repairs = repairs or {}
        self.attributes = {name: f"f{index}" for index, name in enumerate(properties)}
        own = {UNMAPPED: unmapped, **(constants or {})}
        fields: list[Any] = []
        for name, attribute in self.attributes.items():
            if name in own:
                fields.append((attribute, _Nothing, own[name]))
                continue
            hint = self._field(name, attribute, properties[name])
            fields.append((attribute, hint | None | UnsetType if name in keys else hint | UnsetType, UNSET))
        unknown = {path[0] for path in self._loose_paths if len(path) == 1} - properties.keys()
        slots = [(f"s{index}", name) for index, name in enumerate(sorted(unknown, key=_path))]
        if is_open(schema):
            self._extra = slots
            self._open |= dict(slots)
        else:
            self._added = slots
        fields += [(attribute, Any, UNSET) for attribute, _ in slots]
        names = {attribute: name for name, attribute in self.attributes.items()}
        names |= dict(slots)
        self.struct = msgspec.defstruct("Record", fields, rename=names, forbid_unknown_fields=True, gc=False)
        self._watch(self.attributes.keys() | unknown if watched is None else watched)

    def _field(self, name: str, attribute: str, schema: Schema) -> Any:
        """The type of a field's attribute; what else is to be done with it is noted."""
        if (name,) in self._dropped_paths:
            self._dropped.append(attribute)
            return Any
        hint = None
        if (name,) not in self._loose_paths and not _is_number_or_text(schema):
            hint = self._checked_hint(attribute, schema) or self._hint(name, attribute, schema)
        if hint is None:
            return self._loose_hint(name, attribute, schema)
        if (name,) in self._repairs:
            self._repaired.append((attribute, self._repairs[(name,)]))
        return hint

    def _loose_hint(self, name: str, attribute: str, schema: Schema) -> Any:
        """The type of a field that comes as something else at times; an object that is one stays typed."""
        plain = plain_types(schema)
        hint: Any = Any
        if Decimal in plain and plain <= NUMBERS_OR_NULL:
            self._eased.append((attribute, _TEXT, number_in))
        elif int in plain and plain <= _INTEGER_OR_NULL:
            self._eased.append((attribute, _TEXT, integer_in))
        elif str in plain and plain <= _TEXT_OR_NULL:
            self._eased.append((attribute, _NUMBER, str))
        elif set(types_of(schema)) - {"null"} == {"object"}:
            self._eased.append((attribute, _LIST, map_in))
            as_object = self._one("object", name, attribute, schema)
            if has_shape(schema):
                hint, plain = as_object | _SOMETHING_ELSE, plain | {as_object, dict}
            elif not schema.get("properties"):
                plain |= {dict}
        self._loose.append((attribute, name, schema, plain))
        return hint

    def _checked_hint(self, attribute: str, schema: Schema) -> Any:
        """The type of a number or time, which is checked apart; None for all others."""
        types, form = set(types_of(schema)), schema.get("format")
        if "number" in types and types <= {"number", "integer", "null"}:
            self._groups["nullable" if "null" in types else "numbers"].append(attribute)
            return Any
        if types - {"null"} == {"string"} and form in {"date", "date-time"}:
            self._groups["days" if form == "date" else "moments"].append(attribute)
            return str | None if "null" in types else str
        return None

    def _hint(self, name: str, attribute: str, schema: Schema) -> Any:
        """The type that takes no more than the schema allows; None where a struct can't tell."""
        types = types_of(schema)
        if not types:
            self._open[attribute] = name
            return Any
        if "format" in schema:
            return None
        hints = [self._one(word, name, attribute, schema) for word in types]
        return None if None in hints else reduce(or_, hints)

    def _one(self, word: str, name: str, attribute: str, schema: Schema) -> Any:
        if word == "object" and schema.get("properties"):
            if not has_shape(schema):
                return None
            loose, dropped = (_below(paths, name) for paths in (self._loose_paths, self._dropped_paths))
            repairs = {path[1:]: mend for path, mend in self._repairs.items() if path[0] == name}
            shape = Shape(schema, loose, dropped, repairs, utc=self._utc)
            self._nested.append((attribute, name, shape))
            return shape.struct
        if word == "array":
            hint = self._hint(name, attribute, schema.get("items") or {})
            return None if hint is None else list[hint]  # type: ignore[valid-type]
        if word == "object":
            self._open[attribute] = name
        return _SCALARS[word]

    def fill(self, records: Iterable[Any], context: Mapping[str, Any]) -> None:
        """Give records their parent's fields where they have none."""
        for field, value in context.items():
            attribute = self.attributes[field]
            for record in records:
                own = getattr(record, attribute)
                if own is None or own is UNSET or own == "":
                    setattr(record, attribute, value)


def _is_number_or_text(schema: Schema) -> bool:
    """Whether a field takes either: a struct would read a number's text as one, and round a fraction."""
    types = set(types_of(schema))
    return {"number", "string"} <= types <= _PLAIN_TYPES and "format" not in schema


def _path(name: str) -> str:
    return path_of((name,))


def _below(paths: Iterable[Path], name: str) -> Iterator[Path]:
    return (path[1:] for path in paths if path[0] == name and len(path) > 1)


_PLAIN_TYPES = {"number", "integer", "string", "boolean", "null"}
_TEXT, _TEXT_OR_NULL, _NUMBER = frozenset({str}), frozenset({str, NoneType}), frozenset({int, Decimal})
_LIST, _INTEGER_OR_NULL = frozenset({list}), frozenset({int, NoneType})
_SOMETHING_ELSE = list[Any] | str | int | bool | None  # not an object
_SCALARS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int,  # of lists, and beside objects; one with a fraction is put right as what does not fit
    "boolean": bool,
    "null": NoneType,
    "object": dict[str, Any],
}
