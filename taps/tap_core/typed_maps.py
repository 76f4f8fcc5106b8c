"""The SDK's map of a stream, with the types of its expressions, and numbers in `json.dumps`."""

from __future__ import annotations

import ast
import json
import re
from decimal import Decimal
from typing import Any

import simpleeval  # type: ignore[import-untyped]
from singer_sdk import mapper
from singer_sdk import typing as th
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.mapper import MAPPER_FILTER_OPTION, NULL_STRING, CustomStreamMap
from typing_extensions import override

from tap_core.expressions import TEXT, schema_of

_DIGITS = "\0digits\0"
_QUOTED_DIGITS = re.compile(r'"\\u0000digits\\u0000([^"]*)"')


class TypedMap(CustomStreamMap):
    """A map whose SCHEMA tells what its expressions make, as far as they say so themselves.

    Attributes:
        made: Names of the columns that have an expression.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """As the SDK's."""
        self.made = {
            name
            for name, expression in options["map_transform"].items()
            if isinstance(expression, str) and expression != NULL_STRING and name != MAPPER_FILTER_OPTION
        }
        self._fields = options["raw_schema"]["properties"]  # the SDK takes some out of its own copy
        super().__init__(*args, **options)
        self.transformed_key_properties = self.transformed_key_properties or []  # SCHEMA would leave out null

    @property
    @override
    def functions(self) -> dict[str, Any]:
        """What an expression can call."""
        return {**super().functions, "json": _Json(json)}

    @override
    def _eval_type(self, expr: str, default: Any = None) -> Any:
        default = default or th.StringType()
        # The SDK goes by how an expression begins, as with `int(`; that holds for a call alone.
        is_call = isinstance(ast.parse(expr).body[0].value, ast.Call)  # type: ignore[attr-defined]
        guessed = super()._eval_type(expr, default) if is_call or expr == "record" else default
        found = schema_of(expr, self._fields)
        # A time that is made of a time, as by `replace`, goes on being one.
        if found is None or (found == TEXT and "format" in default.to_dict()):
            return guessed
        return th.CustomType({**found})

    @override
    def _eval(
        self, expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None
    ) -> Any:
        try:
            return super()._eval(expr, expr_parsed, record, property_name)
        except KeyError:
            for node in ast.walk(expr_parsed):
                match node:
                    case ast.Subscript(ast.Name("config"), ast.Constant(str(name))) if (
                        name not in self.map_config
                    ):
                        there = ", ".join(map(str, self.map_config)) or "nothing"
                        msg = f"`config` is stream_map_config, which has no `{name}` but {there}"
                        raise MapExpressionError(msg) from None
            raise


class _Json(simpleeval.ModuleWrapper):  # type: ignore[misc]
    """`json` for expressions; numbers are written digit by digit, as they came."""

    @staticmethod
    def dumps(value: Any, **options: Any) -> str:
        """As `json.dumps`, of decimals too."""
        text = json.dumps(value, **{"default": _marked, **options})
        return _QUOTED_DIGITS.sub(r"\1", text)


def _marked(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{_DIGITS}{value}"
    msg = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(msg)


# The SDK makes its maps of the class of this name, and can't be told of another.
mapper.CustomStreamMap = TypedMap  # type: ignore[misc]
