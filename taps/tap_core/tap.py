"""`ApiTap`: what the taps have in common besides their streams: settings, client, command."""

from __future__ import annotations

import signal
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_core.account import DELETES_OF_ACCOUNTS, keep_account
from tap_core.batches import are_arrow, batch_errors
from tap_core.catalog import with_methods
from tap_core.command import CommandTap
from tap_core.errors import ApiError, RunEnds, Stopped, raise_first
from tap_core.filters import filter_errors
from tap_core.http.client import ApiClient, Limits
from tap_core.http.response import Refusals
from tap_core.maps import mapping_errors
from tap_core.null_marks import set_null_marks
from tap_core.outcome import raise_if_incomplete
from tap_core.parents import parents_errors
from tap_core.records.writer import MessageWriter
from tap_core.redaction import first_few, redact_logs
from tap_core.run import Run
from tap_core.selection import select_errors
from tap_core.settings import (
    MOST_CONCURRENT,
    PACKAGE,
    default_user_agent,
    parse_numbers,
    rename_old_settings,
    secret_values,
    secrets_in_urls,
)
from tap_core.validation import (
    bookmark_errors,
    config_errors,
    settings_warnings,
    state_warnings,
    unknown_settings,
)
from tap_core.window import describe_window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog

    from tap_core.stream import ApiStream

_GRACE = 4.0
"""Seconds that a stopped run has to write its STATE."""


