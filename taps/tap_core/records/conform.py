"""The careful way from what an API sent to a record that fits the stream's schema.

A value is converted only where that loses nothing (`values.py`). What does not fit, and fields that the
schema does not know, are kept under their path in the record's `_sdc_unmapped`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_core.records.told import Told
from tap_core.records.values import CONVERSIONS, FITS, in_utc, is_open, plain_types, types_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping

    from tap_core.records.secrets import Secrets
    from tap_core.records.values import Schema

Path = tuple[str, ...]
"""Names of fields from the record down; the places in lists are left out."""
Place = tuple[str | int, ...]
"""Names of fields and places in lists from the record down."""

UNMAPPED = "_sdc_unmapped"

MISFIT: Final = object()
"""Stands for a value that cannot be converted to what its schema asks for."""


class Found:
    """What did not come as the schema has it."""

    __slots__ = ("extra", "misfits", "odd")

    def __init__(self) -> None:
        self.misfits: dict[str, Any] = {}
        """What cannot be emitted as its field, by its place."""
        self.odd: set[Path] = set()
        """Fields that could not be taken as they came: misfits, converted ones, those that are not known."""
        self.extra: set[Path] = set()
        """Fields that an object may have besides those of its schema, and has."""

    @property
    def unmapped(self) -> dict[str, Any] | None:
        """What the unmapped field holds, in one order whichever way it was found."""
        misfits = self.misfits
        return dict(sorted(misfits.items())) if len(misfits) > 1 else misfits or None


class Conformer:
    """Makes records fit a schema.

    Args:
        schema: JSON schema of the records.
        unmapped: Name of the field that takes what does not fit, or None to drop it.
        deselected: Paths of fields that are not to be emitted, as tuples of names.
        secrets: What never leaves the tap.
        utc: Whether moments are to be written in UTC.
        logger: Where each field that does not fit is named once.
        constants: Columns of the tap's own, with what each record has in them; no field of a record fits.
        repairs: What puts right values of some fields that do not fit as they came, by path.
    """

    def __init__(  # noqa: PLR0913
        self,
        schema: Schema,
        *,
        unmapped: str | None,
        deselected: Iterable[Path] = (),
        secrets: Secrets,
        utc: bool = False,
        logger: logging.Logger,
        constants: Mapping[str, Any] | None = None,
        repairs: Mapping[Path, Callable[[Any], Any]] | None = None,
    ) -> None:
        self._schema = schema
        self.repairs = repairs or {}
        self.constants = constants or {}
        self._own = {unmapped, *self.constants}
        self.unmapped = unmapped
        self.deselected = frozenset(deselected)
        self.secrets = secrets
        self.utc = utc
        self._slow = {UNMAPPED, *self.constants, *(name for path in self.deselected for name in path[-1:])}
        self._told = Told(logger.warning, "More fields do not fit the schema; they are not named here")
        self._objects: dict[int, dict[str, frozenset[type]]] = {}
        self._plain_types: dict[int, frozenset[type]] = {}

    def conform(
        self, record: Mapping[str, Any], parent: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], Found]:
        """The record as its schema has it, with what does not fit in the unmapped field.

        Args:
            record: The record.
            parent: Keys of its parent, which stand for its own where these do not fit.
        """
        found = Found()
        fields = self._object(record, self._schema, (), found)
        if parent and not parent.keys() <= fields.keys():
            known = {key: value for key, value in parent.items() if key not in fields}
            fields = self._object({**record, **known}, self._schema, (), Found())
        conformed = {**self.constants, **fields, **self.constants}
        if self.unmapped:
            conformed[self.unmapped] = found.unmapped
        return conformed, found

    def fits(self, value: Any, schema: Schema) -> bool:
        """Whether a value can be emitted as it is, through and through."""
        if type(value) in self._plain(schema):
            return True
        found = Found()
        return self._value(value, schema, (), found) is not MISFIT and not found.odd

    def field(self, value: Any, schema: Schema | None, place: Place, found: Found) -> Any:
        """The value of a field as its schema has it; MISFIT if it was kept as unmapped.

        Args:
            value: What came.
            schema: JSON schema of the field; None if there is none.
            place: Where the field is in the record.
            found: Takes what does not fit.
        """
        if schema is None:
            self._keep(place, value, found, "is not in the schema")
            return MISFIT
        if type(value) in self._plain(schema):
            return value
        repair = self.repairs.get(_path(place)) if self.repairs else None
        conformed = self._value(repair(value) if repair else value, schema, place, found)
        if conformed is MISFIT:
            self._keep(place, value, found, "does not fit its type")
        return conformed

    def _object(self, value: Mapping[str, Any], schema: Schema, place: Place, found: Found) -> dict[str, Any]:
        """The object with its fields in the schema's order, and after them those that are not in it."""
        properties = schema.get("properties")
        if not properties:
            whole = dict(value)
            self._look_through(whole, place)
            return whole
        conformed = {}
        plain = self._objects.get(id(schema)) or self._plain_fields(schema)
        for name, inner in properties.items():
            if name not in value:
                continue
            item = value[name]
            if type(item) in plain.get(name, ()):
                conformed[name] = item
            elif not self._skips(here := (*place, name)):
                settled = self.field(item, inner, here, found)
                if settled is not MISFIT:
                    conformed[name] = settled
        if len(conformed) < len(value):
            conformed |= self._added(value, schema, place, found)
        return conformed

    def _added(self, value: Mapping[str, Any], schema: Schema, place: Place, found: Found) -> dict[str, Any]:
        """The fields of an object that its schema does not name; what is not to be emitted is kept apart."""
        own = () if place else self._own
        added = {
            name: item for name, item in value.items() if name not in schema["properties"] or name in own
        }
        if is_open(schema):
            found.extra.update((*_path(place), name) for name in added)
            self._look_through(added, place)
            return dict(sorted(added.items(), key=lambda field: segment(field[0])))
        for name, item in added.items():
            if (*_path(place), name) not in self.deselected:
                self.field(item, None, (*place, name), found)
        return {}

    def _plain_fields(self, schema: Schema) -> dict[str, frozenset[type]]:
        """The Python types that each field of an object takes as they are, worked out once."""
        fields = schema["properties"].items()
        plain = {name: self._plain(inner) for name, inner in fields if name not in self._slow}
        self._objects[id(schema)] = plain
        return plain

    def _skips(self, place: Place) -> bool:
        """Whether a field is not to be emitted, or is a column of the tap's own."""
        own = len(place) == 1 and place[0] in self._own
        return own or (bool(self.deselected) and _path(place) in self.deselected)

    def _plain(self, schema: Schema) -> frozenset[type]:
        plain = self._plain_types.get(id(schema))
        if plain is None:
            plain = self._plain_types[id(schema)] = plain_types(schema)
        return plain

    def _value(self, value: Any, schema: Schema, place: Place, found: Found) -> Any:
        types = types_of(schema)
        for name in types:
            if FITS[name](value, schema):
                return self._nested(value, schema, place, found)
        if not types:
            self._look_through(value, place)
            return value
        found.odd.add(_path(place))
        for name in types:
            for converted in CONVERSIONS[name](value):
                if FITS[name](converted, schema):
                    return converted
        return None if value == "" and "null" in types else MISFIT

    def _nested(self, value: Any, schema: Schema, place: Place, found: Found) -> Any:
        if isinstance(value, dict):
            return self._object(value, schema, place, found)
        if isinstance(value, list) and schema.get("items"):
            items = (
                self.field(item, schema["items"], (*place, index), found) for index, item in enumerate(value)
            )
            return [item for item in items if item is not MISFIT]
        if self.utc and isinstance(value, str) and schema.get("format") == "date-time":
            return in_utc(value)
        self._look_through(value, place)
        return value

    def _look_through(self, value: Any, place: Place) -> None:
        """Take the secrets out of a value that is emitted as it came otherwise."""
        if isinstance(value, (dict, list)):
            self.secrets.takes(_path(place), value)

    def keep_added(self, name: str, value: Any, place: Place, found: Found) -> None:
        """Keep a field of an object that its schema does not know, and that was told of before."""
        if not self.secrets.takes((*_path(place), name), value):
            found.misfits[path_of((*place, name))] = value

    def _keep(self, place: Place, value: Any, found: Found, why: str) -> None:
        path = _path(place)
        found.odd.add(path)
        if self.secrets.takes(path, value):
            return
        found.misfits[path_of(place)] = value
        where = f"kept in {self.unmapped}" if self.unmapped else "dropped, as unmapped_column is off"
        self._told.once(path, "Field `%s` %s; %s", path_of(path), why, where)


def _path(place: Place) -> Path:
    return tuple(name for name in place if isinstance(name, str))


def path_of(place: Place) -> str:
    """A place as `_sdc_unmapped` names it: `customer.addresses.0.zip`."""
    return ".".join(map(segment, place))


def segment(name: str | int) -> str:
    """A name or number as a part of a place, between dots; its own dots are escaped."""
    return name.replace("\\", "\\\\").replace(".", "\\.") if isinstance(name, str) else str(name)
