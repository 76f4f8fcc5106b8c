"""The DuckDB types of columns: what values need, and which type holds the old ones and the new."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from target_duckdb_exact.columns import SCALE
from target_duckdb_exact.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

INTEGER, WIDE_INTEGER, DOUBLE, TEXT, JSON = "BIGINT", "HUGEINT", "DOUBLE", "VARCHAR", "JSON"
INTEGERS = {INTEGER, WIDE_INTEGER}
TIME, LOCAL_TIME = "TIMESTAMP WITH TIME ZONE", "TIMESTAMP"
DIGITS = 38
"""All that a DECIMAL of DuckDB's can have."""

_FIXED = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIME: TIME,
    Kind.LOCAL_TIME: LOCAL_TIME,
    Kind.TEXT: TEXT,
    Kind.SCALAR: TEXT,
    Kind.JSON: JSON,
}
_WIDEST = 2**127 - 1
_DECIMAL = re.compile(rf"DECIMAL\({DIGITS},(\d+)\)")


@dataclass(frozen=True)
class Need:
    """What values need of their column: the type, and of numbers the digits before the point."""

    type: str
    digits: int = 0


def decimal(scale: int) -> str:
    """The type of numbers with so many decimals."""
    return f"DECIMAL({DIGITS},{scale})"


def need(kind: Kind, array: pa.Array | None = None) -> Need:
    """What the values of a field of this kind need; without values, what the field begins with."""
    if kind in _FIXED:
        return Need(_FIXED[kind])
    if array is None or array.null_count == len(array):
        return Need(INTEGER if kind is Kind.INTEGER else decimal(SCALE))
    if pa.types.is_string(array.type):
        texts = [text for text in array.to_pylist() if text is not None]
        return _integers(map(int, texts)) if kind is Kind.INTEGER else _numbers(list(map(Decimal, texts)))
    extremes = pc.min_max(array).as_py().values()
    digits = max(_whole_digits(Decimal(value)) for value in extremes)
    return Need(INTEGER if kind is Kind.INTEGER else decimal(SCALE), digits)


def _integers(values: Iterable[int]) -> Need:
    most = max(map(abs, values))
    return Need(WIDE_INTEGER if most <= _WIDEST else DOUBLE, len(str(most)))


def _numbers(values: list[Decimal]) -> Need:
    digits = max(map(_whole_digits, values))
    scale = max(SCALE, *(_scale(value) for value in values))
    return Need(decimal(scale) if digits + scale <= DIGITS else DOUBLE, digits)


def _whole_digits(value: Decimal) -> int:
    return max(value.adjusted() + 1, 0) if value else 0


def _scale(value: Decimal) -> int:
    """The decimals that are not trailing zeros."""
    _, digits, exponent = value.as_tuple()
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(-int(exponent) - zeros, 0) if value else 0


def wider(present: str, wanted: Need, present_digits: Callable[[], int]) -> str | None:
    """The type that holds what is there and what is to come, digit by digit; None if there is none.

    Args:
        present: The column's type.
        wanted: What the new values need.
        present_digits: Asks for the most digits before the point that the column has.
    """
    if wanted.type in {present, JSON} or (wanted.type == TEXT and present != JSON):
        return wanted.type
    if not (is_number(present) and is_number(wanted.type)):
        return None
    if DOUBLE in {present, wanted.type}:
        return DOUBLE if present == DOUBLE else None
    scales = [int(match[1]) for name in (present, wanted.type) if (match := _DECIMAL.fullmatch(name))]
    if not scales:
        return WIDE_INTEGER
    type_ = decimal(max(scales))
    digits = wanted.digits if type_ == present else max(wanted.digits, present_digits())
    return type_ if digits + max(scales) <= DIGITS else None


def replacement_type(present: str, wanted: Need) -> str:
    """The type of the column that takes the place of one that can't be widened."""
    return DOUBLE if is_number(present) and _DECIMAL.fullmatch(wanted.type) else wanted.type


def is_number(name: str) -> bool:
    """Whether a type is one that the loader gives to numbers."""
    return name in {*INTEGERS, DOUBLE} or _DECIMAL.fullmatch(name) is not None


def as_text(value: str, present: str) -> str:
    """SQL that writes a value of a column as the text that it was sent as, but for zeros at the end."""
    if _DECIMAL.fullmatch(present):
        return f"rtrim(rtrim(CAST({value} AS VARCHAR), '0'), '.')"
    if present in {TIME, LOCAL_TIME}:
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%f{'Z' if present == TIME else ''}')"
    return f"CAST({value} AS VARCHAR)"


def converted(value: str, present: str, wanted: str) -> str:
    """SQL that makes a value of a column one of a wider type."""
    if wanted == TEXT:
        return as_text(value, present)
    if wanted == JSON and (is_number(present) or present == "BOOLEAN"):
        return f"CAST({as_text(value, present)} AS JSON)"
    if wanted == JSON:
        return f"to_json({as_text(value, present)})"
    if wanted == DOUBLE:  # through its text: from a DECIMAL straight, the last digit can be another one
        return f"CAST(CAST({value} AS VARCHAR) AS DOUBLE)"
    return f"CAST({value} AS {wanted})"
