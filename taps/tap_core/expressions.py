"""What an expression of a stream map makes: its JSON schema, where the expression itself tells.

The SDK takes nearly all of them for texts, so that a nested number would come under a SCHEMA of texts.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from tap_core.records.values import types_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_core.records.values import Schema

TEXT: Schema = {"type": ["string"]}
_INTEGER: Schema = {"type": ["integer"]}
_NUMBER: Schema = {"type": ["number"]}
_BOOLEAN: Schema = {"type": ["boolean"]}
_NULL: Schema = {"type": ["null"]}

_CONSTANTS = {str: TEXT, int: _INTEGER, float: _NUMBER, bool: _BOOLEAN, type(None): _NULL}
_CALLS = {"str": TEXT, "md5": TEXT, "sha256": TEXT, "int": _INTEGER, "float": _NUMBER, "bool": _BOOLEAN}
_METHODS = {"strftime": TEXT, "timestamp": _NUMBER}
_NO_FIELDS = {"config", "fake", "self"}
_WHOLE = {"record", "_"}


def schema_of(expression: str, fields: Mapping[str, Schema]) -> Schema | None:
    """The JSON schema of what an expression makes; None where that depends on more than its words.

    Args:
        expression: One that can be parsed.
        fields: The schemas of the record's fields.
    """
    try:
        found = _schema(ast.parse(expression.strip(), mode="eval").body, fields)
    except RecursionError:
        return None
    return found if found and set(types_of(found)) - {"null"} and "type" in found else None


def _schema(node: ast.AST, fields: Mapping[str, Schema]) -> Schema | None:  # noqa: PLR0911
    match node:
        case ast.Constant(value):
            return _CONSTANTS.get(type(value))
        case ast.JoinedStr() | ast.Name("__stream_name__" | "__original_stream_name__"):
            return TEXT
        case ast.Compare() | ast.UnaryOp(ast.Not()):
            return _BOOLEAN
        case ast.UnaryOp(ast.USub(), operand):
            return _sum(_schema(operand, fields), _INTEGER)
        case ast.Call(ast.Name(name)):
            return _CALLS.get(name)
        case ast.Call(ast.Attribute(_, name)) if name in _METHODS:
            return _METHODS[name]
        case ast.BinOp(left, operator, right):
            return _result(_schema(left, fields), operator, _schema(right, fields))
        case ast.IfExp(_, body, other):
            return _either(_schema(one, fields) for one in (body, other))
        case ast.BoolOp(_, values):
            return _either(_schema(one, fields) for one in values)
    return _place(node, fields)


def _place(node: ast.AST, fields: Mapping[str, Schema]) -> Schema | None:  # noqa: PLR0911
    """The schema of a place in the record: `total`, `payment['total']`, `payment.get('total')`."""
    match node:
        case ast.Name(name) if name in _WHOLE:
            return {"properties": fields}
        case ast.Name(name) if name not in _NO_FIELDS:
            return fields.get(name)
        case ast.Subscript(inner, ast.Constant(str(name))):
            return _member(_place(inner, fields), name)
        case ast.Subscript(inner, ast.Constant(int())):
            found = _place(inner, fields)
            return found.get("items") if found else None
        case ast.Subscript(inner, ast.Slice()):
            return TEXT if _kinds(_schema(inner, fields)) == {"string"} else None
        case ast.Attribute(inner, name) if not hasattr(dict, name):
            return _member(_place(inner, fields), name)
        case ast.Call(ast.Attribute(inner, "get"), [ast.Constant(str(name)), *default]):
            return _either([_member(_place(inner, fields), name), *(_schema(one, fields) for one in default)])
    return None


def _member(schema: Schema | None, name: str) -> Schema | None:
    found: Schema | None = schema.get("properties", {}).get(name) if schema else None
    return found


def _kinds(schema: Schema | None) -> set[str]:
    return set(types_of(schema)) - {"null"} if schema else set()


def _result(left: Schema | None, operator: Any, right: Schema | None) -> Schema | None:
    kinds = (_kinds(left), _kinds(right))
    if isinstance(operator, ast.Add) and {"string"} in kinds:
        return TEXT
    if isinstance(operator, ast.Mod | ast.Mult) and kinds[0] == {"string"}:
        return TEXT
    total = _sum(left, right)
    return _NUMBER if total and isinstance(operator, ast.Div | ast.Pow) else total


def _sum(left: Schema | None, right: Schema | None) -> Schema | None:
    if not left or not right or not _kinds(left) or not _kinds(right):
        return None
    kinds = _kinds(left) | _kinds(right)
    if kinds == {"integer"}:
        return _INTEGER
    return _NUMBER if kinds <= {"integer", "number"} else None


def _either(schemas: Iterable[Schema | None]) -> Schema | None:
    """The schema of what may be one or the other."""
    first, *others = (schema for schema in schemas if schema != _NULL)
    for other in others:
        if first != other:
            first = _sum(first, other)
    return first
