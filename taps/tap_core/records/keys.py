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

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

UNREADABLE = (msgspec.DecodeError, UnicodeError, ArithmeticError, RecursionError)
"""What decoding into a struct raises for a record that does not fit, or that `msgspec` can't read at all."""

_KEY_TYPES = frozenset({str, int, Decimal})


def is_missing(key: Any) -> bool:
    """Whether a field of a key is null, empty or not there."""
    return not key and key != 0


class key_reader:  # noqa: N801  it is used as a function
    """A function from an undecoded record to what tells it apart from others in its list.

    A record that lacks a key, or a stream that has none, is told apart by a digest of all of its content.
    Whatever comes, the function gives something and raises nothing.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        fields = [(f"f{index}", Any, None) for index in range(len(keys))]
        names = {f"f{index}": key for index, key in enumerate(keys)}
        struct = msgspec.defstruct("Key", fields, rename=names, frozen=True, gc=False)
        self._keys = keys
        self._decode = msgspec.json.Decoder(struct, float_hook=Decimal).decode
        self._values = attrgetter(*names) if names else None

    def __call__(self, record: Any) -> Hashable:
        """The key of a record."""
        try:
            if isinstance(record, Raw):
                values = msgspec.structs.astuple(self._decode(record))
            else:
                values = tuple(record.get(key) for key in self._keys)
        except (*UNREADABLE, AttributeError):
            return jsonpath.digest(record)
        if not values or (not all(values) and any(map(is_missing, values))):
            return jsonpath.digest(record)
        if not _KEY_TYPES.issuperset(map(type, values)):
            return repr(values)
        return values if len(values) > 1 else values[0]

    def of_all(self, records: Sequence[Any]) -> list[Hashable]:
        """The keys of some records; quicker than one by one where they are as usual."""
        if self._values and set(map(type, records)) == {Raw}:
            with suppress(*UNREADABLE):
                keys: list[Hashable] = list(map(self._values, map(self._decode, records)))
                values = keys if len(self._keys) == 1 else list(chain.from_iterable(cast("Any", keys)))
                if all(values) and _KEY_TYPES.issuperset(map(type, values)):
                    return keys
                if len(self._keys) > 1:
                    return [
                        key if all(key) and _KEY_TYPES.issuperset(map(type, key)) else self(record)
                        for key, record in zip(cast("Any", keys), records, strict=True)
                    ]
        return list(map(self, records))
