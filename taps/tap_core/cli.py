"""The taps' command line: the SDK's, with clear words and exit codes where something is wrong."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_core.errors import ApiError, PartlyRead, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


PARTLY = 2
"""Exit code of a run that read some streams and not others."""

NO_TEST = "no"
TEST_OPTION = click.Option(
    ["--test"],
    is_flag=False,
    flag_value="all",
    default=NO_TEST,
    help="Try the settings with one small request per selected stream; with =schema, write SCHEMA only.",
)


class ApiCommand(SingerCommand):
    """A tap's command; a failure that a user can meet ends it with a line or two and no traceback."""

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options; some of them run right here."""
        with self._failures_told():
            return super().make_context(*args, **kwargs)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the tap."""
        logging.captureWarnings(capture=True)
        with self._failures_told():
            return click.Command.invoke(self, ctx)

    @contextlib.contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except ConfigValidationError as failure:
            for error in failure.errors:
                self.logger.error(error)  # noqa: TRY400
        except ApiError as failure:
            partly = isinstance(failure, PartlyRead)
            self.logger.error("%s", getattr(failure, "summary", failure))  # noqa: TRY400
            raise SystemExit(PARTLY if partly else 1) from None
        except BrokenPipeError:
            # What is still buffered can't be written; the interpreter must not try again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.logger.error("The target closed its input before the end; see its own log")  # noqa: TRY400
        except Stopped as stopped:
            signum = int(stopped.args[0]) if stopped.args else 2
            self.logger.warning("Stopped by signal %d; STATE holds what was read", signum)
            raise SystemExit(128 + signum) from None
        except click.ClickException as mistake:
            mistake.show()  # its own exit code for a wrong option says "partly read" here
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            self.logger.critical("This should not have happened; please report it", exc_info=True)
        else:
            return
        raise SystemExit(1)


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
