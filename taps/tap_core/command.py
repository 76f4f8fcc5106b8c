"""`CommandTap`: a tap's command line: its options read, and a run begun as they say."""

from __future__ import annotations

import atexit
import logging
import os
import signal
from abc import abstractmethod
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.cli import plugin_cli
from typing_extensions import override

from tap_core.catalog import catalog_errors
from tap_core.cli import NO_TEST, ApiCommand, read_environment
from tap_core.errors import raise_first
from tap_core.files import read_catalog, read_config, read_state
from tap_core.redaction import public_address, redact_logs
from tap_core.sdk import ConfigInput
from tap_core.selftest import try_out
from tap_core.settings import secret_values, secrets_in_urls
from tap_core.stream_groups import GroupedTap
from tap_core.validation import state_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click


class CommandTap(GroupedTap):
    """A tap that is run by its command."""

    @abstractmethod
    def run(self) -> None:
        """Read all selected streams."""

    @abstractmethod
    def check_input(self, state: Mapping[str, Any], *, by_catalog: bool) -> None:
        """See that something is selected, and tell what of a STATE is passed over."""

    @plugin_cli
    @override
    def cli(cls) -> click.Command:  # noqa: N805
        """The command; it ends here, with a line, if there is no such level to log at."""
        for variable in (f"{cls.env_prefix()}LOGLEVEL", "LOGLEVEL"):
            if level := os.environ.get(variable):
                if not isinstance(logging.getLevelName(level.upper()), int):
                    raise SystemExit(f"{variable} must be one of DEBUG, INFO, WARNING, ERROR and CRITICAL")
                break
        return super().cli

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> ConfigInput:
        """Read the config files; the environment fills in what they leave out, or goes first with `ENV`."""
        cls.append_builtin_config(cls.config_jsonschema)
        files = read_config(tuple(path for path in value if path != "ENV"))
        environment = read_environment(cls.config_jsonschema["properties"], cls.env_prefix())
        settings = files | environment if "ENV" in value else environment | files
        # Another option may be what is wrong.
        redact_logs(secret_values(cls.config_jsonschema, settings), secrets_in_urls(settings))
        return ConfigInput(settings)

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: ConfigInput | None = None,
        state: IO[Any] | None = None,
        catalog: IO[Any] | None = None,
        test: str = NO_TEST,
    ) -> None:
        """Run the tap as its command does; the arguments are the command's options."""
        if about:
            cls.print_about(about_format)
            return
        settings = config.config if config else {}
        address = public_address(str(settings.get("api_url", "")))
        cls.logger.info("%s %s reads %s", cls.name, cls.plugin_version, address)
        given_catalog = read_catalog(catalog) if catalog else None
        given_state = read_state(state, cls.logger) if state else {}
        raise_first([*(catalog_errors(given_catalog) if catalog else []), *state_errors(given_state)])
        tap = cls(config=settings, state=given_state, catalog=given_catalog)
        tap.check_input(given_state, by_catalog=catalog is not None)
        if test == NO_TEST:
            tap.run()
            for signum in (signal.SIGINT, signal.SIGTERM):  # all is written: there is nothing left to stop
                atexit.register(signal.signal, signum, signal.SIG_IGN)
        elif test == "schema":
            tap.write_schemas()
        elif not try_out(tap):
            raise SystemExit(1)

    @classmethod
    @override
    def get_singer_command(cls) -> ApiCommand:
        """The tap's command: the SDK's options, and failures told in a line."""
        about = f"Read from the API as a Singer tap. {cls.__doc__}"
        return ApiCommand.like(super().get_singer_command(), cls.invoke, about, cls.logger)
