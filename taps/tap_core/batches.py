"""Checks of `batch_config`, and writers of files that the SDK lacks, or makes with losses.

Files of packed JSON lines are the SDK's. Its files of Parquet have the columns of their first row alone: so
these are written here, list by list as by the SDK. Those of Arrow are of `arrow_files.py`.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.utils import get_protocol
from singer_sdk.batch import BaseBatcher, Batcher, lazy_chunked_generator
from singer_sdk.helpers._batch import BatchConfig, StorageTarget
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from tap_core.account import account_columns, with_account
from tap_core.errors import Hopeless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ARROW = "arrow"
FORMATS = ("jsonl", "parquet", ARROW)
"""What batches can be written as; not each version of the SDK refuses the rest."""

_NO_STORES = ("data", "github", "http", "https", "memory")
"""File systems that can only be read, or are gone with the process."""


class Unwritable(Hopeless):
    """A file can't be written where the setting says."""


@dataclass
class Storage(StorageTarget):
    """Where files go. Each file system has failures of its own kinds; here they are all `Unwritable`."""

    def __post_init__(self) -> None:
        """Take a plain path for the URL that it is short for: the SDK gives its files other names else.

        In those, `=` and blanks are `%3D` and `%20`, which targets of the SDK don't read as what they are.
        """
        if "://" not in self.root:
            self.root = f"file://{Path(self.root).expanduser().absolute()}"

    @override
    @contextmanager
    def open(self, filename: str, mode: str = "rb") -> Iterator[IO[Any]]:
        """A file to write into, for a `with`.

        Raises:
            Unwritable: It can't be opened, written or closed.
        """
        try:
            with super().open(filename, mode) as file:
                yield file
        except Exception as error:  # noqa: BLE001  as the class says
            why = getattr(error, "strerror", None) or _first_line(error)
            setting = "prefix" if "/" in (self.prefix or "") else "root"
            place = "/".join([self.root, *[str(self.prefix)] * (setting == "prefix")])
            msg = f"batch_config.storage.{setting}: nothing can be written to {place} ({why})"
            raise Unwritable(msg) from None


def _member(found: Any, name: str) -> Any:
    """What an object holds; None where there is none: `--discover` shows the streams whatever is set."""
    return found.get(name) if isinstance(found, dict) else None


def _form(config: Mapping[str, Any]) -> Any:
    return _member(_member(config.get("batch_config"), "encoding"), "format")


def are_arrow(config: Mapping[str, Any]) -> bool:
    """Whether rows go into Arrow files, wherever they would go into RECORD messages otherwise."""
    return bool(_form(config) == ARROW)


def are_by_list(config: Mapping[str, Any]) -> bool:
    """Whether rows go into files of the SDK's, each of one list: they wait for the list's other rows then."""
    return bool(config.get("batch_config")) and not are_arrow(config)


