"""A stream's JSON schema, compiled into what decodes its records.

Two ways lead to the same record. The typed way decodes into a `msgspec.Struct` made from the schema
(`shape.py`); it is several times faster. The careful way (`conform.py`) takes everything: it converts what
can be converted without loss and keeps the rest in `_sdc_unmapped`. What the careful way finds, the typed
way learns: the next records with the same oddity stay typed, and only the odd fields are put right.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import UNSET

from tap_core.records import jsonpath
from tap_core.records.conform import UNMAPPED, Found
from tap_core.records.drift import SchemaDrift
from tap_core.records.keys import UNREADABLE, is_missing
from tap_core.records.shape import Shape
from tap_core.records.values import has_shape, is_open

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tap_core.records.conform import Conformer
    from tap_core.records.values import Schema

__all__ = ["UNMAPPED", "UNMAPPED_SCHEMA", "Codec"]

Record = dict[str, Any]
PostProcess = Callable[[Record], Record | None]

_FEW, _MOST = 16, 1000
"""Rows that are decoded together: after something was learned, and once nothing more is."""

UNMAPPED_SCHEMA: Mapping[str, Any] = {"type": ["object", "null"], "additionalProperties": True}


class Codec:
    """Turns undecoded records into records that fit the schema.

    Args:
        name: Name of the stream, for messages.
        schema: JSON schema of the records, the unmapped column included if there is one.
        keys: Names of the fields that identify a record.
        typed: Whether records may stay structs; stream maps and batches need dicts.
        conformer: The careful way.
        reject: Called with the reason for each record that can never be loaded; it is left out.
        post_process_fields: Fields that `post_process` looks at; it is called for records where one of them
            does not fit, and for those that don't fit for a reason not seen before. None if it looks at all
            fields.
    """

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        schema: Schema,
        keys: Sequence[str],
        *,
        typed: bool,
        conformer: Conformer,
        reject: Callable[[str], None],
        post_process_fields: Collection[str] | None = None,
    ) -> None:
        self.name = name
        self._schema = schema
        self._keys = keys
        self._as_structs = typed
        self._conformer = conformer
        self._reject = reject
        self._post_process_fields = post_process_fields
        self._drift = SchemaDrift()
        self._typeable = (
            has_shape(schema) and not is_open(schema) and schema["properties"].keys() >= set(keys)
        )
        self._shape: Shape | None = None
        self._repairs_first = False
        self._at_once = _FEW
        self._decode: Callable[[Any], Any] = jsonpath.decode

    def decode(
        self,
        raws: Iterable[Any],
        post_process: PostProcess | None,
        context: Mapping[str, Any],
        *,
        typed: bool = True,
    ) -> list[Any]:
        """Records of one page, in order.

        Args:
            raws: The undecoded records.
            post_process: Called with each record that does not fit the schema as it came; returns the record
                put right, or None to drop it. None where no record needs it.
            context: Fields from the parent, filled in where the record has none.
            typed: False to go the careful way with all records.
        """
        typed = typed and self._typeable and self._takes(context)
        if typed and self._shape is None:
            self._build()
        raws = list(raws)
        records: list[Any] = []
        while raws:
            some = raws[: self._at_once] if typed else raws
            found = self._typed(some, post_process, context) if typed else [None] * len(some)
            done = len(some)
            if all(found):
                records += found
            else:
                done = self._add(records, some, found, post_process, context, typed=typed)
            raws = raws[done:]
            # What was just learned is often followed by more of it: few rows are then decoded in vain.
            self._at_once = min(2 * self._at_once, _MOST) if done == len(some) else _FEW
        return records

    def _add(  # noqa: PLR0913
        self,
        records: list[Any],
        raws: list[Any],
        found: list[Any],
        post_process: PostProcess | None,
        context: Mapping[str, Any],
        *,
        typed: bool,
    ) -> int:
        """Add what was found, and what the careful way makes of the others, to a row that teaches something.

        Returns:
            How many rows were dealt with: the rest may fit what was learned.
        """
        shape = self._shape
        for place, fitting in enumerate(found):
            record = fitting
            if record is None:
                record = self._careful(raws[place], post_process, context, typed=typed)
            if record is not None:
                records.append(record)
            if self._shape is not shape:
                return place + 1
        return len(found)

    def get(self, record: Any, field: str) -> Any:
        """A field of a decoded record; None if it has none."""
        if isinstance(record, dict):
            return record.get(field)
        attribute = self._shape.attributes.get(field) if self._shape else None
        value = getattr(record, attribute) if attribute else None
        return None if value is UNSET else value

    def column(self, records: list[Any], field: str) -> list[Any]:
        """A field of each of some decoded records; None where it has none."""
        attribute = self._shape.attributes.get(field) if self._shape else None
        if attribute is None or dict in set(map(type, records)):
            return [self.get(record, field) for record in records]
        return [None if value is UNSET else value for value in map(attrgetter(attribute), records)]

    def _typed(
        self, raws: list[Any], post_process: PostProcess | None, context: Mapping[str, Any]
    ) -> list[Any]:
        """The records as structs that were put right; None for each that does not fit the struct."""
        shape = cast("Shape", self._shape)
        records = self._decoded(raws)
        fitting = [record for record in records if record is not None]
        shape.fill(fitting, context)
        if shape.has_open_ends:
            shape.look_through(fitting, self._conformer.secrets)
        if shape.may_need_conforming:
            shape.ease(fitting, unwatched=post_process is not None)
            shape.keep_added(fitting, self._conformer, unwatched=post_process is not None)
            for place in shape.rows_to_conform(records):
                if post_process and not shape.fits_as_sent(records[place], self._conformer):
                    records[place] = None
                else:
                    self._conform_record(shape, records[place])
        for key in self._keys:
            value_of = attrgetter(shape.attributes[key])
            if not all(map(value_of, fitting)):
                records = [
                    record and (None if is_missing(value_of(record)) else record) for record in records
                ]
        return records if self._as_structs else _as_dicts(records)

    def _decoded(self, raws: list[Any]) -> list[Any]:
        """Structs whose numbers and times are such; None for what does not fit one."""
        shape = cast("Shape", self._shape)
        records: list[Any] = []
        rest = iter(raws)
        while len(records) < len(raws):
            self._decode_some(rest, records, raws)
        if not self._repairs_first:
            with suppress(*UNREADABLE):
                shape.check(records)
                return records
        if shape.repairs:
            self._repairs_first = True  # what one page needed the next ones do
            shape.repair(records)
        return list(_passing(records, shape))

    def _decode_some(self, rest: Iterator[Any], records: list[Any], raws: list[Any]) -> None:
        """Add structs up to one that can't be made, and what stands for that."""
        try:
            records.extend(map(self._decode, rest))  # what comes before a misfit is kept
        except UNREADABLE:
            records.append(None)
        except TypeError:  # it is decoded already
            records.append(_converted(raws[len(records)], cast("Shape", self._shape).struct))

    def _conform_record(self, shape: Shape, record: Any) -> None:
        found = Found()
        shape.conform_row(record, self._conformer, found)
        if found.misfits and self._conformer.unmapped:
            unmapped = shape.attributes[UNMAPPED]
            found.misfits |= getattr(record, unmapped) or {}
            setattr(record, unmapped, found.unmapped)

    def _careful(
        self, raw: Any, post_process: PostProcess | None, context: Mapping[str, Any], *, typed: bool
    ) -> Any:
        """The record by way of a dict; None if it is to be left out."""
        record = jsonpath.decode(raw)
        if not isinstance(record, dict):
            kind = _KINDS.get(type(record), "a number")
            self._reject(f"the API sent a record that is no object but {kind}")
            return None
        record |= {field: value for field, value in context.items() if record.get(field) in (None, "")}
        if post_process:
            processed = post_process(record)
            if processed is None:
                return None
            (again,) = self._typed([processed], None, {}) if typed else [None]
            if again is not None:
                return again
            record = processed
        conformed, found = self._conformer.conform(
            record, {key: context[key] for key in self._keys if key in context}
        )
        unknown = found.odd | found.extra
        if typed and unknown and self._drift.note(unknown):
            self._build()
        for key in self._keys:
            if is_missing(conformed.get(key)):
                lacks = is_missing(record.get(key))
                which = f"without its key `{key}`" if lacks else f"whose key `{key}` does not fit its type"
                self._reject(f"the API sent a record {which}")
                return None
        return conformed

    def _takes(self, context: Mapping[str, Any]) -> bool:
        """Whether the parent's fields fit as they are."""
        fields = self._schema["properties"]
        return all(
            name in fields and self._conformer.fits(value, fields[name]) for name, value in context.items()
        )

    def _build(self) -> None:
        self._shape = Shape(
            self._schema,
            self._drift.learned,
            self._conformer.deselected,
            self._conformer.repairs,
            keys=self._keys,
            unmapped=UNSET if self._conformer.unmapped is None else None,
            watched=self._post_process_fields,
            utc=self._conformer.utc,
            constants=self._conformer.constants,
        )
        self._decode = msgspec.json.Decoder(self._shape.struct, float_hook=Decimal).decode


_KINDS = {type(None): "null", str: "a text", list: "a list", bool: "true or false"}


def _converted(record: Any, struct: Any) -> Any:
    """A record that was decoded already, as a struct; None if it does not fit one."""
    with suppress(*UNREADABLE):
        return msgspec.convert(record, struct)
    return None


def _passing(records: list[Any], shape: Shape) -> Iterator[Any]:
    """The records with None for those that don't pass the check, found by halves."""
    with suppress(*UNREADABLE):
        shape.check(records)
        yield from records
        return
    if len(records) == 1:
        yield None
        return
    middle = len(records) // 2
    yield from _passing(records[:middle], shape)
    yield from _passing(records[middle:], shape)


def _as_dicts(structs: Any) -> Any:
    return msgspec.to_builtins(structs, builtin_types=(Decimal,))
