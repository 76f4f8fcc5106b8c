"""Checks that a struct does not make itself: of numbers and times, of all records of a page together.

`msgspec` would take the text `"1_000"` for a number, and checks patterns slowly.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import chain
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tap_core.records.values import in_utc, is_upper_case

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBERS = frozenset({int, Decimal, UnsetType})
NUMBERS_OR_NULL = _NUMBERS | {NoneType}
"""Python types of a field that takes numbers alone, or null."""


_as_text = msgspec.json.Encoder().encode
_read_moments = msgspec.json.Decoder(list[Annotated[datetime, Meta(tz=True)] | None]).decode
_read_days = msgspec.json.Decoder(list[date | None]).decode

Groups = tuple[list[Any], list[Any], list[Any], list[Any]]
"""Moments, days, numbers, and numbers that may be null."""


class Checked:
    """Structs of one type whose numbers and times are to be checked.

    Args:
        utc: Whether moments are to be written in UTC.
    """

    struct: Any
    """The type."""

    def __init__(self, *, utc: bool) -> None:
        self._utc = utc
        self._groups: dict[str, list[str]] = {"moments": [], "days": [], "numbers": [], "nullable": []}
        self._checked: list[tuple[str, Checked]] = []

    @cached_property
    def checks(self) -> bool:
        """Whether there is anything to be checked."""
        return any(self._groups.values()) or bool(self._checked)

    @cached_property
    def _getters(self) -> list[tuple[int, attrgetter[Any]]]:
        """What gives the value of each attribute that is to be checked, and its group."""
        groups = enumerate(self._groups.values())
        return [(index, attrgetter(attribute)) for index, group in groups for attribute in group]

    def check(self, records: list[Any]) -> None:
        """See to it that numbers and times are such, and that moments are in UTC where that is asked for.

        Raises:
            msgspec.ValidationError: One of them is not.
            UnicodeError: A time holds half a character.
        """
        groups: Groups = ([], [], [], [])
        self._gather(records, groups)
        numbers, nullable = groups[2:]
        moments, days = ([value for value in group if value is not UNSET] for group in groups[:2])
        if not _NUMBERS.issuperset(map(type, numbers)) or not NUMBERS_OR_NULL.issuperset(map(type, nullable)):
            raise msgspec.ValidationError
        if moments:
            texts = _as_text(moments)
            if not is_upper_case(texts):
                raise msgspec.ValidationError
            _read_moments(texts)
        if days:
            _read_days(_as_text(days))
        if moments and self._utc:
            self._to_utc(records)

    def _gather(self, values: Iterable[Any], groups: Groups) -> None:
        """Collect what is to be checked in structs, and in lists of them."""
        structs = self.structs_in(values)
        for index, getter in self._getters:
            groups[index].extend(map(getter, structs))
        for attribute, shape in self._checked:
            shape._gather(map(attrgetter(attribute), structs), groups)  # noqa: SLF001  its own kind

    def structs_in(self, values: Iterable[Any]) -> list[Any]:
        """The structs among values, and in lists among them."""
        values = list(values)
        kinds = set(map(type, values))
        while list in kinds:
            inside = chain.from_iterable(value for value in values if type(value) is list)
            values = [*inside, *(value for value in values if type(value) is self.struct)]
            kinds = set(map(type, values))
        if kinds <= {self.struct}:
            return values
        return [value for value in values if type(value) is self.struct]

    def _to_utc(self, values: Iterable[Any]) -> None:
        """Write the moments of structs, and of lists of them, in UTC."""
        structs = self.structs_in(values)
        for attribute in self._groups["moments"]:
            for struct, moment in zip(structs, map(attrgetter(attribute), structs), strict=True):
                if type(moment) is str:
                    setattr(struct, attribute, in_utc(moment))
        for attribute, shape in self._checked:
            shape._to_utc(map(attrgetter(attribute), structs))  # noqa: SLF001  its own kind
