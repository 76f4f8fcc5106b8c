"""What fits a JSON schema's types as it is, and what can be converted to them without loss.

Times have one rule, whichever way a record takes. A `date-time` is what RFC 3339 says, in upper case: a real
day from year 1 to 9999, `T`, a real second (no `:60`), a fraction of any length, and a zone: `Z` or an offset
of less than a day, whose colon may be missing. A `date` is a real day alone. Loaders refuse most of the rest.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tap_core.records.jsonpath import MOST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = Mapping[str, Any]
_Time = TypeVar("_Time", date, datetime)

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,999})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST_DIGITS = 1000
_ZONE = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})$")
_SECOND = len("2026-01-31T00:00:00")


def types_of(schema: Schema) -> list[str]:
    """The JSON types that a schema allows; an object if it says nothing but properties."""
    types = schema.get("type", "object" if "properties" in schema else [])
    return [types] if isinstance(types, str) else list(types)


def plain_types(schema: Schema) -> frozenset[type]:
    """The Python types whose values a field takes as they are."""
    words = () if "format" in schema else types_of(schema)
    return frozenset[type]().union(*(_PLAIN.get(word, ()) for word in words))


def is_open(schema: Schema) -> bool:
    """Whether an object may have fields that its schema does not name."""
    return not schema.get("properties") or bool(schema.get("additionalProperties"))


def is_field_name(name: str) -> bool:
    """Whether a struct's field can have this name in JSON."""
    return name.isprintable() and '"' not in name and "\\" not in name


def has_shape(schema: Schema) -> bool:
    """Whether a struct can be made of an object's schema: it names fields."""
    return bool(schema.get("properties")) and all(map(is_field_name, schema["properties"]))


def is_upper_case(times: bytes) -> bool:
    """Whether times as JSON are written with `T` and `Z`."""
    return b"t" not in times and b"z" not in times and b" " not in times


def is_moment(text: str) -> bool:
    """Whether a text is a `date-time`."""
    moment = _read(text, datetime)
    return moment is not None and moment.tzinfo is not None and text[10] == "T" and text[-1] != "z"


def is_day(text: str) -> bool:
    """Whether a text is a `date`."""
    return _read(text, date) is not None


def as_moment(value: Any) -> Any:
    """A day as its beginning in UTC, `2026-01-31T00:00:00Z`; anything else as it is."""
    return f"{value}T00:00:00Z" if isinstance(value, str) and is_day(value) else value


def in_utc(moment: str) -> str:
    """A `date-time` as it is written in UTC, with `Z` and every digit of its fraction.

    One that UTC has no year for, in the first or last hours of the calendar, stays as it is.
    """
    if moment.endswith("Z"):
        return moment
    zone = _ZONE.search(moment)
    if zone is None:
        return moment
    sign, hours, minutes = zone.groups()
    ahead = timedelta(hours=int(sign + hours), minutes=int(sign + minutes))
    try:
        clock = (datetime.fromisoformat(moment[:_SECOND]) - ahead).isoformat()
    except OverflowError:
        return moment
    return f"{clock}{moment[_SECOND : zone.start()]}Z"


def as_plain_number(value: Any) -> Any:
    """A number, or the text of one, as one text: `5` for 5.00; any other value as it is."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    for number in _to_number(str(value) if is_number else value):
        if abs(number.adjusted()) < _MOST_DIGITS:
            text = f"{number:f}"
            text = text.rstrip("0").rstrip(".") if "." in text else text
            return "0" if text == "-0" else text
    return value


def as_sound(value: Any) -> Any:
    """A value with the half characters of its texts, of which no bytes can be made, as escapes."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return list(map(as_sound, value))
    if isinstance(value, dict):
        return {as_sound(name): as_sound(item) for name, item in value.items()}
    return value


def as_plain_moment(value: Any) -> Any:
    """A `date-time` in UTC, without zeros at the end of its fraction; any other value as it is."""
    if not isinstance(value, str) or not is_moment(value):
        return value
    clock, dot, fraction = in_utc(value).removesuffix("Z").partition(".")
    return f"{clock}{dot}{fraction}".rstrip("0").rstrip(".") + "Z" if dot else f"{clock}Z"


def _read(text: str, kind: type[_Time]) -> _Time | None:
    try:
        return msgspec.convert(text, kind)
    except (msgspec.ValidationError, UnicodeError):
        return None


_PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "null": (type(None),),
}
"""Types whose values fit without a further look."""

FITS: dict[str, Callable[[Any, Schema], bool]] = {
    "string": lambda value, schema: isinstance(value, str) and _formatted(value, schema),
    "integer": lambda value, _: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value, _: isinstance(value, int | Decimal) and not isinstance(value, bool),
    "boolean": lambda value, _: isinstance(value, bool),
    "null": lambda value, _: value is None,
    "object": lambda value, _: isinstance(value, dict),
    "array": lambda value, _: isinstance(value, list),
}


def _formatted(value: str, schema: Schema) -> bool:
    check = {"date-time": is_moment, "date": is_day}.get(schema.get("format", ""))
    return check is None or check(value)


def _to_string(value: Any) -> Iterator[str]:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield str(value)


def integer_in(text: str) -> int | None:
    """The integer that a text is, written as in JSON; None if it is none."""
    return int(text) if _INTEGER.fullmatch(text) else None


def _to_integer(value: Any) -> Iterator[int]:
    number = integer_in(value) if isinstance(value, str) else None
    if number is not None:
        yield number
    elif (
        isinstance(value, Decimal) and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value()
    ):
        yield int(value)


def number_in(text: str) -> Decimal | None:
    """The number that a text is, written as in JSON; None if it is none, or one that few parsers read."""
    if len(text) <= MOST_DIGITS and _NUMBER.fullmatch(text):
        with contextlib.suppress(ArithmeticError):  # an exponent that no computer has room for
            return Decimal(text)
    return None


def _to_number(value: Any) -> Iterator[Decimal]:
    number = number_in(value) if isinstance(value, str) else None
    if number is not None:
        yield number


def _to_boolean(value: Any) -> Iterator[bool]:
    if value in (0, 1) or value in ("0", "1", "false", "true"):
        yield value in (1, "1", "true")


def map_in(items: list[Any]) -> dict[str, Any] | None:
    """The map that a list stands for; None for none: some languages encode an empty map as an empty list."""
    return None if items else {}


def _to_object(value: Any) -> Iterator[dict[str, Any]]:
    if value == []:
        yield {}


def _no_conversion(_: Any) -> Iterator[Any]:
    return iter(())


CONVERSIONS: dict[str, Callable[[Any], Iterator[Any]]] = {
    "string": _to_string,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "null": _no_conversion,
    "object": _to_object,
    "array": _no_conversion,
}
"""What a value can be read as, for each type; without loss."""
