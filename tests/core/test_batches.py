"""Batches: compressed as the setting says, or a line that says why there can be none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest
from fsspec import register_implementation
from fsspec.implementations.local import LocalFileSystem

from in_process import call, said, select
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from two_taps import CUSTOMERS, billing, events


def config(folder, **encoding):
    return {"encoding": {"format": "jsonl", **encoding}, "storage": {"root": folder.as_uri()}}


def rows(output, stream, unpack):
    """The records of a stream's batches."""
    found = []
    for message in output.messages:
        if message["type"] == "BATCH" and message["stream"] == stream:
            for url in message["manifest"]:
                data = Path(url2pathname(urlparse(url).path)).read_bytes()
                found += [json.loads(line) for line in unpack(data).splitlines()]
    return found


@pytest.mark.parametrize(
    ("encoding", "unpack"),
    [({}, bytes), ({"compression": "none"}, bytes), ({"compression": "gzip"}, gzip.decompress)],
)
def test_J07_batches_are_packed_as_the_setting_says(tmp_path, encoding, unpack):
    batches = config(tmp_path / "files", **encoding)
    with billing() as api:
        output = call(
            TapBilling, tmp_path, url=api.url, catalog=select(TapBilling, "customers"), batch_config=batches
        )
    assert output.code == 0, output.log
    assert [row["id"] for row in rows(output, "customers", unpack)] == [row["id"] for row in CUSTOMERS]
    (batch,) = (message for message in output.messages if message["type"] == "BATCH")
    assert batch["encoding"].get("compression") == encoding.get("compression")
    assert output.messages[-1]["type"] == "STATE"
    assert output.state["bookmarks"]["customers"]["replication_key_value"] == CUSTOMERS[-1]["updated_at"]
    with events() as api:
        catalog = select(TapEvents, "events", "attendees")
        output = call(TapEvents, tmp_path, url=api.url, catalog=catalog, batch_config=batches)
    assert output.code == 0, output.log
    assert [row["id"] for row in rows(output, "events", unpack)] == [1, 2, 3]
    assert [row["id"] for row in rows(output, "attendees", unpack)] == [10, 20, 30]


def test_J07_batches_hold_records_as_the_maps_make_them(tmp_path):
    maps = {"customers": {"__alias__": "people", "email": None, "__filter__": "id > 2"}}
    with billing() as api:
        output = call(
            TapBilling,
            tmp_path,
            url=api.url,
            catalog=select(TapBilling, "customers"),
            batch_config=config(tmp_path / "files"),
            stream_maps=maps,
        )
    found = rows(output, "people", bytes)
    assert [row["id"] for row in found] == [3, 4, 5]
    assert all("email" not in row for row in found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"storage": None}, "batch_config.storage.root is missing"),
        ({"storage": {}}, "batch_config.storage.root is missing"),
        ({"encoding": None}, "batch_config.encoding.format is missing"),
        ({"encoding": {"compression": "gzip"}}, "batch_config.encoding.format is missing"),
        ({"encoding": {"format": "csv"}}, "batch_config.encoding.format must be one of jsonl, parquet"),
        (
            {"encoding": {"format": "jsonl", "compression": "zip"}},
            "batch_config.encoding.compression must be one",
        ),
        ({"encoding": {"format": "jsonl", "x": 1}}, "batch_config: got an unexpected keyword argument 'x'"),
        ({"storage": {"root": "nowhere://x"}}, "batch_config.storage.root: nowhere://x can't be used"),
        ({"storage": {"root": 3}}, "batch_config.storage.root must be a text"),
        ({"batch_size": 0}, "batch_config.batch_size must be 1 or more"),
        ({"batch_size": "x"}, "batch_config.batch_size must be 1 or more"),
    ],
)
@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
def test_J07_batches_that_can_not_be_written_are_refused(tmp_path, tap, change, words):
    output = call(tap, tmp_path, batch_config={**config(tmp_path), **change})
    assert output.code == 1
    assert not output.messages
    assert said(output)[0].startswith(words)


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
@pytest.mark.parametrize("form", ["jsonl", "arrow"])
@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("memory://x", "nothing can be kept there"),
        ("github://owner/x", "nothing can be kept there"),
        ("unheard-of://x", "Protocol not known: unheard-of"),
        ("packageless://x", "Install no_such_package to write there"),
    ],
)
def test_a_storage_that_keeps_nothing_is_refused_before_any_request(tmp_path, tap, form, root, words):
    module = "no_such_package.FileSystem"
    register_implementation(
        "packageless", module, errtxt="Install no_such_package to write there", clobber=True
    )
    batches = {"encoding": {"format": form}, "storage": {"root": root}}
    with billing() if tap is TapBilling else events() as api:
        output = call(tap, tmp_path, url=api.url, batch_config=batches)
    assert output.code == 1
    assert not api.paths
    (line,) = said(output)
    assert line.startswith(f"batch_config.storage.root: {root} can't be used")
    assert words in line


