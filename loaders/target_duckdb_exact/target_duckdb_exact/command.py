"""The loader's command line: the SDK's; what a user can meet ends it with one line and no traceback."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import (
    ConfigValidationError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from target_duckdb_exact.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTPUT_LOST = {errno.EBADF, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPIPE}


class LoadCommand(SingerCommand):
    """The command."""

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options and the files of settings that they name; some options run right here."""
        _open_streams()
        with self._failures_told():
            try:
                return super().make_context(*args, **kwargs)
            except (OSError, ValueError) as error:
                if _why_lost(error):
                    raise
                self.logger.error("config: %s", error)  # noqa: TRY400
                raise SystemExit(1) from None

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the target."""
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
        except ConfigValidationError as failure:
            for error in failure.errors:
                self.logger.error(error)  # noqa: TRY400
        except (LoadError, MissingKeyPropertiesError, RecordsWithoutSchemaException) as failure:
            self.logger.error("%s", failure)  # noqa: TRY400
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - told without its text, which may quote a row
            self._tell(error)
        else:
            return
        raise SystemExit(1)

    def _tell(self, error: Exception) -> None:
        if lost := _why_lost(error):
            # What is still buffered can't be written; the interpreter must not try again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.logger.error("%s; what was read before is loaded", lost)
            return
        where = "".join(traceback.format_tb(error.__traceback__))
        name = type(error).__name__
        self.logger.critical("This should not have happened; please report it: %s\n%s", name, where)


def _why_lost(error: Exception) -> str | None:
    """Why standard output can't be written, if that is it: other files' failures are told where they are."""
    if not isinstance(error, OSError) or error.errno not in _OUTPUT_LOST:
        return None
    if isinstance(error, BrokenPipeError):
        return "Nobody reads STATE any more"
    return f"Standard output can't be written: {error.strerror}"


def _open_streams() -> None:
    """Give the process the streams that it was started without, or the next file opened would be one.

    What is written to a standard output that was closed must fail.
    """
    for name, number, mode in (("stdout", 1, os.O_RDONLY), ("stderr", 2, os.O_WRONLY)):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, mode), number)
            setattr(sys, name, os.fdopen(number, "w", closefd=False))
