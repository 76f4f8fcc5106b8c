"""Definitions of the taps, the presets and the loader in the format of Meltano Hub."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

import repository
from suite import LOADER, PACKAGE, leaves, python_versions, types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suite import Tap

HOME = "${TAP_SUITE}"
"""The project's folder; of packages whose names are not registered, whoever does so would be installed."""

SELECT = (
    "`meltano add --from-ref` leaves `select` out, so that streams that are off are read too: copy it as "
    "README.md says."
)
"""What is said of a definition that has a selection."""

DUCKDB = (
    f"Into DuckDB, load with {LOADER}, which is defined beside this tap. The Hub's target-duckdb 0.8 drops "
    "the offset of times, and stores empty text as NULL."
)

API = {
    "tap-billing": ("https://www.maxio.com", ["billing", "invoices", "subscriptions"]),
    "tap-events": ("https://www.eventzilla.net", ["attendees", "events", "tickets"]),
    "tap-promotions": ("https://www.easypromosapp.com", ["contests", "marketing", "promotions"]),
    "tap-rewards": ("https://www.tremendous.com", ["gift_cards", "payouts", "rewards"]),
    "tap-scheduling": ("https://cal.com", ["bookings", "calendar", "scheduling"]),
}
"""Where each API is from, and words to find its tap by."""

KINDS = {
    "array": "array",
    "boolean": "boolean",
    "integer": "integer",
    "number": "string",  # Meltano passes on no `decimal` that comes from the environment; the taps read texts
    "object": "object",
}
OPTIONS = {"jsonl": "JSONL", "gzip": "GZIP", "as_sent": "As sent", "utc": "UTC", "snake_case": "Snake case"}


def definitions(project: Mapping[str, Any], taps: Mapping[str, Tap]) -> dict[str, str]:
    """The definition of each extractor of a Meltano project, by name."""
    return {
        plugin["name"]: _yaml(definition(plugin, plugin.get("inherit_from", plugin["name"]), taps))
        for plugin in project["plugins"]["extractors"]
    }


def definition(plugin: Mapping[str, Any], parent: str, taps: Mapping[str, Tap]) -> dict[str, Any]:
    """The definition of a tap, or of a preset with its parent's settings and its own values."""
    tap, name = taps[parent], str(plugin["name"])
    values = plugin.get("config", {}) if name != parent else {}  # what this project sets is its own affair
    domain_url, keywords = API[parent]
    words = {"api", "meltano_sdk", *keywords} | ({name.removeprefix("tap-")} if name != parent else set())
    return {
        "capabilities": sorted(tap.about["capabilities"]),
        "description": str(plugin["description"]),
        **_links(f"docs/{parent}.md"),
        "domain_url": domain_url,
        "executable": parent,
        "keywords": sorted(words),
        "label": str(plugin["label"]),
        "log_parser": "singer-sdk",
        "logo_url": f"/assets/logos/extractors/{name.removeprefix('tap-')}.png",
        "maintenance_status": "beta",
        "name": name,
        "namespace": name.replace("-", "_"),
        "pip_url": f'"{HOME}"',
        "quality": "silver",
        **selection(tap),
        "settings": sorted(
            (_setting(key, schema, values.get(key)) for key, schema in leaves(tap.settings)),
            key=lambda setting: setting["name"],
        ),
        "settings_group_validation": [sorted(tap.required)],
        "supported_python_versions": python_versions(),
        "usage": f"{DUCKDB} {SELECT}" if selection(tap) else DUCKDB,
        "variant": PACKAGE,
    }


def selection(tap: Tap) -> dict[str, list[str]]:
    """What Meltano is to select by itself, which is everything unless it is told: streams that are not off.

    They are listed by name, as a pattern that takes the others out would win over one that puts them in.
    """
    on = [f"{stream.name}.*" for stream in tap.streams if stream.selected_by_default]
    return {} if len(on) == len(tap.streams) else {"select": on}


def loader_definition(project: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The definition of the loader, whose tables go into a schema of the tap's name."""
    (plugin,) = (other for other in project["plugins"]["loaders"] if other["executable"] == LOADER)
    settings = {name: whole(schema) for name, schema in about["settings"]["properties"].items()}
    values = {"default_target_schema": "$MELTANO_EXTRACT__LOAD_SCHEMA"}
    return _yaml(
        {
            "capabilities": sorted(about["capabilities"]),
            "description": str(plugin["description"]),
            **_links("docs/target-duckdb.md"),
            "domain_url": "https://duckdb.org",
            "executable": LOADER,
            "keywords": ["database", "duckdb", "meltano_sdk"],
            "label": str(plugin["label"]),
            "log_parser": "singer-sdk",
            "logo_url": "/assets/logos/loaders/duckdb.png",
            "maintenance_status": "beta",
            "name": LOADER,
            "namespace": LOADER.replace("-", "_"),
            "pip_url": f'"{HOME}/loaders/{LOADER.replace("-", "_")}"',
            "quality": "silver",
            "settings": [_setting(name, settings[name], values.get(name)) for name in sorted(settings)],
            "settings_group_validation": [sorted(about["settings"]["required"])],
            "supported_python_versions": python_versions(LOADER),
            "variant": PACKAGE,
        }
    )


def _setting(name: str, schema: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """A setting as the Hub describes it; ``value`` is the preset's."""
    setting = {
        "description": schema["description"],
        "kind": kind(dict(schema)),
        "label": schema["title"],
        "name": name,
    }
    if "enum" in schema:
        setting["options"] = options(schema)
    default = initial(schema) if value is None else value
    if value is None and schema.get("examples"):
        setting["placeholder"] = f"Ex. {schema['examples'][0]}"
    if schema.get("secret"):
        setting["sensitive"] = True
    if default is not None:
        setting["value"] = default
    return setting


def whole(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A setting of the loader, which reads no texts as numbers: its numbers are whole ones for Meltano."""
    return {**schema, **({"type": ["integer"]} if types(dict(schema)) == ["number"] else {})}


def initial(schema: Mapping[str, Any]) -> Any:
    """The value that a setting has by itself, as its kind has it."""
    default = schema.get("default")
    return default if default is None or types(dict(schema)) != ["number"] else str(default)


def options(schema: Mapping[str, Any]) -> list[dict[str, str]]:
    """The values that a setting can have."""
    values = [value for value in schema["enum"] if value is not None]
    return [{"label": OPTIONS.get(value, value.capitalize()), "value": value} for value in values]


def kind(schema: dict[str, Any]) -> str:
    """The Hub's word for the type of a setting.

    A day or time is a text: of what is no ISO date Meltano would make one by guessing, today of `2026`.
    """
    if schema.get("secret"):
        return "password"
    if "enum" in schema:
        return "options"
    found = types(schema)
    if "array" in found:
        return "array"
    return KINDS.get(found[0], "string") if len(found) == 1 else "string"


def _links(page: str) -> dict[str, str]:
    """Where the project and a page of it are, if it has an address."""
    return {"docs": repository.page(page), "repo": repository.ADDRESS} if repository.ADDRESS else {}


def _yaml(content: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.width = 4096
    written = io.StringIO()
    yaml.dump(dict(sorted(content.items())), written)
    return written.getvalue()
