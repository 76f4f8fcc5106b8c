"""The SDK's tap and stream, as the core uses them.

What the SDK calls is overridden here and calls the core's own hooks; nothing else in the core inherits from
the SDK's `Tap` or `Stream`, or names a private member of theirs.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import _ConfigInput as ConfigInput
from singer_sdk.singerlib import StateMessage
from singer_sdk.streams import Stream
from singer_sdk.streams.rest import RESTStream
from typing_extensions import override

from tap_core.account import account_columns, with_account
from tap_core.batches import are_by_list, with_arrow, written_files
from tap_core.catalog import complete_catalog, deselect
from tap_core.errors import ApiError, raise_first
from tap_core.maps import KEY_LENGTH, MAPS_FAIL, made_errors, register_maps, with_short_names
from tap_core.quiet import without_steps

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    import requests
    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog

    from tap_core.http.client import ApiClient
    from tap_core.http.response import Refusals

__all__ = ["ConfigInput", "SdkStream", "SdkTap"]


class SdkTap(Tap):
    """What the SDK calls of a tap, and the hooks that it leads to."""

    taken_away: Sequence[str] = ()
    """Names of the selected streams of which stream maps leave nothing."""

    def __init__(self, **options: Any) -> None:
        """Set up the tap and its streams; nothing is requested.

        Args:
            **options: As for `singer_sdk.Tap`.
        """
        with without_steps(self.logger):
            super().__init__(**options)
            _ = self.streams  # which the SDK would set up later, and tell of each step

    @property
    @abstractmethod
    def authenticator(self) -> Any:
        """What adds the credential to a request."""

    @property
    @abstractmethod
    def http_refusals(self) -> Refusals:
        """What a refusal of this API means."""

    @property
    @abstractmethod
    def client(self) -> ApiClient:
        """The HTTP client that all streams share."""

    @classmethod
    @abstractmethod
    def description(cls) -> str:
        """What the tap reads, in words."""

    @abstractmethod
    def write_stream(self, stream: Any, context: Context | None) -> None:
        """Read a list of a stream, and the children of its records, into messages."""

    @abstractmethod
    def records_of(self, stream: Any, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read a list of a stream, and yield its records instead of writing them."""

    @abstractmethod
    def check_settings(self, schema: Mapping[str, Any], settings: dict[str, Any]) -> list[str]:
        """Make the settings ready, and give what is wrong with them."""

    @abstractmethod
    def mapping_errors(self, catalog: Catalog) -> Iterator[str]:
        """What is wrong with the settings that change records, given what is read."""

    @abstractmethod
    def stop(self, signum: int) -> None:
        """End the run, and soon: the process got a signal."""

    @classmethod
    def env_prefix(cls) -> str:
        """Beginning of the environment variables' names, as `TAP_EVENTS_`."""
        return str(cls._env_var_prefix)

    def write_state(self, *, again: bool = False) -> None:
        """Write STATE; one that is equal to the last only if `again`."""
        if again:
            self.write_message(StateMessage(value=self.state))
        else:
            self.state_writer.write_state(self.state)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's own settings."""
        super().append_builtin_config(config_jsonschema)
        for name, amended in (("batch_config", with_arrow), (KEY_LENGTH, with_short_names)):
            config_jsonschema["properties"][name] = amended(config_jsonschema["properties"][name])

    @classmethod
    @override
    def _get_about_info(cls) -> Any:
        """What `--about` prints."""
        return replace(super()._get_about_info(), description=cls.description())

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.stop(signum)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, each with a line of its own that says what to do."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        errors = self.check_settings(schema, self._config)
        if errors and raise_errors:
            msg = "The settings make no sense"
            raise ConfigValidationError(msg, errors=errors, schema=schema)
        known = schema["properties"]
        for name in [name for name, value in self._config.items() if value is None or name not in known]:
            del self._config[name]  # null is not set, and nothing else may read what is said to be ignored
        for name, field in known.items():
            if field.get("default") is not None:
                self._config.setdefault(name, field["default"])
        return errors

    @override
    def setup_mapper(self) -> None:
        """Settle what catalog and stream maps say of each stream; `ApiError` if that can't be done."""
        if self.input_catalog is not None:
            complete_catalog(self.input_catalog, self.discover_streams(), self.logger)
        raise_first(self.mapping_errors(self.catalog))
        try:
            super(Tap, self).setup_mapper()  # its own way gives maps to deselected streams as well
            self.taken_away = register_maps(self.mapper, self.catalog)
        except MAPS_FAIL as error:
            raise ApiError(f"stream_maps: {error}") from None
        raise_first(made_errors(self.streams.values()))
        deselect(self.streams[name] for name in self.taken_away)

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what the last run left; the SDK's marks of single parents mean nothing here."""
        bookmarks = self.state.setdefault("bookmarks", {}) if state.get("bookmarks") else {}
        unknown = ("partitions", "progress_markers")
        for name, entry in state.get("bookmarks", {}).items():
            bookmarks[name] = {key: value for key, value in entry.items() if key not in unknown}


