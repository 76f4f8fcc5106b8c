"""The generated pages of docs/: a tap's settings, its streams, their fields and how they hang together."""

from __future__ import annotations

import inspect
import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from suite import alternatives, table, types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from suite import Tap
    from tap_core.stream import ApiStream

DAY = 86_400
WINDOW, IGNORED = ("start_date", "end_date"), "Ignored, as the tap reads all of its streams whole."
NEW_YEAR = datetime(2026, 1, 1, tzinfo=timezone.utc)

PAGE = """\
# {name}

{description}

This page is generated from the tap itself (`make docs`).{presets}

## Settings

{settings}

In Meltano, `meltano config list --all {name}` shows them with their environment variables.

## Streams

{streams}
{off}
Every row can also have `_sdc_unmapped`: what the schema does not know, or a value that does not fit it.

{full_read}

{fewer}

## Filters

The setting `filters` gives lists the API's own parameters, by which rows are left out: `{example}`.
What each means is in the API's reference; what a filter does to deletes and bookmarks is in
[Catalogs and STATE](catalog-and-state.md#filters).

{filters}

## How they hang together

A full line is a stream that is read once per row of another. A dotted line is a field named after another
stream's key.

```mermaid
{diagram}
```

## Columns

{fields}
"""


OFF = """
A stream that is off is read only where a catalog or `meltano select` selects it.
"""


def page(name: str, tap: Tap, presets: Sequence[Mapping[str, Any]]) -> str:
    """The page of one tap."""
    named = ", ".join(f"`{preset['name']}` ({preset['label']})" for preset in presets)
    return PAGE.format(
        name=name,
        description=tap.kind.__doc__,
        presets=f" Preset: {named}." if presets else "",
        settings=settings_table(tap),
        streams="\n\n".join(f"**{subject}**\n\n{streams_table(found)}" for subject, found in by_subject(tap)),
        off="" if all(stream.selected_by_default for stream in tap.streams) else OFF,
        full_read=full_read(tap.streams),
        fewer=fewer(tap.streams),
        **filters(tap.streams),
        diagram=diagram(tap.streams),
        fields="\n\n".join(_fields(stream) for stream in tap.streams),
    )


def settings_table(tap: Tap) -> str:
    """The settings as a Markdown table."""
    ignored = {} if any(stream.replication_key for stream in tap.streams) else dict.fromkeys(WINDOW, IGNORED)
    rows = [
        (
            f"`{name}`",
            _default(setting, required=name in tap.required),
            ignored.get(name) or _text(setting["description"]),
        )
        for name, setting in tap.settings.items()
    ]
    return table(("Setting", "Default", "What it does"), rows)


