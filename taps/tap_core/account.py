"""The setting `account`: a column of every stream, by which many accounts can share tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ACCOUNT = "account"
"""The column; no API of the suite has a field of this name at the top of a record."""

DELETES_OF_ACCOUNTS = (
    "account: target-duckdb-exact takes rows for gone within their account; another loader would do so to "
    "those of all other accounts: set emit_activate_version_messages off for it"
)
"""Said where both settings are set, as a tap does not know who loads its rows."""

_KEYS = "__key_properties__"


def account_setting() -> th.Property[Any]:
    """The setting."""
    return th.Property(
        ACCOUNT,
        th.StringType(min_length=1),
        title="Account",
        description="Name of the account, for tables that several accounts share: the column `account` of "
        "every stream, and the first part of its key.",
    )


def account_columns(config: Mapping[str, Any]) -> dict[str, str]:
    """The column with what each record has in it; nothing where the setting is not set."""
    return {ACCOUNT: config[ACCOUNT]} if config.get(ACCOUNT) else {}


def with_account(schema: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """A stream's schema with the column first, which tells a target whose rows come, even if none does."""
    own = {
        name: {"type": "string", "const": value, "description": "The account that the row is of."}
        for name, value in columns.items()
    }
    others = {name: field for name, field in schema["properties"].items() if name not in own}
    return {**schema, "properties": {**own, **others}}


def without_account(keys: Sequence[str]) -> list[str]:
    """Names of fields of the API's own."""
    return [name for name in keys if name != ACCOUNT]


def account_errors(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the setting."""
    given = str(config.get(ACCOUNT) or "")
    if not given.isprintable() or given != given.strip():
        yield "account must be one line of plain text, without a blank before or after it"


def keep_account(settings: dict[str, Any]) -> None:
    """Let stream maps that leave out all fields but those that they name keep the column."""
    maps = settings.get("stream_maps")
    if settings.get(ACCOUNT) and isinstance(maps, dict):
        settings["stream_maps"] = {
            name: {**rules, ACCOUNT: rules.get(ACCOUNT, ACCOUNT)}
            if isinstance(rules, dict) and "__else__" in rules
            else rules
            for name, rules in maps.items()
        }


def account_map_errors(maps: Mapping[str, Any]) -> Iterator[str]:
    """Stream maps, which have no other errors, that would take the column away or change it."""
    for name, rules in maps.items():
        if isinstance(rules, dict) and rules.get(ACCOUNT, ACCOUNT) != ACCOUNT:
            yield f"stream_maps: {name}: `{ACCOUNT}` is the column of the setting of that name"
        elif isinstance(rules, dict) and _KEYS in rules and ACCOUNT not in (rules[_KEYS] or ()):
            yield f"stream_maps: {name}: `{_KEYS}` must hold `{ACCOUNT}`, as that setting is set"
