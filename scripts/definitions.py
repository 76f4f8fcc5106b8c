"""Write what the taps and the loader say about themselves into meltano.yml, README.md, hub/ and docs/.

Their own `--about`, streams and docstrings are the truth. With `--check` nothing is written, and the exit
code is 1 when a file is not current.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

import discovered
import hub
import modules
import repository
import streams
from pages import page
from suite import LOADER, all_taps, loader_about, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suite import Tap

ROOT = Path(__file__).parents[1]
_FEW = 5
"""Streams of a tap that the README names."""


def main() -> int:
    """Write or check the files; the result is the exit code."""
    files = generated()
    stale = [path for path, text in files.items() if _read(path) != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path} does not say what the taps say: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(files[path], encoding="utf-8")
    print("Rewritten: " + (", ".join(stale) or "nothing, all is current"))
    return 0


def generated() -> dict[str, str]:
    """All files that are generated, or have a generated part: path -> text."""
    taps, loader = all_taps(), loader_about()
    project = _yaml().load(_read("meltano.yml"))
    extractors = project["plugins"]["extractors"]
    files = {
        "meltano.yml": with_definitions(project, taps, loader),
        "README.md": replaced(_read("README.md"), "taps", overview(extractors, taps)),
    }
    for folder in repository.PACKAGES:
        path = Path(folder) / "pyproject.toml"
        readme = str(Path(folder) / "README.md")
        files[str(path)] = repository.with_urls(_read(str(path)), readme)
    for name, text in hub.definitions(project, taps).items():
        files[f"hub/{name}.yml"] = text
    files[f"hub/{LOADER}.yml"] = hub.loader_definition(project, loader)
    files["docs/streams.md"] = streams.page(taps)
    files["docs/architecture.md"] = replaced(_read("docs/architecture.md"), "modules", modules.listed())
    for name, tap in taps.items():
        presets = [plugin for plugin in extractors if plugin.get("inherit_from") == name]
        files[f"docs/{name}.md"] = page(name, tap, presets)
        files[f"{discovered.FOLDER}/{name}.json"] = discovered.snapshot(tap.kind)
    return files


def with_definitions(project: Any, taps: Mapping[str, Tap], loader: Mapping[str, Any]) -> str:
    """meltano.yml with the capabilities and settings of each tap, and of the loader."""
    for plugin in project["plugins"]["extractors"]:
        tap = taps.get(plugin["name"])
        if tap:
            plugin["capabilities"] = sorted(tap.about["capabilities"])
            plugin["settings"] = [meltano_setting(*setting) for setting in tap.settings.items()]
            plugin.pop("select", None)
            plugin.update(hub.selection(tap))
    for plugin in project["plugins"]["loaders"]:
        if plugin["executable"] == LOADER:
            plugin["capabilities"] = sorted(loader["capabilities"])
            plugin["settings"] = [
                meltano_setting(name, hub.whole(schema))
                for name, schema in loader["settings"]["properties"].items()
            ]
    written = io.StringIO()
    _yaml().dump(project, written)
    return written.getvalue()


def meltano_setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A setting as meltano.yml defines it, in Meltano's own order: so `meltano config set` moves no line."""
    setting: dict[str, Any] = {"name": name, "kind": hub.kind({**schema, "secret": False})}
    if hub.initial(schema) is not None:
        setting["value"] = hub.initial(schema)
    setting |= {"label": schema["title"], "description": schema["description"]}
    if "enum" in schema:
        setting["options"] = hub.options(schema)
    if schema.get("secret"):
        setting["sensitive"] = True
    return setting


def overview(extractors: list[dict[str, Any]], taps: Mapping[str, Tap]) -> str:
    """The taps, with their first streams and presets, as a Markdown table."""
    rows = []
    for plugin in extractors:
        if plugin["name"] in taps:
            name = plugin["name"]
            presets = [other for other in extractors if other.get("inherit_from") == name]
            vendors = ", ".join(f"{preset['label']}: `{preset['name']}`" for preset in presets)
            streams = taps[name].stream_names
            some = f"{len(streams)}: {', '.join(streams[:_FEW])}, …"
            rows.append((f"[`{name}`](docs/{name}.md)", some, vendors))
    return table(("Tap", "Streams", "Vendor: preset"), rows)


def replaced(text: str, block: str, content: str) -> str:
    """The text with new content between the two markers of a block."""
    pattern = re.compile(rf"(<!-- begin {block} -->\n).*?(<!-- end {block} -->)", re.DOTALL)
    return pattern.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


def _read(path: str) -> str:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    return yaml


if __name__ == "__main__":
    sys.exit(main())
