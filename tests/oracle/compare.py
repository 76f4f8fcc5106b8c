"""What dlt loaded of an API's answers, as the tap should emit it.

The rules by which a value of dlt's may differ from the tap's, all of them from what a field's schema says:

- a number or a boolean that the API sends as a string is the number or boolean, and an empty string there
  is null (dlt makes a column of its own for each type that it meets);
- a number where the schema has a string, such as an id, is that string;
- `[]` in the place of an object is `{}`, as some languages write an empty map;
- numbers are compared by their value, times as instants: one without a zone is UTC, a day its beginning;
- a field of a row that is null is one that is not there: a table cannot tell.
"""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOLEANS = {"0": False, "1": True, "false": False, "true": True}


def comparable(row: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A row, of dlt's or of the tap's, in the form in which the two are compared."""
    return {name: value for name, value in as_emitted(row, schema).items() if value is not None}


def as_emitted(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value as its schema has it."""
    types = schema.get("type", "object")
    types = {types} if isinstance(types, str) else set(types)
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: as_emitted(item, fields.get(name, {"type": []})) for name, item in value.items()}
    if isinstance(value, list):
        if not value and "object" in types:
            return {}
        return [as_emitted(item, schema.get("items") or {"type": []}) for item in value]
    return _scalar(value, types, schema.get("format"))


def _scalar(value: Any, types: set[str], form: str | None) -> Any:
    if isinstance(value, str):
        return _text(value, types, form)
    if value is None or isinstance(value, bool):
        return value
    if "boolean" in types:
        return bool(value)
    return str(value) if "string" in types else Decimal(str(value))


def _text(value: str, types: set[str], form: str | None) -> Any:
    if form == "date-time":
        return _instant(value)
    if not types or "string" in types:
        return value
    if value == "":
        return None
    return BOOLEANS[value] if "boolean" in types else Decimal(value)


def _instant(text: str) -> datetime:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
