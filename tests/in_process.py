"""A tap's command run in this process: as quick as a call, with its exit code and its log."""

from __future__ import annotations

import contextlib
import io
import json
import logging

from support import KEY, Output

SETTINGS = {"max_retries": 0, "backoff_factor": 0.01, "requests_per_minute": 100_000}


def call(tap, folder, *arguments, url="http://127.0.0.1:9", state=None, catalog=None, **config):
    """Run a tap; what is given as text or bytes is put into its file as it is, else as JSON."""
    key = "bearer_token" if tap.name == "tap-promotions" else "api_key"
    files = {"config": {"api_url": url, key: KEY, **SETTINGS, **config}, "state": state, "catalog": catalog}
    words = [*arguments]
    for name, content in files.items():
        if content is not None:
            path = folder / f"{name}.json"
            data = content if isinstance(content, (bytes, str)) else json.dumps(content)
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
            words += [f"--{name}", str(path)]
    out, lines, code = io.StringIO(), [], 0
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(f"{record.levelname} {handler.format(record)}")
    root = logging.getLogger()
    before, level = [*root.handlers], root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with contextlib.redirect_stdout(out):
            tap.cli.main(words, standalone_mode=False)
    except SystemExit as end:
        code = end.code
    finally:
        root.handlers[:] = before  # the SDK adds its own with each command
        root.setLevel(level)
    return Output(out.getvalue(), "\n".join(lines), code)


def said(output, level="ERROR"):
    """The lines of a level; none of any call may be a traceback."""
    assert "Traceback" not in output.log
    return [line.removeprefix(f"{level} ") for line in output.log.splitlines() if line.startswith(level)]


def points(output):
    """The points of the METRIC lines of a run, each of them parsed."""
    lines = [line.partition("METRIC: ")[2] for line in output.log.splitlines() if "METRIC: " in line]
    return [json.loads(line) for line in lines]


def select(tap, *streams, **root):
    """The catalog of a tap with these streams selected, and this metadata for each of them."""
    catalog = json.loads(call_discover(tap))
    for stream in catalog["streams"]:
        chosen = stream["tap_stream_id"] in streams
        entry = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])
        named = {name.replace("_", "-"): value for name, value in root.items()} if chosen else {}
        entry["metadata"] |= {"selected": chosen, **named}
    return catalog


def call_discover(tap):
    """What `--discover` prints."""
    return tap(config={}, validate_config=False, setup_mapper=False).catalog_json_text


def refusal(folder, tap, catalog):
    """The one line that a run ends with before it has asked for anything."""
    output = call(tap, folder, catalog=catalog)
    assert output.code == 1
    assert not output.messages
    (line,) = said(output)
    return line


def entry_of(catalog, stream):
    return next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == stream)


def with_entry(catalog, stream, **values):
    entry_of(catalog, stream).update(values)
    return catalog
