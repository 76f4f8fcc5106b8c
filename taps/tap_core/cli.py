"""The taps' command line: the SDK's, with clear words and exit codes where something is wrong."""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_core.errors import ApiError, OutputLost, PartlyRead, Stopped
from tap_core.files import unopened
from tap_core.redaction import printable, redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


_OUTPUT_LOST = {errno.EBADF, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPIPE}
PARTLY = 2
"""Exit code of a run that read some streams and not others."""

NO_TEST = "no"
TEST_OPTION = click.Option(
    ["--test"],
    type=click.Choice(["all", "schema", NO_TEST]),
    is_flag=False,
    flag_value="all",
    default=NO_TEST,
    help="Try the settings with one small request per selected stream; with =schema, write SCHEMA only.",
)


class _InputFile(click.File):
    """A file that is read as bytes, whatever its encoding."""

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Open it."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:  # which quotes what was given
            what = str(param.name) if param else "input"
            raise ApiError(unopened(what, str(value), error.__context__)) from None


class ApiCommand(SingerCommand):
    """A tap's command; a failure that a user can meet ends it with a line or two and no traceback."""

    @classmethod
    def like(
        cls, command: click.Command, callback: Callable[..., Any], about: str, logger: logging.Logger
    ) -> ApiCommand:
        """The SDK's command with our test option and our way to open files."""
        for option in command.params:
            if option.name in {"catalog", "state"}:
                option.type = _InputFile("rb")
        return cls(
            name=command.name,
            callback=callback,
            context_settings=command.context_settings,
            params=[TEST_OPTION if option.name == "test" else option for option in command.params],
            help=about,
            logger=logger,
        )

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options; some of them run right here."""
        _open_streams()
        with self._failures_told():
            return super().make_context(*args, **kwargs)

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options; words that belong to none are not quoted, as click does: they can hold a key."""
        ctx.allow_extra_args = True
        if rest := super().parse_args(ctx, args):
            count = "a word that belongs" if len(rest) == 1 else f"{len(rest)} words that belong"
            raise ApiError(f"the command line has {count} to no option: put quotes around a path with blanks")
        return rest

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the tap."""
        gc.freeze()  # what was imported stays: to look through it again and again, and at the end, takes time
        logging.captureWarnings(capture=True)
        with self._failures_told():
            return click.Command.invoke(self, ctx)

    @contextlib.contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            try:
                yield
            finally:
                sys.stdout.flush()
        except (click.exceptions.Exit, click.Abort):
            raise
        except (Exception, Stopped) as failure:
            raise SystemExit(self._report(failure)) from failure

    def _report(self, failure: BaseException) -> int:
        """Tell of a failure; returns the exit code."""
        if isinstance(failure, OSError) and failure.errno in _OUTPUT_LOST:  # of a `print` of the SDK's
            failure = OutputLost(failure)
        if isinstance(failure, ConfigValidationError):
            self._say(*failure.errors)
        elif isinstance(failure, ApiError):
            self._say(str(getattr(failure, "summary", failure)))
            return PARTLY if isinstance(failure, PartlyRead) else 1
        elif isinstance(failure, OutputLost):
            self.logger.error("%s", failure)
            # What is still buffered can't be written; the interpreter must not try again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        elif isinstance(failure, Stopped):
            signum = int(failure.args[0]) if failure.args else 2
            self.logger.warning("Stopped by signal %d; STATE holds what was read", signum)
            return 128 + signum
        elif isinstance(failure, click.ClickException):
            # Its own exit code for a wrong option says "partly read" here.
            self._say(failure.format_message())
        else:
            self.logger.critical("This should not have happened; please report it", exc_info=failure)
        return 1

    def _say(self, *errors: str) -> None:
        """Log errors; and in plain text, if a program is to find them in the last line of log and output.

        `meltano config test` reads both as one, and shows a person what came last, which is JSON otherwise.
        """
        for error in errors:
            self.logger.error("%s", error)
        if "SINGER_SDK_LOG_CONFIG" in os.environ and os.path.sameopenfile(1, 2):
            click.echo(printable(redacted("; ".join(errors))), err=True)


def _open_streams() -> None:
    """Give the process the streams that it was started without, or the next file opened would be one.

    Without standard error nothing is logged, and the run goes on. What is written to a standard output that
    was closed must fail.
    """
    for name, number, mode in (("stdout", 1, os.O_RDONLY), ("stderr", 2, os.O_WRONLY)):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, mode), number)
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


def read_environment(settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The settings that the environment holds, as the types that they have.

    Raises:
        ApiError: A variable can't be read as its setting's type.
    """
    found: dict[str, Any] = {}
    for name, schema in settings.items():
        variable = f"{prefix}{name.upper()}"
        text = os.environ.get(variable)
        if text is None or (text == "" and "string" not in schema["type"]):
            continue
        try:
            found[name] = text if "string" in schema["type"] else json.loads(_json_word(text))
        except ValueError:
            msg = f"{variable} can't be read: {name} must be a {schema['type'][0]} written as in JSON"
            raise ApiError(msg) from None
    return found


def _json_word(text: str) -> str:
    """`True`, `yes` and `on` as JSON writes them, for switches set by shells and other tools."""
    word = text.strip().lower()
    return {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}.get(
        word, text
    )