@pytest.mark.parametrize("form", ["jsonl", "arrow"])
def test_a_store_that_fails_in_a_way_of_its_own_ends_the_run_in_a_line(tmp_path, monkeypatch, form):
    """As the clients of clouds do, which have failures of their own kinds."""

    def refuse(*_, **__):
        msg = "no credentials were found"
        raise RuntimeError(msg)

    monkeypatch.setattr(LocalFileSystem, "open", refuse)
    batches = config(tmp_path / "files", format=form)
    with billing() as api:
        catalog = select(TapBilling, "customers")
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog, batch_config=batches)
    assert output.code == 1
    assert said(output)[-1].endswith("(no credentials were found)")
    assert not any(output.state["bookmarks"]["customers"].values())


def test_J07_a_stream_s_copy_is_refused(tmp_path):
    maps = {"people": {"__source__": "customers"}}
    output = call(TapBilling, tmp_path, batch_config=config(tmp_path), stream_maps=maps)
    assert "a stream's copy (`__source__`) can't come in batches" in said(output)[0]


@pytest.mark.parametrize(
    ("tap", "server", "stream"), [(TapBilling, billing, "customers"), (TapEvents, events, "events")]
)
@pytest.mark.parametrize("form", ["jsonl", "parquet", "arrow"])
@pytest.mark.parametrize("root", ["a b/files", "~/files", "ABSOLUTE", "file://ABSOLUTE"])
def test_a_plain_path_is_as_good_as_a_url(tmp_path, monkeypatch, tap, server, stream, form, root):
    """The SDK's targets and the loader find the files: a manifest has the names that they are called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    root = root.replace("ABSOLUTE", str(tmp_path / "files"))
    batches = {"encoding": {"format": form}, "storage": {"root": root}}
    with server() as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream), batch_config=batches)
    assert output.code == 0, output.log
    named = {url for message in output.messages for url in message.get("manifest", ())}
    folder = tmp_path / ("a b/files" if root.startswith("a b") else "files")
    assert named
    assert named == {f"file://{path}" for path in folder.iterdir()}


@pytest.mark.parametrize("form", ["jsonl", "arrow"])
def test_a_folder_that_the_prefix_names_and_is_not_there_is_told_by_its_setting(tmp_path, form):
    batches = config(tmp_path, format=form)
    batches["storage"]["prefix"] = "p/q-"
    with billing() as api:
        catalog = select(TapBilling, "customers")
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog, batch_config=batches)
    assert output.code == 1
    place = f"{tmp_path.as_uri()}/p/q-"
    assert f"batch_config.storage.prefix: nothing can be written to {place}" in said(output)[-1]


@pytest.mark.parametrize("form", ["jsonl", "arrow"])
def test_J07_a_folder_that_can_not_be_written_ends_the_run_and_moves_no_bookmark(tmp_path, form):
    (tmp_path / "file").write_text("in the way")
    with billing() as api:
        output = call(
            TapBilling,
            tmp_path,
            url=api.url,
            catalog=select(TapBilling, "customers"),
            batch_config=config(tmp_path / "file" / "below", format=form),
        )
    assert output.code == 1
    assert "batch_config.storage.root: nothing can be written to file://" in said(output)[-1]
    assert not any(output.state["bookmarks"]["customers"].values())
