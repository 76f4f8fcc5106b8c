"""The command ``api-sandbox``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from api_sandbox import daemon
from api_sandbox.api import SANDBOX_KEY
from api_sandbox.app import create_app
from api_sandbox.daemon import DEFAULT_PORT
from api_sandbox.server import Server, listen

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit code."""
    options = _parser().parse_args(arguments)
    try:
        print(options.action(options), flush=True)  # noqa: T201 - the command's answer
    except (daemon.SandboxError, OSError) as error:
        print(f"api-sandbox: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="api-sandbox", description=f"A local server of the APIs. Key: {SANDBOX_KEY}"
    )
    commands = parser.add_subparsers(required=True, metavar="serve | up | down")
    for action in (_serve, _up, _down):
        command = commands.add_parser(action.__name__.strip("_"), help=action.__doc__)
        command.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}")
        command.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
        command.set_defaults(action=action)
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: choose one from 1 to 65535")
    return int(text)


def _serve(options: argparse.Namespace) -> str:
    """Serve until interrupted."""
    listener = listen(options.host, options.port)
    print(f"Sandbox listens at http://{options.host}:{options.port}, key: {SANDBOX_KEY}", flush=True)  # noqa: T201
    try:
        Server(create_app(), options.host, options.port, log_config=None).run([listener])
    except KeyboardInterrupt:
        return "Sandbox stopped"
    return "Sandbox stopped"


def _up(options: argparse.Namespace) -> str:
    """Start in the background, and wait until it answers."""
    return daemon.up(options.host, options.port)


def _down(options: argparse.Namespace) -> str:
    """Stop the one that was started in the background."""
    return daemon.down(options.host, options.port)