class SdkStream(RESTStream[dict[str, Any]]):
    """What the SDK calls of a stream, and the hooks that it leads to."""

    tap: SdkTap

    def __init__(self, tap: SdkTap) -> None:
        """Set up the stream of a tap; nothing is requested."""
        super().__init__(tap)
        self.tap = tap
        self.primary_keys = (*account_columns(self.config), *self.primary_keys)
        self._schema_written = False

    @property
    @override
    def requests_session(self) -> requests.Session:
        """The session that all streams share."""
        return self.tap.client.session

    @property
    @override
    def authenticator(self) -> Any:
        """What adds the credential to a request; shared by all streams."""
        return self.tap.authenticator

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Keep what the SDK says of each sync for debugging; the tap itself says what matters."""
        super().log(message, *args, level=min(level, logging.DEBUG), **kwargs)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The records that `sync` would write, as Python objects."""
        return self.tap.records_of(self, context)

    @override
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], None, None]:
        """Read the stream and its children; replaces the SDK's record by record loop.

        Yields:
            The records, when they are to be batched and not written.
        """
        if write_messages:
            self.tap.write_stream(self, context)
        else:
            yield from self.tap.records_of(self, context)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark itself never passes the start of the run."""

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """The setting, if the SDK is to write files: those of Arrow are the writer's affair."""
        return super().get_batch_config(config) if are_by_list(config) else None

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[Any, list[str]]]:
        """The files of a list's records: JSON lines that are packed only if the setting says so.

        Raises:
            Hopeless: A file can't be written.
        """
        records = self._sync_records(context, write_messages=False)
        for files in written_files(self, batch_config, records):
            yield batch_config.encoding, files

    # Versions: what a target needs to see which rows are gone

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would send the message before the first record; the core does after the last."""
        return False

    @property
    def sends_versions(self) -> bool:
        """Whether the setting asks for versions; the SDK's batches can't carry any."""
        return bool(self.config.get("emit_activate_version_messages")) and not are_by_list(self.config)

    @property
    def version(self) -> int | None:
        """The version that records are written with."""
        return self._stream_version

    def begin_version(self, version: int | None) -> None:
        """Write records under a version from now on."""
        self._stream_version = version

    def activate_version(self) -> None:
        """Tell the target that rows of earlier versions are gone."""
        if self._stream_version is not None:
            self._write_activate_version_message(self._stream_version)

    def write_schema(self) -> None:
        """Write SCHEMA, if it was not written before."""
        self._write_schema_message()

    @override
    def _write_schema_message(self) -> None:
        """SCHEMA once per stream, however many parents it has."""
        if not self._schema_written:
            self._schema_written = True
            for message in self._generate_schema_messages():  # of whose account the SDK's model knows nothing
                message.schema = with_account(message.schema, account_columns(self.config))
                self.tap.write_message(message)

    def state_changed(self) -> None:
        """Rows were written, or a bookmark moved, since the last STATE."""
        self.state_manager.is_flushed = False

    def measure_answer(self, response: requests.Response) -> None:
        """Say how long an answer took, as the SDK does of each; only where debugging, as there are many."""
        if self.metrics_logger.isEnabledFor(logging.DEBUG):
            self._write_request_duration_log(self.path or "", response, None, None)

    def check_limit(self, count: int) -> None:
        """End the stream here if this is a dry run and has read enough."""
        self._check_max_record_limit(count)

    @property
    def has_post_process(self) -> bool:
        """Whether records are changed by a method of the stream's own."""
        return type(self).post_process is not Stream.post_process
