"""Starts taps as copies of a process that has imported all they need: most of a short run is imports.

Each tap is a process of its own, as by `python -m tap_events`: with its own arguments, environment, folder,
outputs, signals and exit code.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import runpy
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

DOMAINS = ("billing", "events", "promotions", "rewards", "scheduling")


class Process:
    """A tap that was started; what tests use of `subprocess.Popen`."""

    def __init__(self, reply):
        self._reply = reply
        self.pid = int(self._line())
        self.returncode = None

    def _line(self):
        line = b""
        while not line.endswith(b"\n"):
            part = self._reply.recv(1)
            assert part, "the starter is gone"
            line += part
        return line

    def wait(self, timeout=None):
        """The exit code; negative for a signal."""
        if self.returncode is None:
            self._reply.settimeout(timeout)
            try:
                status = int(self._line())
            except TimeoutError:
                os.kill(self.pid, signal.SIGKILL)
                raise
            self.returncode = os.waitstatus_to_exitcode(status)
            self._reply.close()
        return self.returncode

    def poll(self):
        """The exit code, None as long as it runs."""
        if self.returncode is None:
            self._reply.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                self._reply.recv(1, socket.MSG_PEEK)
                self.wait()
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def start(module, words, *, stdout, stderr, env=None):
    """Start `python -m module words…`; the outputs are open files."""
    mine, theirs = socket.socketpair()
    request = {
        "words": [module, *map(str, words)],
        "env": {**os.environ, **(env or {})},
        "folder": str(Path.cwd()),
    }
    files = [theirs.fileno(), stdout.fileno(), stderr.fileno()]
    control = _starter(os.getpid())
    socket.send_fds(control, [b"."], files)
    control.sendall(json.dumps(request).encode() + b"\n")
    theirs.close()
    return Process(mine)


def fits(module, env):
    """Whether a copy does: what Python itself reads at its start is as it is here."""
    known = module.removeprefix("tap_") in DOMAINS
    return known and not any(name.startswith(("PYTHON", "LC_", "LANG")) for name in env or ())


@cache
def _starter(_pid):
    mine, theirs = socket.socketpair()
    words = [sys.executable, __file__, str(theirs.fileno())]
    process = subprocess.Popen(words, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    atexit.register(process.wait)
    atexit.register(mine.close)
    return mine


def _next(control):
    """The next tap to be: returns in a copy of this process, which is to become it."""
    while True:
        _, files, *_ = socket.recv_fds(control, 1, 3)
        if not files:
            os._exit(0)
        line = b""
        while not line.endswith(b"\n"):
            line += control.recv(1 << 16)
        if not os.fork() and not _keep(files):
            control.close()
            return json.loads(line), files[1:]
        for file in files:
            os.close(file)


def _keep(files):
    """Copy this process once more, and tell how that one ended; false in the copy."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if not pid:
        return False
    with socket.socket(fileno=files[0]) as reply:
        for file in files[1:]:
            os.close(file)
        with contextlib.suppress(OSError):  # nobody wants to know any more
            reply.sendall(f"{pid}\n".encode())
            _, status = os.waitpid(pid, 0)
            reply.sendall(f"{status}\n".encode())
    os._exit(0)


def _become(request, outputs):
    for number, file in enumerate(outputs, 1):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    random.seed()
    sys.argv = request["words"]


if __name__ == "__main__":
    for domain in DOMAINS:
        __import__(f"tap_{domain}.tap")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that nothing is left of those that are not waited for
    _become(*_next(socket.socket(fileno=int(sys.argv[1]))))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
