"""Reads the Arrow files that BATCH messages name, as the values that RECORD messages would have."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pyarrow as pa

from tap_core.records.values import as_plain_moment


def into(folder, **more):
    """The setting that writes Arrow files into a folder."""
    return {"encoding": {"format": "arrow"}, "storage": {"root": folder.as_uri()}, **more}


def path_of(url):
    return Path(url2pathname(urlparse(url).path))


def tables(messages, stream):
    """The files of a stream, in order."""
    batches = [m for m in messages if m["type"] == "BATCH" and m["stream"] == stream]
    return [pa.ipc.open_file(path_of(url)).read_all() for batch in batches for url in batch["manifest"]]


def rows(messages, stream):
    """The rows of a stream's files, with times as `plain` has them."""
    return [row for table in tables(messages, stream) for row in rows_of(table)]


def rows_of(table):
    columns = [values(column.combine_chunks()) for column in table.columns]
    return [dict(zip(table.column_names, found, strict=True)) for found in zip(*columns, strict=True)]


def values(array):
    if isinstance(array.type, pa.BaseExtensionType):
        assert array.type.extension_name == "arrow.json"
        texts = array.storage.to_pylist()
        return [None if text is None else json.loads(text, parse_float=Decimal) for text in texts]
    if pa.types.is_timestamp(array.type):
        moments = array.cast(pa.string()).to_pylist()
        return [moment and as_plain_moment(moment.replace(" ", "T")) for moment in moments]
    if pa.types.is_date(array.type):
        return array.cast(pa.string()).to_pylist()
    return array.to_pylist()


def plain(record, properties):
    """A record with each field of its schema, and with times as they are in UTC."""
    return {
        name: as_plain_moment(record.get(name)) if field.get("format") == "date-time" else record.get(name)
        for name, field in properties.items()
    }
