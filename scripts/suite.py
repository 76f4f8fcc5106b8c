"""What the taps say about themselves: the truth that all generated files are made of."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import distribution
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint

    from singer_sdk.plugin_base import PluginBase

    from tap_core.stream import ApiStream
    from tap_core.tap import ApiTap

PACKAGE = "tap-suite"
LOADER = "target-duckdb-exact"
"""The loader's distribution, and its command."""


@dataclass(frozen=True)
class Tap:
    """A tap: its class, and what `--about` prints."""

    kind: type[ApiTap]
    about: dict[str, Any]

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The schemas of its settings."""
        settings: dict[str, dict[str, Any]] = self.about["settings"]["properties"]
        return settings

    @property
    def required(self) -> list[str]:
        """The settings without which it does not start."""
        return list(self.about["settings"]["required"])

    @cached_property
    def streams(self) -> list[ApiStream]:
        """Its streams, with the schemas that they have without `_sdc_unmapped`."""
        required = dict.fromkeys(self.required, "x") | {"api_url": "https://localhost"}
        return self.kind(config={**required, "unmapped_column": False}).discover_streams()

    @property
    def stream_names(self) -> list[str]:
        """The names of its streams, in the order that the tap lists them."""
        return [stream.name for stream in self.streams]


def all_taps() -> dict[str, Tap]:
    """All taps by name, in the order of their console scripts' names."""
    kinds = tap_classes()
    with ThreadPoolExecutor(2) as pool:
        abouts = pool.map(_about, kinds.values())
        return {name: Tap(kind, about) for (name, kind), about in zip(kinds.items(), abouts, strict=True)}


def tap_classes() -> dict[str, type[ApiTap]]:
    """The class of each tap by its console script's name, in the order of these."""
    scripts = sorted(
        script
        for script in distribution(PACKAGE).entry_points
        if script.group == "console_scripts" and script.name.startswith("tap-")
    )
    return {script.name: _class(script) for script in scripts}


def loader_about() -> dict[str, Any]:
    """What the loader says of itself."""
    (script,) = distribution(LOADER).entry_points.select(group="console_scripts")
    return _about(_class(script))


def _class(script: EntryPoint) -> Any:
    """The class behind a console script, such as tap_events.tap:TapEvents.cli."""
    tap: type[PluginBase] = getattr(import_module(script.module), script.attr.removesuffix(".cli"))
    return tap


def _about(tap: type[PluginBase]) -> dict[str, Any]:
    command = [sys.executable, "-c", f"from {tap.__module__} import {tap.__name__} as tap; tap.cli()"]
    shown = subprocess.run(  # noqa: S603 - our own command
        [*command, "--about", "--format", "json"], capture_output=True, text=True, check=True
    )
    about: dict[str, Any] = json.loads(shown.stdout)
    return about


def python_versions(package: str = PACKAGE) -> list[str]:
    """The Python versions that a package says it runs on, such as 3.10."""
    prefix = "Programming Language :: Python :: 3."
    classifiers = distribution(package).metadata.get_all("Classifier") or []
    return [f"3.{line.removeprefix(prefix)}" for line in classifiers if line.startswith(prefix)]


def types(schema: dict[str, Any]) -> list[str]:
    """The JSON types of a schema other than null."""
    found = schema.get("type", [])
    names = [found] if isinstance(found, str) else list(found)
    names += [name for part in alternatives(schema) for name in types(part)]
    return [name for name in dict.fromkeys(names) if name != "null"]


def alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of which a value fits one."""
    parts = [*schema.get("oneOf", []), *schema.get("anyOf", [])]
    return [part for part in parts if isinstance(part, dict)]  # the SDK has a bare "null" among them


def leaves(schemas: dict[str, dict[str, Any]], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Settings with those inside of other settings under dotted names."""
    for name, schema in schemas.items():
        is_map = isinstance(schema.get("additionalProperties"), dict)  # with keys of the user's own
        if schema.get("properties") and not is_map:
            yield from leaves(schema["properties"], f"{prefix}{name}.")
        else:
            yield prefix + name, schema


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows))