class ApiTap(CommandTap):
    """A tap over one API. A subclass names its settings, its streams and how it authenticates."""

    package_name = PACKAGE
    message_writer_class = MessageWriter
    message_writer: MessageWriter

    key_setting = "api_key"
    """Name of the setting that holds the credential."""

    rate_limit_factor: float = 1
    """How many times as long to wait after a 429 that names no time as after a fault."""

    most_concurrent = MOST_CONCURRENT
    """Requests that the API allows at once, whatever the setting says."""

    refusal_hints: ClassVar[Mapping[int, str]] = {}
    """What a refusal (401, 403, 404) mostly means with this API, and what to do, as the end of a sentence."""

    def __init__(self, **options: Any) -> None:
        """Set up the tap; nothing is requested.

        Args:
            **options: As for `singer_sdk.Tap`.

        Raises:
            ConfigValidationError: A setting is missing or makes no sense.
        """
        self.began = datetime.now(timezone.utc)
        if isinstance(options.get("catalog"), dict):
            options["catalog"] = with_methods(options["catalog"], self.logger)
        super().__init__(**options)
        if are_arrow(self.config) and not any(batch_errors(self.config)):  # with some, streams are only shown
            from tap_core.arrow_files import ArrowFiles  # noqa: PLC0415 - pyarrow is an extra, and slow to import

            self.message_writer.files = ArrowFiles(self.config["batch_config"], self.name)

    @cached_property
    @override
    def client(self) -> ApiClient:
        """The HTTP client that all streams share."""
        redact_logs(secret_values(self.config_jsonschema, self.config), secrets_in_urls(self.config))
        given = {name: value for name, value in self.config.items() if value is not None}
        config = {**asdict(Limits()), **given}
        limits = Limits(
            request_timeout=float(config["request_timeout"]),
            max_retries=int(config["max_retries"]),
            backoff_factor=float(config["backoff_factor"]),
            max_wait=float(config["max_wait"]),
            max_body=int(config["max_body"]),
            requests_per_minute=config["requests_per_minute"],
            concurrency=min(int(config["concurrency"]), self.most_concurrent),
        )
        return ApiClient(
            limits,
            self.authenticator,
            config.get("user_agent") or default_user_agent(),
            self.logger,
            self.rate_limit_factor,
            counts_at_once=self.most_concurrent < MOST_CONCURRENT,
        )

    @cached_property
    @override
    def http_refusals(self) -> Refusals:
        """What a refusal of this API means."""
        return Refusals(self.key_setting, self.refusal_hint)

    @cached_property
    def current_run(self) -> Run:
        """The one run of this tap."""
        return Run(self, self.message_writer, self.began)

    @override
    def discover_streams(self) -> list[ApiStream]:
        """One stream for each endpoint."""
        return [stream_type(self) for stream_type in self.stream_types]

    def refusal_hint(self, status: int) -> str:
        """What a refusal of this status mostly means; empty if nothing is known."""
        return self.refusal_hints.get(status, "")

    # Running

    @override
    def run(self) -> None:
        """Read all selected streams.

        Raises:
            PartlyRead: Some could not be read; their bookmarks do not move.
            ApiError: Nothing could be read.
            Stopped: The run was interrupted.
        """
        run = self.current_run
        run.start()
        streams: Any = self.streams
        set_null_marks(streams.values())
        for line in self._at_the_start():
            self.logger.info("%s", line)
        try:
            self.sync_all()
            run.try_streams_again()
        except RunEnds as end:
            if end is not run.ended_by:  # it is of no list, but of what was made of the records
                raise
        except Stopped:
            self.write_state(again=True)
            raise Stopped(run.stopped_by) from None
        finally:
            run.close()
        raise_if_incomplete(self, run.readings, run.ended_by)

    def _at_the_start(self) -> Iterator[str]:
        """What is to be known of a run that has such settings, a line each."""
        streams: list[Any] = list(self.streams.values())
        if self.config.get("end_date") and any(stream.replication_key for stream in streams):
            yield f"before {self.config['end_date']}: {describe_window(streams)}"
        if self.config.get("account") and self.config.get("emit_activate_version_messages"):
            yield DELETES_OF_ACCOUNTS

    @override
    def write_stream(self, stream: ApiStream, context: Context | None) -> None:
        """Read a list of a stream, and the children of its records, into messages."""
        self.current_run.write(stream, context)

    @override
    def records_of(self, stream: ApiStream, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read a list of a stream, and yield its records instead of writing them."""
        yield from self.current_run.records(stream, context)

    @override
    def stop(self, signum: int) -> None:
        """SIGINT or SIGTERM: end between two messages, and soon; at once if nothing was begun."""
        run: Run | None = vars(self).get("current_run")
        if run is None:
            raise Stopped(signum)
        if run.stopped_by:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, _GRACE)  # a target that no longer reads can't hold it up
        run.stop(signum)

    # Input

    @override
    def check_settings(self, schema: Mapping[str, Any], settings: dict[str, Any]) -> list[str]:
        """Make the settings ready, and give what is wrong with them; tells of those that have no effect."""
        rename_old_settings(settings, self.logger)
        parse_numbers(settings, schema)
        errors = self.settings_errors(schema, settings)
        if not errors:
            kinds: Sequence[Any] = self.stream_types
            incremental = any(kind.replication_key for kind in kinds)
            known = {name: value for name, value in settings.items() if name in schema["properties"]}
            warnings = settings_warnings(known, self.name, incremental=incremental)
            for line in (*unknown_settings(schema, settings), *warnings):
                self.logger.warning(line)
            keep_account(settings)
        return errors

    def settings_errors(self, schema: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
        """What is wrong with the settings; where that is their form, nothing more is looked at."""
        kinds: Sequence[Any] = self.stream_types
        known = {kind.name: kind.filters for kind in kinds}
        ending = [kind.name for kind in kinds if kind.ends_at]
        return (
            config_errors(schema, settings, key=self.key_setting, prefix=self.env_prefix())
            or list(batch_errors(settings))
            or list(filter_errors(settings.get("filters") or {}, known))
            or list(parents_errors(settings.get("children_since"), ending))
        )

    @override
    def mapping_errors(self, catalog: Catalog) -> Iterator[str]:
        """What is wrong with the settings that change records, given what is read."""
        yield from mapping_errors(self.config, catalog)

    @override
    def check_input(self, state: Mapping[str, Any], *, by_catalog: bool) -> None:
        """See that something is selected, by patterns that match, and tell what of a STATE is passed over.

        Raises:
            ApiError: Nothing would be read, or not what was meant.
        """
        for line in state_warnings(state, self.streams, self.name):
            self.logger.warning("%s", line)
        raise_first(bookmark_errors(state, self.streams))
        fields = {name: stream.schema["properties"] for name, stream in self.streams.items()}
        raise_first(select_errors(fields) if by_catalog else ())
        if not any(stream.selected for stream in self.streams.values()):
            away = f"stream_maps takes away {first_few(self.taken_away)}" if self.taken_away else ""
            raise ApiError(f"no stream is selected: {away or 'there are ' + ', '.join(self.streams)}")
