"""Write what the taps say about themselves into meltano.yml and README.md.

The taps' own `--about` and stream classes are the truth. With `--check` nothing is written, and the exit code
is 1 when a file is not current.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import EntryPoint

    from tap_core.tap import ApiTap

ROOT = Path(__file__).parents[1]

KINDS = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "decimal",
    "object": "object",
    "array": "array",
}


def main() -> int:
    """Write or check both files; the result is the exit code."""
    taps = {
        script.name: tap_class(script)
        for script in distribution("tap-suite").entry_points
        if script.group == "console_scripts" and script.name.startswith("tap-")
    }
    about = {name: about_tap(tap) for name, tap in taps.items()}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, tap in taps.items():
        readme = replaced(readme, f"{name} settings", settings_table(about[name]))
        readme = replaced(readme, f"{name} streams", streams_table(tap))
    meltano = with_definitions((ROOT / "meltano.yml").read_text(encoding="utf-8"), about)

    stale = [
        file
        for file, text in (("README.md", readme), ("meltano.yml", meltano))
        if (ROOT / file).read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for file in stale:
            print(f"{file} does not say what the taps say: run `make definitions`", file=sys.stderr)
        return 1 if stale else 0
    (ROOT / "README.md").write_text(readme, encoding="utf-8")
    (ROOT / "meltano.yml").write_text(meltano, encoding="utf-8")
    print("Rewritten: " + (", ".join(stale) or "nothing, all is current"))
    return 0


def tap_class(script: EntryPoint) -> type[ApiTap]:
    """Return the class behind a console script, such as tap_events.tap:TapEvents.cli."""
    tap: type[ApiTap] = getattr(import_module(script.module), script.attr.removesuffix(".cli"))
    return tap


def about_tap(tap: type[ApiTap]) -> dict[str, Any]:
    """Return what `--about` prints."""
    command = [sys.executable, "-c", f"from {tap.__module__} import {tap.__name__} as tap; tap.cli()"]
    shown = subprocess.run(  # noqa: S603 - our own command
        [*command, "--about", "--format", "json"], capture_output=True, text=True, check=True
    )
    about: dict[str, Any] = json.loads(shown.stdout)
    return about


def with_definitions(text: str, about: dict[str, dict[str, Any]]) -> str:
    """Return meltano.yml with the capabilities and settings of each tap."""
    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    project = yaml.load(text)
    for plugin in project["plugins"]["extractors"]:
        if plugin["name"] in about:
            definition = about[plugin["name"]]
            plugin["capabilities"] = sorted(definition["capabilities"])
            plugin["settings"] = [
                meltano_setting(name, setting)
                for name, setting in definition["settings"]["properties"].items()
            ]
    written = io.StringIO()
    yaml.dump(project, written)
    return written.getvalue()


def meltano_setting(name: str, setting: dict[str, Any]) -> dict[str, Any]:
    """Return a setting as meltano.yml defines it."""
    kind = "date_iso8601" if setting.get("format") == "date-time" else KINDS.get(setting["type"][0], "string")
    definition: dict[str, Any] = {"name": name, "kind": kind}
    if setting.get("default") is not None:
        definition["value"] = setting["default"]
    definition |= {"label": setting["title"], "description": setting["description"]}
    if setting.get("secret"):
        definition["sensitive"] = True
    return definition


def settings_table(about: dict[str, Any]) -> str:
    """Return the settings as a Markdown table."""
    required = about["settings"]["required"]
    rows = [
        (f"`{name}`", default_words(setting, required=name in required), setting["description"])
        for name, setting in about["settings"]["properties"].items()
    ]
    return table(("Setting", "Default", "What it does"), rows)


def default_words(setting: dict[str, Any], *, required: bool) -> str:
    """Return the default as the table shows it."""
    if required:
        return "required, secret" if setting.get("secret") else "required"
    default = setting.get("default")
    return "" if default is None else f"`{json.dumps(default).strip(chr(34))}`"


def streams_table(tap: type[ApiTap]) -> str:
    """Return the streams as a Markdown table."""
    return table(
        ("Stream", "Path", "Key", "Parent", "Rows"), [stream_row(stream) for stream in tap.stream_types]
    )


def stream_row(stream: Any) -> tuple[str, ...]:
    """Return the row of one stream's class."""
    parent = stream.parent_stream_type
    keys = ", ".join(f"`{key}`" for key in stream.primary_keys)
    what = (stream.__doc__ or "").strip().splitlines()[0]
    return f"`{stream.name}`", f"`{stream.path}`", keys, f"`{parent.name}`" if parent else "", what


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows))


def replaced(text: str, block: str, content: str) -> str:
    """Return the text with new content between the two markers of a block."""
    pattern = re.compile(rf"(<!-- begin {block} -->\n).*?(<!-- end {block} -->)", re.DOTALL)
    return pattern.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


if __name__ == "__main__":
    sys.exit(main())
