"""Names of tables and columns: as they are sent, unless DuckDB could not tell two of them apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

METADATA = ("_sdc_extracted_at", "_sdc_batched_at", "_sdc_deleted_at", "_sdc_table_version")
RESERVED = (*METADATA, "_sdc_valid_from", "_sdc_valid_to", "_sdc_is_current", "_sdc_row")
"""Names that no field's column has: the loader's own, here, in histories, and while it loads."""
SNAKE_CASE = "snake_case"

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9_]+")


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"


def warehouse_name(name: str, naming: str) -> str:
    """What a name is in the warehouse."""
    if naming != SNAKE_CASE or not name:
        return name or "_"  # DuckDB has no empty names
    words = [word for word in _WORDS.sub("_", name).lower().split("_") if word]
    return "_" * (len(name) - len(name.lstrip("_"))) + "_".join(words) or name


def unique_name(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it if it is taken, in any case of its letters."""
    lower = {other.lower() for other in taken}
    found, number = name, 1
    while found.lower() in lower:
        number += 1
        found = f"{name}_{number}"
    return found


def archived_name(name: str, taken: Collection[str]) -> str:
    """The name for what is put aside: with the first version that is free."""
    lower = {other.lower() for other in taken}
    version = 1
    while f"{name}__v{version}".lower() in lower:
        version += 1
    return f"{name}__v{version}"
