"""`ApiTap`: what the five taps have in common besides their streams."""

from __future__ import annotations

import atexit
import contextlib
import logging
import signal
import time
from abc import abstractmethod
from datetime import datetime, timezone
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib import Schema, StateMessage

from tap_core.cli import NO_TEST, TEST_OPTION, ApiCommand, read_config, read_environment, read_input
from tap_core.errors import ApiError, Stopped
from tap_core.http.client import ApiClient, Limits
from tap_core.http.readahead import ReadAhead
from tap_core.http.response import Refusals
from tap_core.progress import Progress, summarize
from tap_core.records.writer import MessageWriter
from tap_core.redaction import redact_logs
from tap_core.selftest import try_out
from tap_core.settings import DEFAULTS, MOST_CONCURRENT, PACKAGE, default_user_agent, secret_values
from tap_core.validation import catalog_errors, config_errors, state_errors, unknown_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    import click

    from tap_core.errors import Refused
    from tap_core.stream import ApiStream

_STATE_SHARE = 0.05
"""STATE is written when so much of a run's pages has come since the last one: seldom in a long run."""

_STATE_PAGES = 10
_STATE_SECONDS = 60.0
_GRACE = 4.0
"""Seconds that a stopped run has to write its STATE."""


class ApiTap(Tap):
    """A tap over one API. A subclass names its settings, its streams and how it authenticates."""

    package_name = PACKAGE
    message_writer_class = MessageWriter

    key_setting = "api_key"
    """Name of the setting that holds the credential."""

    rate_limit_factor: float = 1
    """How many times as long to wait after a 429 that names no time as after a fault."""

    rate_limit_window: float = 60
    """Seconds for which the API blocks who asks too often, where its 429 names no time."""

    most_concurrent = MOST_CONCURRENT
    """Requests that the API allows at once, whatever the setting says."""

    refusal_hints: ClassVar[Mapping[int, str]] = {}
    """What a refusal (401, 403, 404) mostly means with this API, and what to do, as the end of a sentence."""

    stream_types: ClassVar[Sequence[type[ApiStream]]] = ()

    message_writer: MessageWriter

    def __init__(self, **options: Any) -> None:
        """Set up the tap; nothing is requested.

        Args:
            **options: As for `singer_sdk.Tap`.

        Raises:
            ConfigValidationError: A setting is missing or makes no sense.
        """
        self.began = datetime.now(timezone.utc)
        self.failures: list[str] = []
        self._refusals: dict[ApiStream, Refused] = {}
        self._stopped_by = 0
        self._pages = 0
        self._pages_saved = 0
        self._progress = Progress()
        self._saved_at = time.monotonic()
        with self._quiet():
            super().__init__(**options)
            _ = self.streams  # which the SDK would set up later, and tell of each step
        self.batches = bool(self.config.get("batch_config"))

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

    @property
    @abstractmethod
    def authenticator(self) -> Any:
        """What adds the credential to a request."""

    @cached_property
    def client(self) -> ApiClient:
        """The HTTP client that all streams share."""
        redact_logs(secret_values(self.config_jsonschema, self.config))
        config = {**DEFAULTS, **{name: value for name, value in self.config.items() if value is not None}}
        limits = Limits(
            request_timeout=float(config["request_timeout"]),
            max_retries=int(config["max_retries"]),
            backoff_factor=float(config["backoff_factor"]),
            max_wait=float(config["max_wait"]),
            max_body=int(config["max_body"]),
            requests_per_minute=config.get("requests_per_minute"),
            concurrency=min(int(config["concurrency"]), self.most_concurrent),
        )
        return ApiClient(
            limits,
            self.authenticator,
            config.get("user_agent") or default_user_agent(),
            self.logger,
            self.rate_limit_factor,
            self.rate_limit_window,
        )

    @cached_property
    def http_refusals(self) -> Refusals:
        """What a refusal of this API means."""
        return Refusals(self.key_setting, self.refusal_hint)

    @cached_property
    def ahead(self) -> ReadAhead:
        """The read-ahead that all streams share."""
        return ReadAhead(self.client.limits.concurrency)

    def discover_streams(self) -> list[ApiStream]:
        """One stream for each endpoint."""
        return [stream_type(self) for stream_type in self.stream_types]

    def refusal_hint(self, status: int) -> str:
        """What a refusal of this status mostly means; empty if nothing is known."""
        return self.refusal_hints.get(status, "")

    # Running

    def run(self) -> None:
        """Read all selected streams.

        Raises:
            ApiError: Something could not be read; STATE does not go past it.
            Stopped: The run was interrupted.
        """
        self._progress.start()
        try:
            self.sync_all()
        except Stopped:
            self.write_message(StateMessage(value=self.state))
            raise Stopped(self._stopped_by) from None
        finally:
            self._progress.close()
            self.ahead.close()
            self.state_writer.write_state(self.state)
            summarize(self.streams.values())
        self._settle_refusals()
        if self.failures:
            raise ApiError("; ".join(self.failures))

    def page_done(self) -> None:
        """A page was written: write STATE too, now and then."""
        self._progress.tell(self.streams.values())
        self._pages += 1
        since = self._pages - self._pages_saved
        if (
            since < max(_STATE_PAGES, self._pages * _STATE_SHARE)
            and time.monotonic() - self._saved_at < _STATE_SECONDS
        ):
            return
        self._pages_saved, self._saved_at = self._pages, time.monotonic()
        self.state_writer.write_state(self.state)

    def failed(self, message: str) -> None:
        """Note that something could not be read; the run goes on and ends with an error."""
        self.failures.append(message)

    def refused(self, stream: ApiStream, refusal: Refused) -> None:
        """Note that the key may not read a stream or a list of it; all else is read all the same."""
        self._refusals.setdefault(stream, refusal)
        if stream.rights_by_parent:
            self.logger.warning("%s: %s", stream.name, refusal)

    def _settle_refusals(self) -> None:
        if self._refusals and not self.client.answered:
            raise next(iter(self._refusals.values()))
        for stream, refusal in self._refusals.items():
            refused, lists = stream.totals["refused"], stream.totals["lists"]
            part = f" for {refused} of {lists} parents" if refused and not stream.given_up else ""
            self.logger.warning("Stream %s was skipped%s: %s", stream.name, part, refusal)
        if self._refusals and not self.config.get("allow_skipped_streams"):
            names = ", ".join(stream.name for stream in self._refusals)
            self.failed(
                f"{names} could not be read with this {self.key_setting}; deselect what is not for it"
            )

    def check_stopped(self) -> None:
        """End the run here if it was asked to end; STATE is whole at this point.

        Raises:
            Stopped: It was.
        """
        if self._stopped_by:
            raise Stopped(self._stopped_by)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """SIGINT or SIGTERM: end between two messages, and soon."""
        if self._stopped_by:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
        self._stopped_by = signum
        self.client.stop()
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, _GRACE)  # a target that no longer reads can't hold it up
        if self.ahead.waiting:
            self.check_stopped()

    # Input

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, each with a line of its own that says what to do."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        errors = config_errors(schema, self._config, key=self.key_setting, prefix=self._env_var_prefix)
        if errors and raise_errors:
            msg = "The settings make no sense"
            raise ConfigValidationError(msg, errors=errors, schema=schema)
        if raise_errors:
            for line in unknown_settings(schema, self._config):
                self.logger.warning(line)
            if self._config.get("start_date") and not any(kind.replication_key for kind in self.stream_types):
                self.logger.warning("start_date is ignored: %s reads all of its streams whole", self.name)
        for name, default in ((name, field.get("default")) for name, field in schema["properties"].items()):
            if default is not None and self._config.get(name) is None:
                self._config[name] = default
        return errors

    def setup_mapper(self) -> None:
        """Bring an old catalog up to date, so that fields it does not know are read."""
        for stream in self.discover_streams() if self.input_catalog else ():
            entry = self.input_catalog.get_stream(stream.name)  # type: ignore[union-attr]
            if entry:
                schema = entry.schema.to_dict()
                schema["properties"] = {**stream.schema["properties"], **schema.get("properties", {})}
                entry.schema = Schema.from_dict(schema)
                entry.key_properties = entry.key_properties or stream.primary_keys
        super().setup_mapper()

    # Command line

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:  # noqa: ARG003
        """Read the config files; the environment fills in what they leave out, or goes first with `ENV`."""
        cls.append_builtin_config(cls.config_jsonschema)
        files = read_config(tuple(path for path in value if path != "ENV"))
        environment = read_environment(cls.config_jsonschema["properties"], cls._env_var_prefix)
        return _ConfigInput(files | environment if "ENV" in value else environment | files)

    @classmethod
    def invoke(  # type: ignore[override]  # noqa: PLR0913  the options of the command, as in the SDK's taps
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        test: str = NO_TEST,
    ) -> None:
        """Run the tap as its command does; the arguments are the command's options."""
        if about:
            cls.print_about(about_format)
            return
        settings = config.config if config else {}
        redact_logs(secret_values(cls.config_jsonschema, settings))
        cls.print_version(print_fn=cls.logger.info)
        given_catalog = read_input(catalog, "catalog") if catalog else None
        given_state = read_input(state, "state") if state else {}
        if errors := [*(catalog_errors(given_catalog) if catalog else []), *state_errors(given_state)]:
            raise ApiError(errors[0])
        tap = cls(config=settings, state=given_state, catalog=given_catalog)
        if test == NO_TEST:
            tap.run()
            for signum in (signal.SIGINT, signal.SIGTERM):  # all is written: there is nothing left to stop
                atexit.register(signal.signal, signum, signal.SIG_IGN)
        elif test == "schema":
            tap.write_schemas()
        elif not try_out(tap):
            raise SystemExit(1)

    @classmethod
    def get_singer_command(cls) -> ApiCommand:
        """The tap's command: the SDK's options, and failures told in a line."""
        command = super().get_singer_command()
        return ApiCommand(
            name=command.name,
            callback=cls.invoke,
            context_settings=command.context_settings,
            params=[TEST_OPTION if option.name == "test" else option for option in command.params],
            help=f"Read from the API as a Singer tap. {cls.__doc__}",
            logger=cls.logger,
        )
