"""The sandbox in the background: started and stopped by other commands than the one that serves."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from api_sandbox.server import listen

DEFAULT_PORT = 8765
_PATIENCE = 20.0
"""Seconds that starting and stopping may take."""
_TICK = 0.05


class SandboxError(Exception):
    """Something that the user has to know and to mend."""


def up(host: str, port: int) -> str:
    """Start a sandbox unless one runs already."""
    running = _about(host, port)
    if running:
        return f"Sandbox is running already at http://{host}:{port} (process {running['pid']})"
    try:
        listen(host, port).close()
    except OSError as error:
        raise SandboxError(
            f"cannot listen at {host}:{port}: {error.strerror}; choose another --port"
        ) from error
    log, pid_file = _file(port, "log"), _file(port, "pid")
    command = [sys.executable, "-m", "api_sandbox", "serve", "--host", host, "--port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    pid_file.write_text(f"{process.pid}\n")
    deadline = time.monotonic() + _PATIENCE
    while not _about(host, port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pid_file.unlink(missing_ok=True)
            raise SandboxError(f"the sandbox did not start; see {log}")
        time.sleep(_TICK)
    process.returncode = 0  # It goes on without us; the garbage collector need not warn of that.
    return f"Sandbox is up at http://{host}:{port} (process {process.pid}, log {log})"


def down(host: str, port: int) -> str:
    """Stop the sandbox that answers there, if any."""
    running = _about(host, port)
    _file(port, "pid").unlink(missing_ok=True)
    if not running:
        return f"Sandbox is not running at http://{host}:{port}"
    os.kill(running["pid"], signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while _about(host, port):
        if time.monotonic() > deadline:
            raise SandboxError(f"process {running['pid']} does not stop")
        time.sleep(_TICK)
    return f"Sandbox at http://{host}:{port} stopped"


def _about(host: str, port: int) -> dict[str, Any] | None:
    """What the sandbox there says about itself; None when nobody listens."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/_sandbox/")
        answer = msgspec.json.decode(connection.getresponse().read())
    except (ConnectionError, http.client.RemoteDisconnected):
        return None
    except socket.gaierror:
        raise
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        answer = None
    finally:
        connection.close()
    if isinstance(answer, dict) and answer.get("name") == "api-sandbox":
        return answer
    raise SandboxError(f"{host}:{port} is taken by another program; choose another --port")


def _file(port: int, suffix: str) -> Path:
    """A file of the sandbox at this port: in the Meltano project of this folder, else in a temporary one."""
    project = Path.cwd() / ".meltano"
    folder = (
        project / "run" if project.is_dir() else Path(tempfile.gettempdir()) / f"api-sandbox-{os.getuid()}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (f"sandbox.{suffix}" if port == DEFAULT_PORT else f"sandbox-{port}.{suffix}")