def with_arrow(setting: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of the setting; versions of the SDK that don't know Arrow name all formats but this one."""
    setting = {**deepcopy(setting)}
    form = setting["properties"]["encoding"]["properties"]["format"]
    if "enum" in form:
        form["enum"] = [*dict.fromkeys([*form["enum"], ARROW])]
    return setting


class _OwnFiles(BaseBatcher):
    """Files that are written here."""

    def _numbered(
        self, records: Iterator[dict[str, Any]], ending: str
    ) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
        """The name of each file, and its records."""
        setting = self.batch_config
        run = f"{setting.storage.prefix or ''}{self.tap_name}--{self.stream_name}-{uuid4()}"
        for number, chunk in enumerate(lazy_chunked_generator(records, setting.batch_size), start=1):
            yield run + ending.format(number), chunk


class PlainLines(_OwnFiles):
    """Writes records into files of JSON lines, as they are."""

    @override
    def get_batches(self, records: Iterator[dict[str, Any]]) -> Iterator[list[str]]:
        """The files as they are written, each alone in a list."""
        storage = self.batch_config.storage
        for name, chunk in self._numbered(records, "-{}.jsonl"):
            with storage.open(name, "wb") as file:
                file.writelines(f"{serialize_json(record)}\n".encode() for record in chunk)
            yield [storage.get_url(name)]


class ParquetFiles(_OwnFiles):
    """Writes records into files of Parquet, with the columns of the stream's SCHEMA.

    Args:
        stream: The stream, whose one map makes the records.
        batches: The setting.
    """

    def __init__(self, stream: Any, batches: BatchConfig) -> None:
        super().__init__(stream.tap_name, stream.name, batches)
        (mapping,) = stream.mappings
        made = {"properties": mapping.properties}
        self._properties = with_account(made, account_columns(stream.config))["properties"]
        self._alias = mapping.alias

    @override
    def get_batches(self, records: Iterator[dict[str, Any]]) -> Iterator[list[str]]:
        """The files as they are written, each alone in a list.

        Raises:
            Hopeless: A file can't be written, or hold a value.
        """
        from pyarrow.parquet import write_table  # noqa: PLC0415 - pyarrow is an extra, and slow to import

        from tap_core.records.parquet import parquet_table  # noqa: PLC0415 - as it needs that too

        storage, packed = self.batch_config.storage, self.batch_config.encoding.compression == "gzip"
        for name, chunk in self._numbered(records, "={}.parquet" + ".gz" * packed):
            table = parquet_table(self._alias, self._properties, list(chunk))
            with storage.open(name, "wb") as file:
                write_table(table, file, compression="gzip" if packed else "snappy")
            yield [storage.get_url(name)]


def _batcher(stream: Any, batches: BatchConfig) -> BaseBatcher:
    if batches.encoding.format == "parquet":
        return ParquetFiles(stream, batches)
    plain = batches.encoding.compression != "gzip"
    return (PlainLines if plain else Batcher)(stream.tap_name, stream.name, batches)


def written_files(
    stream: Any, batches: BatchConfig, records: Iterator[dict[str, Any]]
) -> Iterator[list[str]]:
    """The files that records are written into, JSON lines packed only if the setting says so.

    Raises:
        Hopeless: A file can't be written, or hold a value; the stream's STATE is then as before.
    """
    batches = replace(batches, storage=Storage(**batches.storage.asdict()))
    before = dict(stream.stream_state)
    try:
        yield from _batcher(stream, batches).get_batches(records)
    except Hopeless:
        stream.stream_state.clear()
        stream.stream_state.update(before)  # what was read may be in no file
        raise


def batch_errors(config: Mapping[str, Any]) -> Iterator[str]:
    """Why no batches can be written as the setting says; nothing where it is not set."""
    batches = config.get("batch_config")
    if not batches:
        return
    form = _form(config)
    root = str(_member(_member(batches, "storage"), "root") or "")
    if form not in FORMATS:
        said = "must be" if form else "is missing: it must be"
        yield f"batch_config.encoding.format {said} one of {', '.join(FORMATS)}"
    if not root:
        yield "batch_config.storage.root is missing: it must name a folder, as file:///tmp/batches"
    if form in {"parquet", ARROW} and not find_spec("pyarrow"):
        how = "`pip install 'pyarrow>=20'`, or in Meltano `[arrow]` behind the path in its pip_url"
        yield f"batch_config.encoding.format: {form} needs pyarrow beside the tap: {how}"
    if form == ARROW and batches["encoding"].get("compression") not in {None, "none"}:
        yield "batch_config.encoding.compression: Arrow files are not packed: leave it out"
    size = batches.get("batch_size")
    if size is not None and (type(size) is not int or size < 1):
        yield "batch_config.batch_size must be 1 or more"
    maps = config.get("stream_maps") if are_by_list(config) else None
    for name, rules in maps.items() if isinstance(maps, dict) else ():
        if isinstance(rules, dict) and "__source__" in rules:
            yield f"batch_config: stream_maps: {name}: a stream's copy (`__source__`) can't come in batches"
    if form in FORMATS and root:
        yield from _storage_errors(batches, root)


def _storage_errors(batches: Mapping[str, Any], root: str) -> Iterator[str]:
    try:
        storage = BatchConfig.from_dict(dict(batches)).storage
    except TypeError as error:
        yield f"batch_config: {str(error).rpartition('() ')[2]}"
        return
    if get_protocol(root) in _NO_STORES:
        yield f"batch_config.storage.root: {root} can't be used: nothing can be kept there"
        return
    try:
        storage.get_url("batch")
        url_to_fs(root, **storage.params)
    except Exception as error:  # noqa: BLE001  each file system has failures of its own kinds
        yield f"batch_config.storage.root: {root} can't be used ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
