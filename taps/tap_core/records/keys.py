"""What tells a record apart from the others of its list."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import Raw

from tap_core.records import jsonpath
from tap_core.records.values import CONVERSIONS, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

UNREADABLE = (msgspec.DecodeError, UnicodeError, ArithmeticError, RecursionError)
"""What decoding into a struct raises for a record that does not fit, or that `msgspec` can't read at all."""

_KEY_TYPES = frozenset({str, int, Decimal})
_TYPES = {"string": str | None, "integer": int | None}
"""What keys are decoded as of which the schema names one type alone; of others it is any."""
_PLAIN = {"string": str, "integer": int}
"""What a key is by then of which the schema names one of these types alone."""


def is_missing(key: Any) -> bool:
    """Whether a field of a key is null, empty or not there."""
    return not key and key != 0


class key_reader:  # noqa: N801  it is used as a function
    """A function from an undecoded record to what tells it apart from others in its list.

    A record that lacks a key, or a stream that has none, is told apart by a digest of all of its content.
    A key is compared as its schema has it: some servers write an id as a number here and as a text there.
    Whatever comes, the function gives something and raises nothing.

    Args:
        keys: Names of the key's fields.
        properties: JSON schemas of the records' fields, by name.
    """

    def __init__(self, keys: Sequence[str], properties: Mapping[str, Any] | None = None) -> None:
        names = {f"f{index}": key for index, key in enumerate(keys)}
        self._keys = keys
        self._kinds = [_only_type((properties or {}).get(key, {})) for key in keys]

        def decoder(types: Sequence[Any]) -> Callable[[Raw], Any]:
            fields = [(name, kind, None) for name, kind in zip(names, types, strict=True)]
            struct = msgspec.defstruct("Key", fields, rename=names, frozen=True, gc=False)
            return msgspec.json.Decoder(struct, float_hook=Decimal).decode

        self._decode = decoder([_TYPES.get(kind, Any) for kind in self._kinds])
        self._decode_any = decoder([Any] * len(keys))
        self._values = attrgetter(*names) if names else None

    def __call__(self, record: Any) -> Hashable:
        """The key of a record."""
        try:
            is_raw = isinstance(record, Raw)
            values = msgspec.structs.astuple(self._decode(record)) if is_raw else self._converted(record)
        except UNREADABLE:
            values = self._converted(record)
        return self._key(values, record)

    def _key(self, values: tuple[Any, ...], record: Any) -> Hashable:
        if not values or (not all(values) and any(map(is_missing, values))):
            return jsonpath.digest(record)
        if not _KEY_TYPES.issuperset(map(type, values)):
            return repr(values)
        return values if len(values) > 1 else values[0]

    def _converted(self, record: Any) -> tuple[Any, ...]:
        """The values of a key as their schema has them; none of a record that can't be read."""
        try:
            if isinstance(record, Raw):
                values = msgspec.structs.astuple(self._decode_any(record))
            else:
                values = tuple(record.get(key) for key in self._keys)
        except (*UNREADABLE, AttributeError):
            return ()
        return tuple(map(_as_schema_has_it, self._kinds, values))

    def _converted_together(self, records: Sequence[Any]) -> list[Hashable]:
        """The keys of records some of which have another type than the schema's."""
        columns = zip(*map(msgspec.structs.astuple, map(self._decode_any, records)), strict=True)
        fitting = (
            [value if type(value) is _PLAIN.get(kind) else _as_schema_has_it(kind, value) for value in column]
            for kind, column in zip(self._kinds, columns, strict=True)
        )
        return list(map(self._key, zip(*fitting, strict=True), records))

    def of_all(self, records: Sequence[Any]) -> list[Hashable]:
        """The keys of some records; quicker than one by one where they are as usual."""
        if self._values and set(map(type, records)) == {Raw}:
            with suppress(*UNREADABLE):
                keys: list[Hashable] = list(map(self._values, map(self._decode, records)))
                values = keys if len(self._keys) == 1 else list(chain.from_iterable(cast("Any", keys)))
                are_plain = _KEY_TYPES.issuperset(map(type, values))
                if are_plain and all(values):
                    return keys
                if len(self._keys) > 1:
                    return [
                        key
                        if all(key) and (are_plain or _KEY_TYPES.issuperset(map(type, key)))
                        else self(record)
                        for key, record in zip(cast("Any", keys), records, strict=True)
                    ]
            with suppress(*UNREADABLE):
                return self._converted_together(records)
        return list(map(self, records))


def _only_type(schema: Mapping[str, Any]) -> str:
    """The type that a schema allows besides null, if it is one alone, and one of `_TYPES`; else empty."""
    types = {*types_of(schema)} - {"null"}
    return types.pop() if len(types) == 1 and types <= _TYPES.keys() else ""


def _as_schema_has_it(kind: str, value: Any) -> Any:
    return next(CONVERSIONS[kind](value), value) if kind else value