def _default(setting: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required, secret" if setting.get("secret") else "required"
    default = setting.get("default")
    return "" if default is None else f"`{json.dumps(default).strip(chr(34))}`"


def by_subject(tap: Tap) -> Iterator[tuple[str, list[ApiStream]]]:
    """The streams by what they are about."""
    for subject, kinds in (tap.kind.subjects or {"All": tap.kind.stream_types}).items():
        yield subject, [stream for stream in tap.streams if type(stream) in kinds]


def streams_table(streams: Sequence[ApiStream]) -> str:
    """How streams are read, as a Markdown table."""
    head = ("Stream", "Path", "Key", "Read", "Parent", "Rows")
    return table(head, [_stream_row(stream) for stream in streams])


def _stream_row(stream: ApiStream) -> tuple[str, ...]:
    parent: Any = stream.parent_stream_type
    return (
        f"[`{stream.name}`](#{stream.name})",
        f"`{stream.path}`",
        ", ".join(f"`{key}`" for key in stream.primary_keys),
        replication(stream),
        f"`{parent.name}`" if parent else "",
        _text(words(stream).split("\n\n", maxsplit=1)[0]),
    )


def replication(stream: ApiStream) -> str:
    """How a stream is read again, and whether it is read by default."""
    return again(stream) + ("" if stream.selected_by_default else "; off")


def again(stream: ApiStream) -> str:
    """How a stream is read again."""
    if not stream.replication_key:
        parent: Any = stream.parent_stream_type
        return f"with new `{parent.name}`" if reads_new_only(stream) else "whole"
    back = stream.lookback
    span = f"{back // DAY} days" if back and back % DAY == 0 else f"{back} seconds"
    before = "before the run" if stream.made_at else "before"
    return f"new by `{stream.replication_key}`" + (f", and {span} {before}" if back else "")


def reads_new_only(stream: ApiStream) -> bool:
    """Whether it is read for those rows of its parent alone that are new."""
    parent: Any = stream.parent_stream_type
    return bool(parent and parent.replication_key and not stream.for_every_parent)


def full_read(streams: Sequence[ApiStream]) -> str:
    """When it is seen that rows are gone, and what that costs of incremental streams."""
    incremental = [stream for stream in streams if stream.replication_key]
    if not incremental:
        every = "Every stream is read whole in every run, so that each run tells which rows are gone"
        ending = any(stream.ends_at for stream in streams)
        return every + ("; but for lists that `children_since` leaves out." if ending else ".")
    by_size: dict[int, list[str]] = {}
    for stream in incremental:
        by_size.setdefault(stream.get_new_paginator().size or 0, []).append(f"`{stream.name}`")
    costs = [
        f"a request for {f'every {size} rows' if size else 'all rows'} of {', '.join(names)}"
        for size, names in by_size.items()
    ]
    costs += [
        f"at least one for every row of `{parent.name}`, for its `{stream.name}`"
        for stream in streams
        for parent in incremental
        if stream.parent_stream_type is type(parent)
    ]
    return (
        "Which rows are gone is told after a whole read. `full_read_every` makes one of the incremental "
        f"streams when it is due, at the cost of {'; '.join(costs)}; and often one more, "
        "which proves the end."
    )


def fewer(streams: Sequence[ApiStream]) -> str:
    """Which rows the settings for fewer requests leave out, of which streams."""
    incremental = [stream for stream in streams if stream.replication_key]
    ending = [stream for stream in streams if stream.ends_at]
    cut: dict[bool, list[str]] = {True: [], False: []}
    for stream in incremental:
        cut[bool(stream.until(NEW_YEAR))].append(f"`{stream.name}`")
    said = []
    if incremental:
        rest = f" Of {', '.join(cut[False])} the tap leaves out the others." if cut[False] else ""
        asked = f"the API is asked for the rows between them alone of {', '.join(cut[True])}.{rest}"
        said.append(f"With `start_date` and `end_date`, {asked} All other streams are read as ever.")
    for stream in ending:
        fate = "waits until all lists are read"
        if stream.made_at:
            fate = f"is read once, if `{stream.made_at}` says that it was made since the last run"
        said.append(
            f"With `children_since`, the lists of `{stream.name}` are read no more so many days after "
            f"`{stream.ends_at[0]}`, and always if that is null. One entered after it had ended {fate}."
        )
    return "\n\n".join([*said, "More on these settings is in [Running it](running.md#fewer-requests)."])


def filters(streams: Sequence[ApiStream]) -> dict[str, str]:
    """The filters of each stream that has any, as a Markdown table, and one of them as an example."""
    filtered = [stream for stream in streams if stream.filters]
    rows = [(f"`{stream.name}`", ", ".join(f"`{name}`" for name in stream.filters)) for stream in filtered]
    example = {filtered[0].name: {filtered[0].filters[0]: "…"}} if filtered else {}
    return {
        "filters": table(("Stream", "Parameters"), rows),
        "example": json.dumps(example, ensure_ascii=False),
    }


def diagram(streams: Sequence[ApiStream]) -> str:
    """The entity-relationship diagram, in Mermaid's language."""
    lines = ["erDiagram"]
    for stream in streams:
        lines += [f"  {stream.name} {{", *(f"    {line}" for line in _columns(stream, streams)), "  }"]
    for stream in streams:
        parent: Any = stream.parent_stream_type
        if parent:
            lines.append(f"  {parent.name} ||--o{{ {stream.name} : has")
        for field, other in references(stream, streams):
            if not parent or other.name != parent.name:
                lines.append(f"  {other.name} |o..o{{ {stream.name} : {field}")
    return "\n".join(lines)


def _columns(stream: ApiStream, streams: Sequence[ApiStream]) -> Iterator[str]:
    properties = stream.schema["properties"]
    foreign = dict.fromkeys([*_parent_fields(stream), *(field for field, _ in references(stream, streams))])
    for field in dict.fromkeys([*stream.primary_keys, *foreign]):
        marks = [*(["PK"] if field in stream.primary_keys else []), *(["FK"] if field in foreign else [])]
        kind = re.sub(r"\W+", "_", kind_of(properties.get(field, {})))
        yield f"{kind} {field} {', '.join(marks)}"


def _parent_fields(stream: ApiStream) -> list[str]:
    parent: Any = stream.parent_stream_type
    named = dict(stream.parent_fields) or {key: key for key in getattr(parent, "child_keys", {})}
    return [field for field in named if field in stream.schema["properties"]]


def references(stream: ApiStream, streams: Sequence[ApiStream]) -> Iterator[tuple[str, ApiStream]]:
    """Fields that are named after another stream's key: `order_id`, `eventTypeId`."""
    for other in streams:
        one = re.sub(r"ies$", "y", other.name) if other.name.endswith("ies") else other.name.removesuffix("s")
        for field in stream.schema["properties"]:
            plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower()
            if other is not stream and plain == f"{one}_id" and [*other.keys_in_list] == ["id"]:
                yield field, other


def _fields(stream: ApiStream) -> str:
    rows = [
        (
            f"`{name}`",
            kind_of(schema),
            "yes" if nullable(schema) else "",
            _text(schema.get("description", "")),
        )
        for name, schema in _flat(stream.schema["properties"])
    ]
    head = ("Field", "Type", "Can be null", "Meaning")
    columns = len(head) if any(row[-1] for row in rows) else len(head) - 1
    return f"### {stream.name}\n\n{words(stream)}\n\n" + table(
        head[:columns], [row[:columns] for row in rows]
    )


def _flat(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Fields, and the fields inside of them: `order.id`, `rewards[].id`."""
    for name, schema in properties.items():
        yield prefix + name, schema
        inner, mark = schema, ""
        while "items" in inner and "properties" not in inner:
            inner, mark = inner["items"], f"{mark}[]"
        for part in (inner, *alternatives(inner)):
            yield from _flat(part.get("properties", {}), f"{prefix}{name}{mark}.")


def kind_of(schema: Mapping[str, Any]) -> str:
    """The type of a field in words."""
    formats = {"date-time": "timestamp", "date": "date"}
    if schema.get("format") in formats:
        return formats[schema["format"]]
    found = types(dict(schema))
    words = [
        f"array of {kind_of(schema['items'])}" if t == "array" and "items" in schema else t for t in found
    ]
    return " or ".join(words) or "anything"


def nullable(schema: Mapping[str, Any]) -> bool:
    """Whether a field can be null."""
    return not schema or "null" in schema.get("type", []) or any(map(nullable, alternatives(dict(schema))))


def words(stream: ApiStream) -> str:
    """The docstring of a stream."""
    return inspect.cleandoc(type(stream).__doc__ or "")


def _text(words: str) -> str:
    """Words as a table's cell holds them."""
    return " ".join(words.split()).replace("|", "\\|")
