"""The SDK's tap and stream, as the core uses them.

What the SDK calls is overridden here and calls the core's own hooks; nothing else in the core inherits from
the SDK's `Tap` or `Stream`, or names a private member of theirs.
"""

from __future__ import annotations

import contextlib
import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Tap
from singer_sdk.exceptions import (
    ConfigValidationError,
)
from singer_sdk.plugin_base import _ConfigInput as ConfigInput
from singer_sdk.singerlib import Schema, StateMessage
from singer_sdk.streams import Stream
from singer_sdk.streams.rest import RESTStream
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from types import FrameType

    import requests
    from singer_sdk.helpers.types import Context

    from tap_core.http.client import ApiClient
    from tap_core.http.response import Refusals

__all__ = ["ConfigInput", "SdkStream", "SdkTap"]


class SdkTap(Tap):
    """What the SDK calls of a tap, and the hooks that it leads to."""

    def __init__(self, **options: Any) -> None:
        """Set up the tap and its streams; nothing is requested.

        Args:
            **options: As for `singer_sdk.Tap`.
        """
        with self._quiet():
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

    @abstractmethod
    def write_stream(self, stream: Any, context: Context | None) -> None:
        """Read a list of a stream, and the children of its records, into messages."""

    @abstractmethod
    def records_of(self, stream: Any, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read a list of a stream, and yield its records instead of writing them."""

    @abstractmethod
    def settings_errors(self, schema: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
        """What is wrong with the settings."""

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
    @contextlib.contextmanager
    def _quiet(cls) -> Iterator[None]:
        """Without the SDK's lines about every step of its set-up, unless debugging."""
        level = cls.logger.level
        if cls.logger.getEffectiveLevel() == logging.INFO:
            cls.logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            cls.logger.setLevel(level)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.stop(signum)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, each with a line of its own that says what to do."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        errors = self.settings_errors(schema, self._config)
        if errors and raise_errors:
            msg = "The settings make no sense"
            raise ConfigValidationError(msg, errors=errors, schema=schema)
        for name, field in schema["properties"].items():
            if field.get("default") is not None and self._config.get(name) is None:
                self._config[name] = field["default"]
        return errors

    @override
    def setup_mapper(self) -> None:
        """Bring an old catalog up to date, so that fields it does not know are read."""
        for stream in self.discover_streams() if self.input_catalog else ():
            entry = self.input_catalog.get_stream(stream.name) if self.input_catalog else None
            if entry:
                schema = entry.schema.to_dict()
                schema["properties"] = {**stream.schema["properties"], **schema.get("properties", {})}
                entry.schema = Schema.from_dict(cast("SdkStream", stream).public(schema))
                entry.key_properties = entry.key_properties or stream.primary_keys
        super().setup_mapper()


class SdkStream(RESTStream[dict[str, Any]]):
    """What the SDK calls of a stream, and the hooks that it leads to."""

    tap: SdkTap

    def __init__(self, tap: SdkTap) -> None:
        """Set up the stream of a tap; nothing is requested."""
        super().__init__(tap)
        self.tap = tap
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
    def apply_catalog(self, catalog: Any) -> None:
        """Take selection and overrides from a catalog; what it leaves out stays as the tap knows it."""
        keys, replication_key = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        if catalog.get_stream(self.name) is None:
            return
        self.primary_keys = self.primary_keys or keys
        self.replication_key = self.replication_key or replication_key

    def public(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A catalog's schema without columns that must not be emitted."""
        return schema

    # Versions: what a target needs to see which rows are gone

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would send the message before the first record; the core does after the last."""
        return False

    @property
    def claims_deletes(self) -> bool:
        """Whether the setting asks for versions."""
        return bool(self.config.get("emit_activate_version_messages"))

    @property
    def version(self) -> int | None:
        """The version that records are written with."""
        return self._stream_version

    def begin_version(self) -> None:
        """Write records under a version of this run from now on."""
        self._stream_version = self._initialized_at // 1000

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
            super()._write_schema_message()

    def state_changed(self) -> None:
        """Rows were written, or a bookmark moved, since the last STATE."""
        self.state_manager.is_flushed = False

    def check_limit(self, count: int) -> None:
        """End the stream here if this is a dry run and has read enough."""
        self._check_max_record_limit(count)

    @property
    def has_post_process(self) -> bool:
        """Whether records are changed by a method of the stream's own."""
        return type(self).post_process is not Stream.post_process

    @property
    def children(self) -> list[Any]:
        """The child streams that are selected, or have selected children of their own."""
        return [child for child in self.child_streams if child.selected or child.has_selected_descendents]

    @property
    def selected_descendants(self) -> list[Any]:
        """The selected streams below this one, at any depth."""
        return [child for child in self.descendent_streams if child.selected]
