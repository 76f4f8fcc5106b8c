"""The five documents: the configuration that each gives to dlt, and the tap that reads the same API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_core.tap import ApiTap

Row = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """One of the brief's documents, ready to be run."""

    client: Mapping[str, Any]
    """dlt's `client`; `base_url` is what follows the sandbox's own address."""
    resources: list[dict[str, Any]]
    """dlt's `resources`."""
    tap: type[ApiTap]
    settings: Mapping[str, Any]
    """The tap's settings that say the same; `api_url` is what follows the sandbox's own address."""
    parents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By stream: the column that `include_from_parent` makes, and the tap's field that holds the same."""
    mend: Mapping[str, Callable[[Row], Row]] = field(default_factory=dict)
    """By stream: what the tap does with a row beside converting its values."""

    def config(self, url: str) -> dict[str, Any]:
        """The whole configuration, for a sandbox at ``url``."""
        return {
            "client": {**self.client, "base_url": url + self.client["base_url"]},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": self.resources,
        }

    def row(self, stream: str, row: Row) -> Row:
        """A row of dlt's with its fields where the tap has them."""
        row = dict(row)
        for column, name in self.parents.get(stream, {}).items():
            parent = row.pop(column)
            if row.get(name) is None:
                row[name] = parent
        mend = self.mend.get(stream)
        return mend(row) if mend else row


def offset(limit: int = 100, **more: Any) -> dict[str, Any]:
    """The documents' offset paginator; what is in ``more`` is a change, noted where it is made."""
    return {"type": "offset", "limit": limit, "offset_param": "offset", **more}


def child_of(resource: str, param: str) -> dict[str, Any]:
    """How dlt finds the parent of a resource: the documents leave it out."""
    return {param: {"type": "resolve", "resource": resource, "field": "id"}}
