"""An object's schema as a `msgspec` struct.

Three kinds of fields are looked at after decoding. Numbers and times are checked (`checks.py`). Open ones,
which have no schema of their own, are looked through for secrets. Loose ones are decoded as anything and put
right one by one: those that came as something else before, and those that the vendor added.
"""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import attrgetter, or_
from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from tap_core.records.checks import NUMBERS_OR_NULL, Checked
from tap_core.records.conform import MISFIT, UNMAPPED, path_of
from tap_core.records.values import has_shape, number_in, plain_types, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from tap_core.records.conform import Conformer, Found, Path, Place
    from tap_core.records.secrets import Secrets
    from tap_core.records.values import Schema


class _Nothing:
    """The type of a field that no API may fill."""


class Shape(Checked):
    """What decodes an object of a schema, and puts right what its struct takes loosely.

    Args:
        schema: JSON schema of the object.
        loose: Paths below the object of the fields to be taken loosely; those that its schema does not know
            are kept in the unmapped field.
        dropped: Paths below the object of the fields that are not to be emitted.
        keys: Fields that may be missing or null here, as they can come from the parent.
        unmapped: What the unmapped field holds where all fits: null, or nothing where it is not emitted.
        watched: Fields that `is_settled` looks at; None for all.
        utc: Whether moments are to be written in UTC.
        constants: Columns of the tap's own, with what each record has in them.
    """

    def __init__(  # noqa: PLR0913
        self,
        schema: Schema,
        loose: Iterable[Path],
        dropped: Iterable[Path] = (),
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
        self._loose: list[tuple[str, str, Schema, frozenset[type]]] = []
        self._eased: list[tuple[str, frozenset[type], Callable[[Any], Any]]] = []
        self._dropped: list[str] = []
        self._open: dict[str, str] = {}
        self._nested: list[tuple[str, str, Shape]] = []
        self.attributes = {name: f"f{index}" for index, name in enumerate(properties)}
        """Attribute of the struct for each field of the schema, the same in every shape of a schema."""
        own = {UNMAPPED: unmapped, **(constants or {})}
        fields: list[Any] = []
        for name, attribute in self.attributes.items():
            if name in own:
                fields.append((attribute, _Nothing, own[name]))
                continue
            hint = self._field(name, attribute, properties[name])
            fields.append((attribute, hint | None | UnsetType if name in keys else hint | UnsetType, UNSET))
        self.added = {path[0] for path in self._loose_paths if len(path) == 1} - properties.keys()
        """Fields that the schema does not know and the struct does."""
        self._slots = [(f"s{index}", name) for index, name in enumerate(sorted(self.added, key=_path))]
        fields += [(attribute, Any, UNSET) for attribute, _ in self._slots]
        names = {attribute: name for name, attribute in self.attributes.items()}
        names |= dict(self._slots)
        self.struct = msgspec.defstruct("Record", fields, rename=names, forbid_unknown_fields=True, gc=False)
        self._checked = [(attribute, shape) for attribute, _, shape in self._nested if shape.checks]
        self._settled = [found for found in self._nested if found[2].settles]
        watched = self.attributes.keys() | self.added if watched is None else watched
        self._watched = {self.attributes[name] for name in watched if name in self.attributes}
        self._watched_slots = [attribute for attribute, name in self._slots if name in watched]
        self._watched_loose = [loose for loose in self._loose if loose[1] in watched]
        self._watched_settled = [found for found in self._settled if found[1] in watched]
        as_sent = [(attribute, plain | {UnsetType}) for attribute, *_, plain in self._loose]
        absent = [
            (attribute, frozenset({UnsetType}))
            for attribute in [*(slot[0] for slot in self._slots), *self._dropped]
        ]
        self._settled_types = [(attrgetter(attribute), plain) for attribute, plain in as_sent + absent]
        self.settles: bool = bool(self._loose or self._slots or self._dropped or self._settled)
        """Whether there is anything to be put right after decoding."""
        self._looked_into = [found for found in self._nested if found[2].has_open_ends]
        self.has_open_ends: bool = bool(self._open or self._looked_into)
        """Whether there are fields without a schema of their own, which can hold anything."""

    def _field(self, name: str, attribute: str, schema: Schema) -> Any:
        """The type of a field's attribute; what else is to be done with it is noted."""
        if (name,) in self._dropped_paths:
            self._dropped.append(attribute)
            return Any
        hint = None
        if (name,) not in self._loose_paths:
            hint = self._checked_hint(attribute, schema) or self._hint(name, attribute, schema)
        if hint is None:
            plain = plain_types(schema)
            self._loose.append((attribute, name, schema, plain))
            if Decimal in plain and plain <= NUMBERS_OR_NULL:
                self._eased.append((attribute, _TEXT, number_in))
            elif str in plain and plain <= _TEXT_OR_NULL:
                self._eased.append((attribute, _NUMBER, str))
            return Any
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
        """The type that takes just what the schema allows; None where a struct can't tell."""
        types = types_of(schema)
        if not types:
            self._open[attribute] = name
            return Any
        if "number" in types or "format" in schema:
            return None
        hints = [self._one(word, name, attribute, schema) for word in types]
        return None if None in hints else reduce(or_, hints)

    def _one(self, word: str, name: str, attribute: str, schema: Schema) -> Any:
        if word == "object" and schema.get("properties"):
            if not has_shape(schema):
                return None
            below = (_below(paths, name) for paths in (self._loose_paths, self._dropped_paths))
            shape = Shape(schema, *below, utc=self._utc)
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

    def look_through(self, values: Iterable[Any], secrets: Secrets, path: Path = ()) -> None:
        """Take the secrets out of what has no schema of its own, in structs and lists of them."""
        structs = list(self._structs_in(values))
        for attribute, name in self._open.items():
            here = (*path, name)
            for value in map(attrgetter(attribute), structs):
                if type(value) is dict or type(value) is list:
                    secrets.takes(here, value)
        for attribute, name, shape in self._looked_into:
            shape.look_through(map(attrgetter(attribute), structs), secrets, (*path, name))

    def ease(self, values: Iterable[Any], *, unwatched: bool) -> None:
        """Put right numbers that are to be texts and texts that are to be numbers, a column at a time.

        Args:
            values: Structs, and lists of them.
            unwatched: Whether to leave the fields that `is_settled` looks at.
        """
        structs = list(self._structs_in(values))
        left = self._watched if unwatched else ()
        for attribute, kinds, convert in self._eased:
            if attribute in left:
                continue
            for struct, value in zip(structs, map(attrgetter(attribute), structs), strict=True):
                if type(value) in kinds and (converted := convert(value)) is not None:
                    setattr(struct, attribute, converted)
        for attribute, _, shape in self._settled:
            if attribute not in left:
                shape.ease(map(attrgetter(attribute), structs), unwatched=False)

    def keep_added(self, structs: Sequence[Any], conformer: Conformer, *, unwatched: bool) -> None:
        """Keep what the vendor added to records, a column at a time: values that hold no others.

        Args:
            structs: Records.
            conformer: Knows what is kept, and what is a secret.
            unwatched: Whether to leave the fields that `is_settled` looks at.
        """
        kept = self.attributes[UNMAPPED] if conformer.unmapped else None
        for attribute, name in self._slots:
            if (unwatched and attribute in self._watched_slots) or conformer.secrets.takes((name,), None):
                continue
            path = _path(name)
            for struct, value in zip(structs, map(attrgetter(attribute), structs), strict=True):
                if type(value) in _SIMPLE:
                    setattr(struct, attribute, UNSET)
                    if kept:
                        others = getattr(struct, kept)
                        setattr(struct, kept, {**others, path: value} if others else {path: value})

    def unsettled(self, values: Sequence[Any]) -> set[int]:
        """Places of the structs, or lists of them, that hold anything to be put right; a column at a time."""
        places = [place for place, value in enumerate(values) if type(value) is self.struct]
        structs = [values[place] for place in places]
        found = {place for place, value in enumerate(values) if type(value) is list and self.unsettled(value)}
        for getter, plain in self._settled_types:
            types = list(map(type, map(getter, structs)))
            if not plain.issuperset(types):
                found.update(place for place, kind in zip(places, types, strict=True) if kind not in plain)
        for attribute, _, shape in self._settled:
            inner = shape.unsettled(list(map(attrgetter(attribute), structs)))
            found.update(places[place] for place in inner)
        return found

    def is_settled(self, value: Any, conformer: Conformer) -> bool:
        """Whether what is taken loosely, in one struct or a list, came as the schema has it.

        Fields that are not watched are not looked at.
        """
        if type(value) is list:
            return all(self.is_settled(item, conformer) for item in value)
        if type(value) is not self.struct:
            return True
        for attribute in self._watched_slots:
            if getattr(value, attribute) is not UNSET:
                return False
        for attribute, _, schema, plain in self._watched_loose:
            loose = getattr(value, attribute)
            if loose is not UNSET and type(loose) not in plain and not conformer.fits(loose, schema):
                return False
        for attribute, _, shape in self._watched_settled:
            if not shape.is_settled(getattr(value, attribute), conformer):
                return False
        return True

    def settle(self, value: Any, conformer: Conformer, found: Found, place: Place = ()) -> None:
        """Put right what is taken loosely, in one struct or a list; take out what is not to be emitted."""
        if type(value) is list:
            for index, item in enumerate(value):
                self.settle(item, conformer, found, (*place, index))
        if type(value) is not self.struct:
            return
        self._empty_slots(value, conformer, found, place)
        for attribute, name, schema, plain in self._loose:
            loose = getattr(value, attribute)
            if loose is not UNSET and type(loose) not in plain:
                settled = conformer.field(loose, schema, (*place, name), found)
                if settled is not loose:
                    setattr(value, attribute, UNSET if settled is MISFIT else settled)
        for attribute, name, shape in self._settled:
            shape.settle(getattr(value, attribute), conformer, found, (*place, name))

    def _empty_slots(self, value: Any, conformer: Conformer, found: Found, place: Place) -> None:
        for attribute, name in self._slots:
            added = getattr(value, attribute)
            if added is UNSET:
                continue
            setattr(value, attribute, UNSET)
            conformer.keep_added(name, added, place, found)
        for attribute in self._dropped:
            setattr(value, attribute, UNSET)


def _path(name: str) -> str:
    return path_of((name,))


def _below(paths: Iterable[Path], name: str) -> Iterator[Path]:
    return (path[1:] for path in paths if path[0] == name and len(path) > 1)


_TEXT, _TEXT_OR_NULL, _NUMBER = frozenset({str}), frozenset({str, NoneType}), frozenset({int, Decimal})
_SIMPLE = frozenset({str, int, Decimal, bool, NoneType})
_SCALARS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": NoneType,
    "object": dict[str, Any],
}
